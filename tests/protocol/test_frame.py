"""Frames seal, open, and refuse whatever is not exactly theirs. Runs under both Pythons."""

from protocol import codes, frame, keys, rolling

WEARER = keys.derive(b"test_only_root_a")
OTHER = keys.derive(b"test_only_root_b")
SALT = b"\x01\x02\x03\x04\x05\x06\x07\x08"


def _up(counter, body=b"\x01\x00\x00\x0c\x00\x0c\xb2", frame_type=codes.EVENT, own=WEARER):
    buf = bytearray(frame.BODY_AT) + bytearray(body) + bytearray(frame.TAG_SIZE)
    size = frame.UpSealer(own.up, own.id).seal(frame_type, counter, buf, len(body))
    return bytes(buf[:size])


def _down(counter, body=b"\x01\x00\x00\x0c\x00", frame_type=codes.ANSWER, own=WEARER):
    return frame.DownSealer(own.down).seal(frame_type, counter, SALT, body)


def _refusal(sealed, counter, own=WEARER):
    """Why an up frame is refused; None when it opens."""
    try:
        frame.UpOpener(own.up).open(sealed, counter)
    except frame.FrameRefused as refused:
        return refused.reason
    return None


def _opens_down(sealed, counter, own=WEARER):
    buf = bytearray(sealed)
    opened = frame.DownOpener(own.down).open(buf, len(buf), counter)
    assert opened or bytes(buf) == bytes(sealed), "a refused buffer must be left as it came"
    return opened


def test_up_frames_of_every_size_and_type_come_back():
    """With the id that names the counter."""
    for size in (0, 1, 7, 15, 16, 17, 32, 33, frame.BODY_MAX):
        body = bytes([(3 * i + size) & 0xFF for i in range(size)])
        for frame_type in (1, 4, 7):
            sealed = _up(7000 + size, body, frame_type)
            assert len(sealed) == frame.OVERHEAD + size
            assert frame.parse_head(sealed) == frame_type
            assert frame.rolling_id(sealed) == rolling.RollingIds(WEARER.id).id_at(7000 + size)
            assert frame.UpOpener(WEARER.up).open(sealed, 7000 + size) == body


def test_down_frames_of_every_size_and_type_come_back():
    """In place, as a wearable opens them."""
    for size in (0, 1, 5, 16, 17, frame.BODY_MAX):
        body = bytes([(5 * i + size) & 0xFF for i in range(size)])
        for frame_type in (8, 9, 15):
            sealed = _down(rolling.COUNTER_MAX, body, frame_type)
            buf = bytearray(sealed)
            assert frame.DownOpener(WEARER.down).open(buf, len(buf), rolling.COUNTER_MAX)
            assert bytes(buf[frame.BODY_AT : len(buf) - frame.TAG_SIZE]) == body


def test_every_flipped_bit_of_an_up_frame_is_refused():
    """The first byte's too: version and type are under the tag."""
    sealed = _up(12)
    for bit in range(8 * len(sealed)):
        bad = bytearray(sealed)
        bad[bit // 8] ^= 1 << bit % 8
        assert _refusal(bytes(bad), 12) is not None, bit
    assert _refusal(sealed, 12) is None


def test_every_flipped_bit_of_a_down_frame_is_refused():
    """And the buffer is left as it came, for the next counter to be tried."""
    sealed = _down(12)
    for bit in range(8 * len(sealed)):
        bad = bytearray(sealed)
        bad[bit // 8] ^= 1 << bit % 8
        assert not _opens_down(bad, 12), bit
    assert _opens_down(sealed, 12)


def test_every_cut_and_every_extension_is_refused():
    """From no byte to one too many."""
    up, down = _up(12), _down(12)
    for size in range(len(up)):
        assert _refusal(up[:size], 12) in ("size", "tag"), size
    for size in range(len(down)):
        assert not _opens_down(down[:size], 12), size
    for more in (b"\x00", up):
        assert _refusal(up + more, 12) == "tag"
        assert not _opens_down(down + more, 12)


def test_sizes_no_frame_can_have_are_refused_before_any_key_is_used():
    """16 is too short, 257 too long."""
    for size in (0, 1, frame.OVERHEAD - 1, frame.FRAME_MAX + 1, 1000):
        assert _refusal(b"\x11" * size, 0) == "size"


def test_another_version_is_refused():
    """Whatever stands behind it."""
    sealed = _up(5)
    for version in (0, 2, 15):
        assert _refusal(bytes([version << 4 | codes.EVENT]) + sealed[1:], 5) == "version"
        assert not _opens_down(bytes([version << 4 | codes.ANSWER]) + _down(5)[1:], 5)


def test_a_frame_opens_under_its_own_counter_only():
    """Neighbours, and the ends of the range."""
    sealed, answer = _up(12), _down(12)
    for counter in (0, 11, 13, 0x0C000000, rolling.COUNTER_MAX):
        assert _refusal(sealed, counter) == "tag"
        assert not _opens_down(answer, counter)


def test_a_frame_of_another_wearable_is_refused():
    """Same counter, other root."""
    assert _refusal(_up(12, own=OTHER), 12) == "tag"
    assert not _opens_down(_down(12, own=OTHER), 12)


def test_the_directions_never_pass_for_each_other():
    """Not even where one key was installed for both."""
    same = keys.DeviceKeys(WEARER.handle, WEARER.up, WEARER.up, WEARER.id, WEARER.trail)
    assert _refusal(_down(12, own=same), 12, same) == "type"
    assert not _opens_down(_up(12, own=same), 12, same)
    as_up = bytes([0x10 | codes.EVENT]) + _down(12, own=same)[1:]
    assert _refusal(as_up, 12, same) == "tag"


def test_the_same_body_looks_different_each_time():
    """Frames under two counters share their first byte, and nothing that could be told."""
    first, second = _up(12), _up(13)
    assert first[1 : frame.BODY_AT] != second[1 : frame.BODY_AT]
    assert first[frame.BODY_AT :] != second[frame.BODY_AT :]


def test_a_down_frame_that_cannot_be_is_not_sealed():
    """Salt, body and counter have their bounds."""
    for counter, salt, size in ((-1, SALT, 5), (1 << 32, SALT, 5), (0, SALT[:7], 5), (0, SALT, frame.BODY_MAX + 1)):
        try:
            frame.DownSealer(WEARER.down).seal(codes.ANSWER, counter, salt, bytes(size))
        except ValueError:
            continue
        raise AssertionError("sealed what cannot be")
