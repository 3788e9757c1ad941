"""Frames in pieces: a lost, repeated or foreign piece costs its own frame, never the next. Runs under both Pythons."""

from protocol import fragments, frame

FRAME = bytes([i * 7 & 0xFF for i in range(40)])
OTHER = bytes([255 - i for i in range(30)])


def _join(joiner, pieces):
    return [whole for whole in [joiner.feed(piece) for piece in pieces] if whole is not None]


def test_every_size_joins_again_at_every_payload():
    """From one piece to sixty-four."""
    for size in (1, 17, 19, 20, 24, 40, 256):
        whole = bytes([i & 0xFF for i in range(size)])
        for payload in (5, 20, 21, 100, 182, 244, 257):
            pieces = fragments.split(whole, payload)
            assert all(len(piece) <= payload for piece in pieces)
            assert _join(fragments.Joiner(), pieces) == [whole], (size, payload)


def test_a_payload_too_small_is_said():
    """Sixty-four pieces are the most a header can number."""
    for whole, payload in ((FRAME, 1), (bytes(128), 2), (bytes(256), 4)):
        try:
            fragments.split(whole, payload)
        except ValueError:
            continue
        raise AssertionError("split into more than 64 pieces")


def test_a_lost_piece_costs_its_frame_only():
    """Whichever piece it is."""
    pieces = fragments.split(FRAME, 10)
    for lost in range(len(pieces)):
        joiner = fragments.Joiner()
        assert _join(joiner, pieces[:lost] + pieces[lost + 1 :]) == []
        assert _join(joiner, fragments.split(OTHER, 10)) == [OTHER], lost
        assert joiner.refused >= 1


def test_a_repeated_piece_costs_its_frame_at_most():
    """A repeated first piece begins the frame anew and then has a repeat too many; the next frame is whole."""
    pieces = fragments.split(FRAME, 10)
    for again in range(len(pieces)):
        joiner = fragments.Joiner()
        joined = _join(joiner, pieces[: again + 1] + pieces[again:])
        assert joined in ([], [FRAME])
        assert _join(joiner, fragments.split(OTHER, 10)) == [OTHER], again


def test_pieces_of_two_frames_never_mix():
    """A frame broken off in the middle and another begun."""
    joiner = fragments.Joiner()
    assert _join(joiner, fragments.split(FRAME, 10)[:2] + fragments.split(OTHER, 10)) == [OTHER]
    assert joiner.refused == 1
    assert _join(joiner, fragments.split(OTHER, 10)[1:]) == []


def test_noise_is_refused_and_counted():
    """Empty, a header alone, a middle piece out of nowhere."""
    joiner = fragments.Joiner()
    assert _join(joiner, [b"", b"\x80", b"\xc0", b"\x01abc", b"\x41abc"]) == []
    assert joiner.refused == 5


def test_a_frame_longer_than_any_is_refused():
    """Pieces without end must not fill the memory."""
    joiner = fragments.Joiner()
    for index in range(64):
        assert joiner.feed(bytes([index | (0 if index else 0x80)]) + bytes(100)) is None
    assert joiner.refused >= 1
    assert len(joiner._buf) <= frame.FRAME_MAX
    assert _join(joiner, fragments.split(OTHER, 20)) == [OTHER]
