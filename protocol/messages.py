"""Bodies of the frames: event, hello, heartbeat, result (up); answer, command (down).

Owns: the layout of each body. Must not know: sealing, kinds' meaning. Numbers are big endian.
The pack_* functions that a press needs write into a given buffer and take no heap. The unpack_* functions raise
NotUnderstood and never guess: who gets it keeps the body raw.
"""

from . import codes

EVENT_SIZE = 7
HELLO_SIZE = 7
HEARTBEAT_SIZE = 17
ANSWER_SIZE = 5
COMMAND_SIZE = 3
RESULT_SIZE = 3
TESTED_SIZE = 6
NUMBER_MAX = 0xFFFFFF
# What a heartbeat calls out of use, in the order in which it is told.
PARTS = (
    ("screen", codes.HEARTBEAT_SCREEN_OUT),
    ("positions", codes.HEARTBEAT_POSITIONS_OUT),
    ("motion", codes.HEARTBEAT_MOTION_OUT),
)

_AGE_MINUTES = 0x8000
_AGE_MOST = 0xFFFE


class NotUnderstood(Exception):
    """A genuine frame whose body this version cannot read."""


def age_code(age_ms: int) -> int:
    """An age as 16 bits: 0.1 s units up to 54 min, whole minutes up to 22 days, then the most there is."""
    if age_ms < 3276800:
        return age_ms // 100
    minutes = age_ms // 60000
    return _AGE_MINUTES | minutes if minutes < 0x7FFE else _AGE_MOST


def age_ms(code: int) -> int:
    """The age an age code stands for, in ms; -1 for unknown. 0xFFFE means at least 32,766 minutes."""
    if code == codes.AGE_UNKNOWN:
        return -1
    return (code & 0x7FFF) * 60000 if code & _AGE_MINUTES else code * 100


def battery_nibble(percent: int) -> int:
    """Battery in 15 steps, 0..14; `percent` outside 0..100 says unknown (15)."""
    return (percent * 14 + 50) // 100 if 0 <= percent <= 100 else codes.BATTERY_UNKNOWN


def battery_percent(nibble: int) -> int:
    """The percentage a nibble stands for; -1 for unknown."""
    return -1 if nibble == codes.BATTERY_UNKNOWN else nibble * 100 // 14


def _put_number(buf: bytearray, offset: int, number: int) -> None:
    buf[offset] = (number >> 16) & 0xFF
    buf[offset + 1] = (number >> 8) & 0xFF
    buf[offset + 2] = number & 0xFF


def _number(data: "bytes | bytearray", offset: int) -> int:
    return data[offset] << 16 | data[offset + 1] << 8 | data[offset + 2]


def pack_event(buf: bytearray, offset: int, kind: int, number: int, age: int, battery: int, detail: int) -> int:
    """Write an event body (`age` an age code, `battery` and `detail` nibbles); return its size, 7. Takes no heap."""
    buf[offset] = kind
    _put_number(buf, offset + 1, number)
    buf[offset + 4] = age >> 8
    buf[offset + 5] = age & 0xFF
    buf[offset + 6] = (battery & 0x0F) << 4 | detail & 0x0F
    return EVENT_SIZE


def pack_tlv(buf: bytearray, offset: int, tag: int, value: bytes) -> int:
    """Write one TLV; return its size."""
    buf[offset] = tag
    buf[offset + 1] = len(value)
    buf[offset + 2 : offset + 2 + len(value)] = value
    return 2 + len(value)


def unpack_tlvs(data: bytes) -> "dict[int, bytes]":
    """TLVs to a dict by tag. Raises NotUnderstood when the last one is cut."""
    tlvs = {}
    at = 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise NotUnderstood("TLV cut short")
        tlvs[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return tlvs


class Event:
    """One event as the wearable tells it. `age_ms` -1 and `battery_percent` -1 say unknown."""

    def __init__(self, body: bytes) -> None:
        """Read an event body. Raises NotUnderstood when it is too short or its TLVs are cut."""
        if len(body) < EVENT_SIZE:
            raise NotUnderstood("event body shorter than 7 bytes")
        code = body[4] << 8 | body[5]
        self.kind = body[0]
        self.number = _number(body, 1)
        self.age_ms = age_ms(code)
        self.age_resolution_ms = 60000 if code & _AGE_MINUTES else 100
        self.age_at_least = code == _AGE_MOST
        self.battery_percent = battery_percent(body[6] >> 4)
        self.detail = body[6] & 0x0F
        self.battery_mv = -1
        self._read_tlvs(unpack_tlvs(body[EVENT_SIZE:]))

    def _read_tlvs(self, tlvs: "dict[int, bytes]") -> None:
        value = tlvs.get(codes.TLV_BATTERY_MV, b"")
        if len(value) == 2:
            self.battery_mv = value[0] << 8 | value[1]
        value = tlvs.get(codes.TLV_AGE_MS, b"")
        if len(value) == 4:
            self.age_ms = int.from_bytes(value, "big")
            self.age_resolution_ms = 1
            self.age_at_least = False


def pack_hello(buf: bytearray, offset: int, flags: int, number: int, stage: int, battery: int, open_alarms: int) -> int:
    """Write a hello body; return its size, 7. `number` and `stage`: an open event and what is shown for it."""
    buf[offset] = flags
    _put_number(buf, offset + 1, number)
    buf[offset + 4] = stage
    buf[offset + 5] = (battery & 0x0F) << 4
    buf[offset + 6] = min(255, open_alarms)
    return HELLO_SIZE


class Hello:
    """A wearable that says it is there, may ask for the state of event `number` and shows `stage` for it."""

    def __init__(self, body: bytes) -> None:
        """Read a hello body. Raises NotUnderstood when it is too short."""
        if len(body) < HELLO_SIZE:
            raise NotUnderstood("hello body shorter than 7 bytes")
        self.heartbeat_waits = bool(body[0] & codes.HELLO_HEARTBEAT_WAITS)
        self.asks_state = bool(body[0] & codes.HELLO_ASKS_STATE)
        self.trail_waits = bool(body[0] & codes.HELLO_TRAIL_WAITS)
        self.number = _number(body, 1)
        self.stage = body[4]
        self.battery_percent = battery_percent(body[5] >> 4)
        self.open_alarms = body[6]


def pack_heartbeat(
    uptime_s: int,
    battery_mv: int,
    percent: int,
    heap_free_low: int,
    firmware: "tuple[int, int, int]",
    reset_cause: int,
    open_alarms: int,
    flags: int,
) -> bytes:
    """A heartbeat body: 17 bytes (README section 6.3). `percent` 255 says unknown."""
    return (
        (uptime_s & 0xFFFFFFFF).to_bytes(4, "big")
        + (battery_mv & 0xFFFF).to_bytes(2, "big")
        + bytes([percent])
        + min(heap_free_low, NUMBER_MAX).to_bytes(3, "big")
        + bytes(firmware)
        + bytes([1, reset_cause, min(open_alarms, 255), flags])
    )


class Heartbeat:
    """What a wearable says about itself. `battery_percent`, `steps`, `still_minutes`, `settings` -1 say unknown.

    `steps`: in all since power-on, modulo 65,536. `still_minutes`: since it was last moved. `settings`: the version
    that it lives by. `parts_out`: names of PARTS.
    """

    def __init__(self, body: bytes) -> None:
        """Read a heartbeat body. Raises NotUnderstood when it is too short. Of TLVs that are cut none is believed."""
        if len(body) < HEARTBEAT_SIZE:
            raise NotUnderstood("heartbeat body shorter than 17 bytes")
        self.uptime_s = int.from_bytes(body[0:4], "big")
        self.battery_mv = body[4] << 8 | body[5]
        self.battery_percent = -1 if body[6] == codes.PERCENT_UNKNOWN else body[6]
        self.heap_free_low = _number(body, 7)
        self.firmware = "%d.%d.%d" % (body[10], body[11], body[12])
        self.protocol = body[13]
        self.reset_cause = body[14]
        self.open_alarms = body[15]
        self.flash_failed = bool(body[16] & codes.HEARTBEAT_FLASH_FAILED)
        self.wants_time = bool(body[16] & codes.HEARTBEAT_WANTS_TIME)
        self.parts_out = [name for name, flag in PARTS if body[16] & flag]
        self.worn = codes.WORN_UNKNOWN
        self.steps = self.still_minutes = self.settings = -1
        try:
            self._read_tlvs(unpack_tlvs(body[HEARTBEAT_SIZE:]))
        except NotUnderstood:
            pass  # it is alive, and what it is called stands in the fixed bytes

    def _read_tlvs(self, tlvs: "dict[int, bytes]") -> None:
        value = tlvs.get(codes.TLV_ACTIVITY, b"")
        if len(value) == 5:
            self.worn = value[0]
            self.steps = value[1] << 8 | value[2]
            self.still_minutes = value[3] << 8 | value[4]
        value = tlvs.get(codes.TLV_SETTINGS, b"")
        if len(value) == 4:
            self.settings = int.from_bytes(value, "big")


def pack_activity(worn: int, steps: int, still_minutes: int) -> bytes:
    """The value of TLV_ACTIVITY, 5 bytes."""
    still = min(still_minutes, 0xFFFF)
    return bytes([worn, steps >> 8 & 0xFF, steps & 0xFF, still >> 8, still & 0xFF])


def pack_answer(stage: int, number: int, reason: int) -> bytes:
    """An answer body: 5 bytes."""
    buf = bytearray(ANSWER_SIZE)
    buf[0] = stage
    _put_number(buf, 1, number)
    buf[4] = reason
    return bytes(buf)


class Answer:
    """What became of event `number`; stage HEARD with number 0 says only: your hello was heard."""

    def __init__(self, body: "bytes | bytearray") -> None:
        """Read an answer body. Raises NotUnderstood when it is too short."""
        if len(body) < ANSWER_SIZE:
            raise NotUnderstood("answer body shorter than 5 bytes")
        self.stage = body[0]
        self.number = _number(body, 1)
        self.reason = body[4]


def pack_command(command_id: int, code: int, args: bytes = b"") -> bytes:
    """A command body: id (16 bits), code, arguments."""
    return bytes([command_id >> 8 & 0xFF, command_id & 0xFF, code]) + args


class Command:
    """Something the gateway asks of the wearable. The same `id` twice is done once."""

    def __init__(self, body: "bytes | bytearray") -> None:
        """Read a command body. Raises NotUnderstood when it is too short."""
        if len(body) < COMMAND_SIZE:
            raise NotUnderstood("command body shorter than 3 bytes")
        self.id = body[0] << 8 | body[1]
        self.code = body[2]
        self.args = bytes(body[COMMAND_SIZE:])


def pack_result(command_id: int, status: int) -> bytes:
    """A result body: 3 bytes."""
    return bytes([command_id >> 8 & 0xFF, command_id & 0xFF, status])


def pack_tested(number: int, shown: int, took_ms: int) -> bytes:
    """What follows the result of COMMAND_TEST, 6 bytes: the newest test, what was shown of it, how soon it was taken.

    `took_ms` -1: nobody has it yet.
    """
    buf = bytearray(TESTED_SIZE)
    _put_number(buf, 0, number)
    buf[3] = shown
    code = codes.AGE_UNKNOWN if took_ms < 0 else age_code(took_ms)
    buf[4] = code >> 8
    buf[5] = code & 0xFF
    return bytes(buf)


class Tested:
    """What a wearable says of its newest test: `number` (0: none), the stage `shown`, `took_ms` (-1: not taken)."""

    def __init__(self, more: bytes) -> None:
        """Read what follows a result of COMMAND_TEST. Raises NotUnderstood when it is too short."""
        if len(more) < TESTED_SIZE:
            raise NotUnderstood("tested shorter than 6 bytes")
        self.number = _number(more, 0)
        self.shown = more[3]
        self.took_ms = age_ms(more[4] << 8 | more[5])


class Result:
    """What became of command `id`; `more`: what follows, by command."""

    def __init__(self, body: bytes) -> None:
        """Read a result body. Raises NotUnderstood when it is too short."""
        if len(body) < RESULT_SIZE:
            raise NotUnderstood("result body shorter than 3 bytes")
        self.id = body[0] << 8 | body[1]
        self.status = body[2]
        self.more = bytes(body[RESULT_SIZE:])
