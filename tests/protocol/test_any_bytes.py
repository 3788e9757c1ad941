"""Any bytes at all into every reader: it refuses in its own way, keeps its bounds, and hears the next frame.

Runs under both Pythons. The seed is printed; PINGAN_SEED=<number> plays it again.
"""

import os
import random

from protocol import codes, fragments, frame, keys, messages, serial_link

WEARER = keys.derive(b"test_only_root_a")
FRAME = bytes(range(1, 25))
ROUNDS = 300


def _seeded(name):
    seed = int(os.getenv("PINGAN_SEED") or int.from_bytes(os.urandom(3), "big"))
    print(name, "PINGAN_SEED =", seed)
    random.seed(seed)


def _refusal(opener, sealed, counter):
    """Why a frame is refused; None when it opens."""
    try:
        opener.open(sealed, counter)
    except frame.FrameRefused as refused:
        return refused.reason
    return None


def _some(most):
    """Random bytes, often with many zeros or many headers in them."""
    size = random.randrange(most + 1)
    palette = random.choice((range(256), (0, 1, 2), (0x80, 0x40, 0xC0, 0x01), (0xFF, 0)))
    return bytes([random.choice(palette) for _ in range(size)])


def test_the_serial_decoder_takes_anything():
    """It gives frames of possible sizes only, and the genuine one after a delimiter."""
    _seeded("serial")
    decoder = serial_link.Decoder()
    for _ in range(ROUNDS):
        for found in decoder.feed(_some(600)):
            assert frame.OVERHEAD <= len(found) <= serial_link.ENCODED_MAX
        assert len(decoder._buf) <= serial_link.ENCODED_MAX
        assert decoder.feed(b"\x00" + serial_link.encode(FRAME))[-1] == FRAME


def test_the_joiner_takes_anything():
    """Its memory is bounded, and the next whole frame joins."""
    _seeded("fragments")
    joiner = fragments.Joiner()
    for _ in range(ROUNDS):
        for _ in range(random.randrange(20)):
            found = joiner.feed(_some(260))
            assert found is None or 0 < len(found) <= frame.FRAME_MAX
            assert len(joiner._buf) <= frame.FRAME_MAX
        pieces = fragments.split(FRAME, 10)
        assert [whole for whole in [joiner.feed(piece) for piece in pieces] if whole] == [FRAME]


def test_the_openers_take_anything():
    """Nothing that was not sealed opens."""
    _seeded("openers")
    up, down = frame.UpOpener(WEARER.up), frame.DownOpener(WEARER.down)
    for _ in range(ROUNDS):
        noise = bytes([0x10 | random.randrange(16)]) + _some(300)
        assert _refusal(up, noise, random.randrange(1 << 16)) in ("size", "type", "tag")
        buf = bytearray(noise)
        assert not down.open(buf, len(buf), random.randrange(1 << 16))
        assert bytes(buf) == noise


def test_the_readers_of_bodies_take_anything():
    """Either a message whose fields are in their ranges, or NotUnderstood; nothing else is raised."""
    _seeded("bodies")
    readers = (messages.Event, messages.Hello, messages.Heartbeat, messages.Answer, messages.Command, messages.Result)
    understood = 0
    for _ in range(ROUNDS):
        body = _some(40)
        for read in readers:
            try:
                message = read(body)
            except messages.NotUnderstood:
                continue
            understood += 1
            if read is messages.Event:
                assert 0 <= message.number <= messages.NUMBER_MAX and 0 <= message.detail <= 15
                assert message.age_ms >= -1 and -1 <= message.battery_percent <= 100
    assert understood > ROUNDS


def test_a_damaged_frame_never_passes_for_the_genuine_one():
    """Random damage to a sealed frame on its way over serial: nothing that comes out opens."""
    _seeded("damage")
    buf = bytearray(frame.BODY_AT + messages.EVENT_SIZE + frame.TAG_SIZE)
    messages.pack_event(buf, frame.BODY_AT, codes.SOS, 12, 0, 11, codes.HOLD)
    frame.UpSealer(WEARER.up, WEARER.id).seal(codes.EVENT, 7, buf, messages.EVENT_SIZE)
    genuine = bytes(buf)
    opener = frame.UpOpener(WEARER.up)
    for _ in range(ROUNDS):
        damaged = bytearray(genuine)
        for _ in range(random.randrange(1, 4)):
            damaged[random.randrange(len(damaged))] ^= random.randrange(1, 256)
        if bytes(damaged) == genuine:
            continue
        for found in serial_link.Decoder().feed(serial_link.encode(damaged)):
            assert _refusal(opener, found, 7) is not None
