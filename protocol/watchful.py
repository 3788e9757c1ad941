"""Bodies of what goes beyond an alarm: prompts and the time (commands), a trail and that it was taken (frames).

Owns: their layouts. Must not know: sealing, what is in a box (box.py), when somebody is asked. Numbers are big endian.
"""

from .messages import NUMBER_MAX, NotUnderstood

PROMPT_SIZE = 6
TIME_SIZE = 6
TRAIL_HEAD_SIZE = 3
TAKEN_SIZE = 4
# A settings box comes in parts: a command has room for so much of it.
PART_HEAD_SIZE = 6
PART_MOST = 224
PARTS_MOST = 4


def pack_prompt(number: int, kind: int, within_s: int, text: int) -> bytes:
    """Arguments of COMMAND_PROMPT: ask the wearer. `kind` PROMPT_*; PROMPT_NONE withdraws prompt `number`.

    `within_s`: how long an answer is waited for. `text`: which text of its kind a screen shows (0: the plain one).
    """
    return bytes([number >> 8 & 0xFF, number & 0xFF, kind, within_s >> 8 & 0xFF, within_s & 0xFF, text])


class Prompt:
    """What the wearer is asked."""

    def __init__(self, args: bytes) -> None:
        """Read the arguments. Raises NotUnderstood when they are too short."""
        if len(args) < PROMPT_SIZE:
            raise NotUnderstood("prompt shorter than 6 bytes")
        self.number = args[0] << 8 | args[1]
        self.kind = args[2]
        self.within_s = args[3] << 8 | args[4]
        self.text = args[5]


def pack_time(unix_s: int, offset_minutes: int) -> bytes:
    """Arguments of COMMAND_TIME: seconds since 1970 (UTC), and how many minutes local time is ahead of it."""
    return unix_s.to_bytes(4, "big") + bytes([offset_minutes >> 8 & 0xFF, offset_minutes & 0xFF])


class Time:
    """What time it is at the gateway, whose clock is synchronised."""

    def __init__(self, args: bytes) -> None:
        """Read the arguments. Raises NotUnderstood when they are too short."""
        if len(args) < TIME_SIZE:
            raise NotUnderstood("time shorter than 6 bytes")
        self.unix_s = int.from_bytes(args[0:4], "big")
        offset = args[4] << 8 | args[5]
        self.offset_minutes = offset - 0x10000 if offset & 0x8000 else offset


def pack_trail(number: int, box: bytes) -> bytes:
    """A TRAIL body: a box of positions. `number`: the event that they belong to, 0 for none."""
    return bytes([number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF]) + box


class Trail:
    """Positions of a wearer, sealed for the platform. `number`: the event that they are news of; 0: of none."""

    def __init__(self, body: bytes) -> None:
        """Read a TRAIL body. Raises NotUnderstood when it is too short."""
        if len(body) <= TRAIL_HEAD_SIZE:
            raise NotUnderstood("trail shorter than 4 bytes")
        self.number = (body[0] << 16 | body[1] << 8 | body[2]) & NUMBER_MAX
        self.box = bytes(body[TRAIL_HEAD_SIZE:])


def pack_taken(sequence: int) -> bytes:
    """A TAKEN body: the box of this sequence is kept here, the wearable may forget it."""
    return sequence.to_bytes(4, "big")


class Taken:
    """Whose box is kept elsewhere now."""

    def __init__(self, body: "bytes | bytearray") -> None:
        """Read a TAKEN body. Raises NotUnderstood when it is too short."""
        if len(body) < TAKEN_SIZE:
            raise NotUnderstood("taken shorter than 4 bytes")
        self.sequence = int.from_bytes(body[0:4], "big")


def parts(version: int, box: bytes) -> "list[bytes]":
    """Arguments of COMMAND_SETTINGS, one for each part of a settings box. Raises ValueError when it is too long."""
    count = max(1, (len(box) + PART_MOST - 1) // PART_MOST)
    if count > PARTS_MOST:
        raise ValueError("a settings box has at most %d bytes" % (PARTS_MOST * PART_MOST))
    head = version.to_bytes(4, "big")
    return [head + bytes([i, count]) + box[i * PART_MOST : (i + 1) * PART_MOST] for i in range(count)]


class Part:
    """One part of a settings box: `index` of `count`."""

    def __init__(self, args: bytes) -> None:
        """Read the arguments. Raises NotUnderstood when they are too short or say what cannot be."""
        if len(args) < PART_HEAD_SIZE or not args[4] < args[5] <= PARTS_MOST:
            raise NotUnderstood("no part of settings")
        self.version = int.from_bytes(args[0:4], "big")
        self.index = args[4]
        self.count = args[5]
        self.data = bytes(args[PART_HEAD_SIZE:])
