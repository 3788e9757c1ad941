"""What a wearable lives by: whose it is, what its buttons do, where its fences are, how watchful it is.

Owns: the layout of settings as they lie in a box (box.py, SETTINGS) and their defaults. Must not know: who seals them,
and who obeys them. Settings are always whole: what a box does not say has its default. Unknown tags are passed over.
    tag (1) | size (1) | value; FENCE may come several times. Numbers are big endian.
"""

from . import codes
from .messages import NotUnderstood

OLDER = 1
DISABLED = 2
CHILD = 3
WORKER = 4

CHINESE = 0
ENGLISH = 1

# What a fence is, and what is told of it.
FENCE_HOME = 0x01
FENCE_SCHOOL = 0x02
FENCE_TELLS_LEFT = 0x10
FENCE_TELLS_ENTERED = 0x20

FALLS_OFF = 0
FALLS_NORMAL = 1
FALLS_SENSITIVE = 2

# Whoever is asked something hears of it at its next heartbeat; more often costs battery.
HEARTBEAT_LEAST_S = 60

# An event's detail nibble names a fence.
FENCES_MOST = 15

_KIND = 1
_LANGUAGE = 2
_SHORT_PRESS = 3
_FENCE = 4
_POSITIONS = 5
_FALLS = 6
_OFFSET = 7
_HEARTBEAT = 8
_FENCE_SIZE = 12


class Fence:
    """A circle: `number` 1 to 15, middle in millionths of a degree (WGS 84), radius in metres. `flags`: FENCE_*."""

    def __init__(self, number: int, flags: int, latitude_e6: int, longitude_e6: int, radius_m: int) -> None:
        self.number = number
        self.flags = flags
        self.latitude_e6 = latitude_e6
        self.longitude_e6 = longitude_e6
        self.radius_m = radius_m


class Settings:
    """`short_press`: the kind of event that a short press makes. `moving_s`, `still_s`: between two positions, 0 none.

    `floor_percent`: below so much battery positions are taken as if it did not move. `offset_minutes`: local time.
    `heartbeat_s`: between two heartbeats.
    """

    def __init__(self) -> None:
        self.kind = OLDER
        self.language = CHINESE
        self.short_press = codes.SOS
        self.fences: "list[Fence]" = []
        self.moving_s = 0
        self.still_s = 0
        self.floor_percent = 20
        self.falls = FALLS_OFF
        self.countdown_s = 30
        self.offset_minutes = 480
        self.heartbeat_s = 1800

    def pack(self) -> bytes:
        """As they go into a box."""
        out = bytes([_KIND, 1, self.kind, _LANGUAGE, 1, self.language, _SHORT_PRESS, 1, self.short_press])
        for fence in self.fences:
            out += bytes([_FENCE, _FENCE_SIZE, fence.number, fence.flags])
            out += (fence.latitude_e6 & 0xFFFFFFFF).to_bytes(4, "big")
            out += (fence.longitude_e6 & 0xFFFFFFFF).to_bytes(4, "big") + fence.radius_m.to_bytes(2, "big")
        out += bytes([_POSITIONS, 5]) + self.moving_s.to_bytes(2, "big") + self.still_s.to_bytes(2, "big")
        out += bytes([self.floor_percent, _FALLS, 2, self.falls, self.countdown_s])
        out += bytes([_OFFSET, 2]) + (self.offset_minutes & 0xFFFF).to_bytes(2, "big")
        return out + bytes([_HEARTBEAT, 2]) + self.heartbeat_s.to_bytes(2, "big")


def unpack(data: bytes) -> Settings:
    """Settings from a box's content. Raises NotUnderstood when they are cut or a value has another size."""
    settings = Settings()
    at = 0
    while at < len(data):
        end = at + 2 + (data[at + 1] if at + 1 < len(data) else len(data))
        if end > len(data):
            raise NotUnderstood("settings cut short")
        _take(settings, data[at], data[at + 2 : end])
        at = end
    return settings


_SIZES = {
    _KIND: 1,
    _LANGUAGE: 1,
    _SHORT_PRESS: 1,
    _FENCE: _FENCE_SIZE,
    _POSITIONS: 5,
    _FALLS: 2,
    _OFFSET: 2,
    _HEARTBEAT: 2,
}

_OF_ONE_BYTE = {_KIND: "kind", _LANGUAGE: "language", _SHORT_PRESS: "short_press"}


def _take(settings: Settings, tag: int, value: bytes) -> None:
    if tag not in _SIZES:
        return
    if len(value) < _SIZES[tag]:
        raise NotUnderstood("setting too short")
    if tag in _OF_ONE_BYTE:
        setattr(settings, _OF_ONE_BYTE[tag], value[0])
        if settings.language > ENGLISH:
            settings.language = CHINESE  # one of a later protocol: nobody has words for it here
    elif tag == _FENCE and len(settings.fences) < FENCES_MOST:
        radius_m = value[10] << 8 | value[11]
        settings.fences.append(Fence(value[0], value[1], _signed(value[2:6]), _signed(value[6:10]), radius_m))
    elif tag == _POSITIONS:
        settings.moving_s = value[0] << 8 | value[1]
        settings.still_s = value[2] << 8 | value[3]
        settings.floor_percent = value[4]
    elif tag == _FALLS:
        settings.falls = value[0]
        settings.countdown_s = value[1]
    elif tag == _HEARTBEAT:
        settings.heartbeat_s = max(HEARTBEAT_LEAST_S, value[0] << 8 | value[1])
    elif tag == _OFFSET:
        settings.offset_minutes = _signed(value[:2])


def _signed(value: bytes) -> int:
    number = int.from_bytes(value, "big")
    return number - (1 << 8 * len(value)) if value[0] & 0x80 else number
