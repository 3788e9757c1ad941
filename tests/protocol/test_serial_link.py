"""Frames on a serial line: found again after any noise, and never made up. Runs under both Pythons."""

from protocol import frame, serial_link

FRAMES = [bytes([17 * k & 0xFF] + [(k * i) & 0xFF for i in range(23)]) for k in range(1, 6)]


def _decoded(data):
    decoder = serial_link.Decoder()
    return decoder.feed(data), decoder.refused


def test_cobs_leaves_no_zero_and_comes_back():
    """Around the 254-byte edge, with and without zeros."""
    for size in (0, 1, 2, 253, 254, 255, 256, 260):
        for data in (
            bytes(size),
            b"\x01" * size,
            bytes([i % 5 for i in range(size)]),
            b"\xff" * (size // 2) + bytes(size // 2),
        ):
            encoded = serial_link.cobs_encode(data)
            assert 0 not in encoded
            assert len(encoded) <= len(data) + len(data) // 254 + 1
            assert serial_link.cobs_decode(encoded) == data, size


def test_cobs_examples_of_its_authors():
    """Cheshire and Baker 1999, and the two ways to end after a full piece."""
    full = bytes(range(1, 255))
    rows = (
        (b"\x00", b"\x01\x01"),
        (b"\x00\x00", b"\x01\x01\x01"),
        (b"\x11\x22\x00\x33", b"\x03\x11\x22\x02\x33"),
        (b"\x11\x00\x00\x00", b"\x02\x11\x01\x01\x01"),
        (full, b"\xff" + full + b"\x01"),
        (b"\x00" + full, b"\x01\xff" + full + b"\x01"),
        (full + b"\xff", b"\xff" + full + b"\x02\xff"),
    )
    for data, encoded in rows:
        assert serial_link.cobs_encode(data) == encoded
        assert serial_link.cobs_decode(encoded) == data
    assert serial_link.cobs_decode(b"\xff" + full) == full


def test_what_is_no_cobs_is_refused():
    """A zero inside, and codes that point past the end."""
    for data in (b"\x00", b"\x02", b"\x03a", b"\x02\x00", b"\x02a\x00", b"\xff" + bytes(253)):
        assert serial_link.cobs_decode(data) is None, data


def test_frames_come_one_byte_at_a_time():
    """As from a slow port."""
    stream = b"".join([serial_link.encode(one) for one in FRAMES])
    decoder = serial_link.Decoder()
    found = []
    for i in range(len(stream)):
        found += decoder.feed(stream[i : i + 1])
    assert found == FRAMES and decoder.refused == 0


def test_frames_come_cut_anywhere():
    """In two reads, the cut at every place."""
    stream = b"".join([serial_link.encode(one) for one in FRAMES[:2]])
    for cut in range(len(stream) + 1):
        decoder = serial_link.Decoder()
        assert decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) == FRAMES[:2], cut


def test_every_flipped_bit_costs_its_frame_and_no_other():
    """A bit that makes or breaks a delimiter may cost the frame and its neighbour, never the one after."""
    for bit in range(8 * len(serial_link.encode(FRAMES[0]))):
        stream = bytearray(b"".join([serial_link.encode(one) for one in FRAMES[:3]]))
        stream[bit // 8] ^= 1 << bit % 8
        found, refused = _decoded(stream)
        assert found in (FRAMES[1:3], FRAMES[2:3]), bit
        assert refused >= 1


def test_a_lost_byte_costs_its_frame_and_no_more_than_the_next():
    """Wherever it was."""
    encoded = serial_link.encode(FRAMES[0])
    for lost in range(len(encoded)):
        stream = encoded[:lost] + encoded[lost + 1 :]
        found, _ = _decoded(stream + serial_link.encode(FRAMES[1]) + serial_link.encode(FRAMES[2]))
        assert found in (FRAMES[1:3], FRAMES[2:3]), lost
        assert _decoded(stream + b"\x00" + serial_link.encode(FRAMES[1]))[0][-1] == FRAMES[1], lost


def test_noise_before_a_frame_costs_nothing_after_a_delimiter():
    """A sender that was silent begins with a zero."""
    for noise in (b"\xff", b"\x01\x02\x03", bytes(range(1, 256)), b"\x55" * 5000, b"\x00\x00\x00"):
        assert _decoded(noise + b"\x00" + serial_link.encode(FRAMES[0]))[0] == [FRAMES[0]]


def test_endless_noise_takes_no_memory():
    """And the frame after it is heard."""
    decoder = serial_link.Decoder()
    for _ in range(50):
        assert decoder.feed(b"\xaa" * 1000) == []
        assert len(decoder._buf) <= serial_link.ENCODED_MAX
    assert decoder.feed(b"\x00" + serial_link.encode(FRAMES[0])) == [FRAMES[0]]
    assert decoder.refused == 1


def test_the_longest_frame_fits_and_one_byte_more_does_not():
    """Both with the worst content for COBS."""
    for fill in (0, 1, 255):
        longest = bytes([fill]) * frame.FRAME_MAX
        assert _decoded(serial_link.encode(longest)) == ([longest], 0)
        assert len(serial_link.encode(longest)) <= serial_link.ENCODED_MAX + 1
    found, refused = _decoded(serial_link.encode(bytes(frame.FRAME_MAX + 4)))
    assert (found, refused) == ([], 1)


def test_a_frame_shorter_than_any_is_refused():
    """Though its CRC be right."""
    assert _decoded(serial_link.encode(bytes(frame.OVERHEAD - 1))) == ([], 1)
    assert _decoded(serial_link.encode(bytes(frame.OVERHEAD))) == ([bytes(frame.OVERHEAD)], 0)
