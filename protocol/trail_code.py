"""A trail: where a wearer was and when, in few bytes. The content of a box of purpose TRAIL (box.py).

Owns: its layout. Must not know: who takes positions, who seals, keeps or reads them. A trail is made position by
position, so that what lies in flash is whole after each. Times are as the satellites said; numbers are big endian.

    version 1 (1) | time of the first position, seconds since 1970 (4) | step in s (2) | position ...
    position: head (1) | [seconds more than a step since the one before] | [place, as difference to the last one]
    head: bit 7 not one step after the one before | bit 6 no position was found | bit 5 an SOS is open | bit 4 moving
          | bit 3 the place is one byte | bits 2..0 accuracy class
Differences are zig-zag varints, 7 bits a byte, low ones first; the place's two are hundred-thousandths of a degree
(1.1 m), north then east, from 0, 0 for the first place. In one byte: (north + 8) * 16 + east + 8, each -8 to 7.
"""

from .messages import NotUnderstood

VERSION = 1
# So that a box of it goes into a frame, and the frame into one notification.
SIZE_MOST = 176

# Accuracy classes: within so many metres, most likely. Then "more", and "not known".
WITHIN_M = (5, 10, 20, 50, 100, 200)
CLASS_WORSE = len(WITHIN_M)
CLASS_UNKNOWN = 7

_HEAD_SIZE = 7
_TIME = 0x80
_NONE = 0x40
_SOS = 0x20
_MOVING = 0x10
_SMALL = 0x08
_CLASS = 0x07
_TIME_MOST = 0xFFFFFFFF
_NORTH_MOST = 9_000_000
_EAST_MOST = 18_000_000
# A difference of times has up to 34 bits: five bytes of seven.
_VARINT_MOST = 5


class Position:
    """Where and when: `unix_s` since 1970, UTC; degrees (WGS 84) times 100,000. `found`: else there is no place."""

    def __init__(
        self,
        unix_s: int,
        latitude_e5: int = 0,
        longitude_e5: int = 0,
        accuracy: int = CLASS_UNKNOWN,
        *,
        found: bool = True,
        moving: bool = False,
        sos: bool = False,
    ) -> None:
        self.unix_s = unix_s
        self.latitude_e5 = latitude_e5
        self.longitude_e5 = longitude_e5
        self.accuracy = accuracy
        self.found = found
        self.moving = moving
        self.sos = sos


def accuracy_class(metres: int) -> int:
    """The class of an accuracy; negative: not known."""
    if metres < 0:
        return CLASS_UNKNOWN
    for accuracy, within_m in enumerate(WITHIN_M):
        if metres <= within_m:
            return accuracy
    return CLASS_WORSE


class Writer:
    """`data`: the trail so far; b"" is none yet. `count`: positions in it. `step_s`: most are so far apart."""

    def __init__(self, step_s: int, data: bytes = b"") -> None:
        """Begin one, or go on with `data`, whose own step then counts. Raises NotUnderstood when that is no trail."""
        self.data = data
        self.count = 0
        self._step_s = step_s
        self._last_s = self._north = self._east = 0
        if data:
            positions = unpack(data)
            self.count = len(positions)
            self._step_s = data[5] << 8 | data[6]
            self._last_s = positions[-1].unix_s
            for position in positions:
                self._follow(position)

    def add(self, position: Position) -> bool:
        """Write one more, no older than the one before; False when there is no room, or it is older.

        Raises ValueError for a place or time that is none.
        """
        if not 0 <= position.unix_s <= _TIME_MOST or (
            abs(position.latitude_e5) > _NORTH_MOST or abs(position.longitude_e5) > _EAST_MOST
        ):
            raise ValueError("no place or time on earth")
        if self.data and position.unix_s < self._last_s:
            return False
        head = (_SOS if position.sos else 0) | (_MOVING if position.moving else 0)
        late = 0
        data = self.data
        if data:
            late = position.unix_s - self._last_s - self._step_s
        else:
            data = bytes([VERSION]) + position.unix_s.to_bytes(4, "big") + self._step_s.to_bytes(2, "big")
        when = b""
        if late:
            head |= _TIME
            when = _varint(late)
        if position.found:
            small, place = self._place(position)
            head |= small | position.accuracy & _CLASS
        else:
            head |= _NONE | CLASS_UNKNOWN
            place = b""
        data += bytes([head]) + when + place
        if len(data) > SIZE_MOST:
            return False
        self.data = data
        self.count += 1
        self._last_s = position.unix_s
        self._follow(position)
        return True

    def _place(self, position: Position) -> "tuple[int, bytes]":
        north = position.latitude_e5 - self._north
        east = position.longitude_e5 - self._east
        if -8 <= north < 8 and -8 <= east < 8:
            return _SMALL, bytes([(north + 8) << 4 | (east + 8)])
        return 0, _varint(north) + _varint(east)

    def _follow(self, position: Position) -> None:
        if position.found:
            self._north = position.latitude_e5
            self._east = position.longitude_e5


def unpack(data: bytes) -> "list[Position]":
    """The positions of a trail, in their order. Raises NotUnderstood when it is none, or has none."""
    if len(data) <= _HEAD_SIZE or data[0] != VERSION:
        raise NotUnderstood("no trail of version 1")
    unix_s = int.from_bytes(data[1:5], "big")
    step_s = data[5] << 8 | data[6]
    north = east = 0
    at = _HEAD_SIZE
    found: "list[Position]" = []
    while at < len(data):
        head = data[at]
        at += 1
        late = 0
        if head & _TIME:
            late, at = _read_varint(data, at)
        if found:
            unix_s += step_s + late
        if not head & _NONE:
            move, at = _read_small(data, at) if head & _SMALL else _read_two(data, at)
            north += move[0]
            east += move[1]
        if not 0 <= unix_s <= _TIME_MOST or abs(north) > _NORTH_MOST or abs(east) > _EAST_MOST:
            raise NotUnderstood("a position that is none on earth")
        found.append(_position(head, unix_s, north, east))
    return found


def _position(head: int, unix_s: int, north: int, east: int) -> Position:
    moving, sos = bool(head & _MOVING), bool(head & _SOS)
    if head & _NONE:
        return Position(unix_s, found=False, moving=moving, sos=sos)
    return Position(unix_s, north, east, head & _CLASS, moving=moving, sos=sos)


def _read_small(data: bytes, at: int) -> "tuple[tuple[int, int], int]":
    if at >= len(data):
        raise NotUnderstood("trail cut short")
    return ((data[at] >> 4) - 8, (data[at] & 15) - 8), at + 1


def _read_two(data: bytes, at: int) -> "tuple[tuple[int, int], int]":
    north, at = _read_varint(data, at)
    east, at = _read_varint(data, at)
    return (north, east), at


def _varint(number: int) -> bytes:
    """Zig-zag: 0, -1, 1, -2 ... are 0, 1, 2, 3."""
    rest = number * 2 if number >= 0 else -number * 2 - 1
    out = b""
    while rest > 0x7F:
        out += bytes([0x80 | rest & 0x7F])
        rest >>= 7
    return out + bytes([rest])


def _read_varint(data: bytes, at: int) -> "tuple[int, int]":
    rest = shift = 0
    for _ in range(_VARINT_MOST):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        rest |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (-((rest + 1) >> 1) if rest & 1 else rest >> 1), at
    raise NotUnderstood("trail cut short")
