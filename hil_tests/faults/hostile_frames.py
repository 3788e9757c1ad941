"""What somebody without keys can send: frames made up, recorded, spoiled, cut, crossed, and what is no frame at all.

Owns the attacker's means. He hears everything, keeps it, knows the protocol, and holds a genuine frame in his hands
that the gateway has not heard yet; he has keys, too, but of another home. Must not know what becomes of it.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable

from protocol import VERSION, codes, fragments, serial_link
from protocol.frame import BODY_AT, FRAME_MAX, OVERHEAD
from tests.edge_daemon.wearer import Wearer

_RECORDED_MOST = 2000
_FOREIGN = 300
_GIANT_MOST = 3000
# The smallest payload of a notification: ATT's MTU of 23 less three bytes.
PIECE = 20
_EVENT_SIZE = 24


class HostileFrames:
    """`made`: how many of each kind. `caught`: the genuine frame he holds back; `record` what was heard in the end."""

    def __init__(self, rng: random.Random) -> None:
        self.made: Counter[str] = Counter()
        self.caught = b""
        self._rng = rng
        self._recorded: deque[bytes] = deque(maxlen=_RECORDED_MOST)
        stranger = Wearer("other")
        self._foreign = [stranger.event() if n % 2 else stranger.hello(1) for n in range(_FOREIGN)]
        self._kinds: list[tuple[str, Callable[[], bytes]]] = [
            ("made up", self._made_up),
            ("bytes", lambda: rng.randbytes(rng.randrange(64))),
            ("replayed", lambda: rng.choice(self._recorded)),
            ("bit flipped", self._flipped),
            ("cut short", lambda: self.caught[: rng.randrange(len(self.caught))]),
            ("made longer", lambda: self.caught + rng.randbytes(rng.randrange(1, 40))),
            ("other version", self._other_version),
            ("other type", lambda: bytes([self.caught[0] ^ rng.randrange(1, 16)]) + self.caught[1:]),
            ("forged under a true id", lambda: self.caught[:BODY_AT] + rng.randbytes(len(self.caught) - BODY_AT)),
            ("crossed with a recorded one", lambda: self.caught[:BODY_AT] + rng.choice(self._recorded)[BODY_AT:]),
            ("of another home", lambda: rng.choice(self._foreign)),
            ("nearly right tag", self._nearly_right),
        ]
        # What costs much to make, or is refused by its size alone: now and then.
        self._rare: list[tuple[str, Callable[[], bytes]]] = [
            ("empty", lambda: b""),
            ("giant", lambda: self._head() + rng.randbytes(rng.randrange(FRAME_MAX, _GIANT_MOST))),
            ("longest", lambda: self._head() + rng.randbytes(FRAME_MAX - 1)),
            ("shortest", lambda: self._head() + rng.randbytes(OVERHEAD - 1)),
        ]

    def record(self, frame: bytes) -> None:
        """Something genuine was on the air or on the line, up or down; he has it for ever."""
        self._recorded.append(frame)

    def frame(self) -> bytes:
        """The next one. Something has been recorded, and one is caught."""
        kinds = self._rare if self._rng.random() < 0.01 else self._kinds
        name, make = kinds[int(self._rng.random() * len(kinds))]
        frame = make()
        # Cut or crossed, it may come out as the very frame that he caught: that is passing it on, no forgery.
        if frame == self.caught:
            return self.frame()
        self.made[name] += 1
        return frame

    def _head(self) -> bytes:
        return bytes([VERSION << 4 | self._rng.choice((codes.EVENT, codes.HELLO))])

    def _made_up(self) -> bytes:
        return bytes([VERSION << 4 | int(self._rng.random() * 16)]) + self._rng.randbytes(_EVENT_SIZE - 1)

    def _flipped(self) -> bytes:
        at = int(self._rng.random() * len(self.caught) * 8)
        spoiled = bytearray(self.caught)
        spoiled[at >> 3] ^= 1 << (at & 7)
        return bytes(spoiled)

    def _nearly_right(self) -> bytes:
        spoiled = bytearray(self.caught)
        spoiled[-1] ^= int(self._rng.random() * 255) + 1
        return bytes(spoiled)

    def _other_version(self) -> bytes:
        version = self._rng.choice([version for version in range(16) if version != VERSION])
        return bytes([version << 4 | self.caught[0] & 15]) + self.caught[1:]

    # ---- as bytes of a link ----

    def on_the_line(self, frame: bytes) -> bytes:
        """The frame as a serial line carries it; sometimes spoiled there, sometimes no COBS at all. Ends a block."""
        chance = self._rng.random()
        if chance < 0.5:
            return serial_link.encode(frame)
        if chance < 0.6:
            return self._rng.randbytes(int(self._rng.random() * 80)) + b"\x00"
        if chance < 0.7:
            return frame + b"\x00"
        coded = bytearray(serial_link.encode(frame))
        at = int(self._rng.random() * len(coded))
        if chance < 0.85:
            coded[at] ^= 1 << int(self._rng.random() * 8)
        else:
            del coded[at : at + 1 + int(self._rng.random() * 4)]
        return bytes(coded) + b"\x00"

    def as_notifications(self, frame: bytes) -> list[bytes]:
        """The frame in fragments; some lost, doubled, swapped, or with another header."""
        if not frame or len(frame) > FRAME_MAX:
            return [frame]
        pieces = fragments.split(frame, PIECE)
        chance = self._rng.random()
        at = int(self._rng.random() * len(pieces))
        if chance < 0.1:
            del pieces[at]
        elif chance < 0.2:
            pieces.insert(at, pieces[at])
        elif chance < 0.3:
            pieces.reverse()
        elif chance < 0.4:
            pieces[at] = bytes([int(self._rng.random() * 256)]) + pieces[at][1:]
        return pieces
