"""What the platform says to the gateway: any bytes in, typed records or NotUnderstood out.

Owns the reading of down messages (contract: protocol/platform/). Whatever the broker delivers is as untrusted as the
radio: sizes, types and values are checked before anything is believed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from protocol import codes
from protocol.box import SEQUENCE_MAX
from protocol.frame import FRAME_MAX, OVERHEAD

_EVENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{6}", re.ASCII)
# What goes back to the platform and into logs: printable ASCII.
_COMMAND = re.compile(r"[ -~]{1,64}", re.ASCII)
_HANDLE = re.compile(r"[0-9a-f]{16}", re.ASCII)
# bytes.fromhex takes spaces and capitals, too.
_ROLLING_ID = _HANDLE
_FRAME = re.compile(rf"([0-9a-f]{{2}}){{{OVERHEAD},{FRAME_MAX}}}", re.ASCII)
_STAGES = {
    "accepted": codes.ACCEPTED,
    "answered": codes.ANSWERED,
    "closed": codes.CLOSED,
    "busy": codes.BUSY,
    "refused": codes.REFUSED,
}
_REASONS = {
    "unknown_wearable": codes.REASON_UNKNOWN_WEARABLE,
    "revoked": codes.REASON_REVOKED,
    "not_understood": codes.REASON_NOT_UNDERSTOOD,
}
# A message larger than this is no answer of ours: 50 answers take 8 KiB.
SIZE_MAX = 256 * 1024
_RETRY_AFTER_MOST_S = 600.0
# Of a command that does not say, and at most.
_SECONDS = {"locate": (10, 60), "look": (600, 3600)}
_EXPIRES_S = 3600.0
_EXPIRES_MOST_S = 7 * 86400


class NotUnderstood(Exception):
    """A down message that is not of the contract."""


@dataclass(frozen=True, slots=True)
class PlatformAnswer:
    """What became of one event at the platform."""

    wearable: str
    number: int
    stage: int
    reason: int
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class StrangerFrame:
    """A sealed frame for whoever asked under `rolling_id`. Unreadable here."""

    rolling_id: bytes
    frame: bytes


@dataclass(frozen=True, slots=True)
class PlatformCommand:
    """Something the platform asks of this gateway, or of one of its wearables.

    Not `understood`: it has an id, so it can be answered, and something else of it is not of the contract.
    """

    command: str
    name: str
    wearable: str | None
    seconds: int
    expires_s: float
    understood: bool


def _read(payload: bytes) -> dict[str, Any]:
    if len(payload) > SIZE_MAX:
        raise NotUnderstood("size")
    try:
        # Of bytes, json would also read UTF-16, UTF-32 and surrogates.
        message = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("json") from error
    # True is 1 to Python, and is none to JSON.
    if not isinstance(message, dict) or message.get("v") != 1 or isinstance(message["v"], bool):
        raise NotUnderstood("version")
    return message


def _rows(message: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = message.get(name)
    if not isinstance(rows, list):
        raise NotUnderstood(name)
    return [row for row in rows if isinstance(row, dict)]


def _number(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return float(value)


def _whole(value: object, least: int, most: int) -> int | None:
    """A whole number within limits, also when JSON writes it as 10.0."""
    number = _number(value, most)
    return int(number) if number is not None and number >= least and number.is_integer() else None


def read_answers(payload: bytes) -> list[PlatformAnswer]:
    """down/answer. Rows that are not of the contract are left out; the rest of the message still counts."""
    answers = []
    for row in _rows(_read(payload), "answers"):
        event, stage = row.get("event"), row.get("answer")
        if not isinstance(event, str) or not _EVENT.fullmatch(event):
            continue
        if not isinstance(stage, str) or stage not in _STAGES:
            continue
        code = _reason(row.get("reason")) if stage == "refused" else codes.REASON_NONE
        retry_after_s = _number(row.get("retry_after_s"), _RETRY_AFTER_MOST_S)
        answers.append(PlatformAnswer(event[:16], int(event[17:], 16), _STAGES[stage], code, retry_after_s))
    return answers


def _reason(word: object) -> int:
    return _REASONS.get(word, codes.REASON_OTHER) if isinstance(word, str) else codes.REASON_OTHER


def read_strangers(payload: bytes) -> list[StrangerFrame]:
    """down/stranger. Frames of impossible size are left out."""
    found = []
    for row in _rows(_read(payload), "frames"):
        rolling_id, sealed = row.get("rid"), row.get("frame")
        if not isinstance(rolling_id, str) or not _ROLLING_ID.fullmatch(rolling_id):
            continue
        if not isinstance(sealed, str) or not _FRAME.fullmatch(sealed):
            continue
        frame = bytes.fromhex(sealed)
        if frame[0] & 0x0F >= 8:
            found.append(StrangerFrame(bytes.fromhex(rolling_id), frame))
    return found


def read_taken(payload: bytes) -> list[tuple[str, int]]:
    """down/trail: wearable and sequence of each box that the platform has. Rows not of the contract are left out."""
    taken = []
    for row in _rows(_read(payload), "taken"):
        wearable, sequence = row.get("wearable"), _whole(row.get("sequence"), 0, SEQUENCE_MAX)
        if isinstance(wearable, str) and _HANDLE.fullmatch(wearable) and sequence is not None:
            taken.append((wearable, sequence))
    return taken


def read_alive(payload: bytes, gateway: str) -> None:
    """down/alive: nothing in it but that it is one, and ours. Raises NotUnderstood."""
    if _read(payload).get("gateway") != gateway:
        raise NotUnderstood("gateway")


def read_command(payload: bytes) -> PlatformCommand:
    """down/command. Raises NotUnderstood when it has no usable id: then there is nothing to answer to."""
    message = _read(payload)
    command, name, wearable = message.get("command"), message.get("name"), message.get("wearable")
    if not isinstance(command, str) or not _COMMAND.fullmatch(command):
        raise NotUnderstood("command")
    handle = wearable if isinstance(wearable, str) and _HANDLE.fullmatch(wearable) else None
    args = message.get("args", {})
    default, most = _SECONDS.get(name if isinstance(name, str) else "", _SECONDS["locate"])
    seconds = _whole(args.get("seconds", default), 1, most) if isinstance(args, dict) else None
    expires_s = _number(message.get("expires_s", _EXPIRES_S), _EXPIRES_MOST_S)
    understood = handle == wearable and seconds is not None and expires_s is not None
    return PlatformCommand(
        command,
        name if isinstance(name, str) else "",
        handle,
        seconds if seconds is not None else default,
        expires_s if expires_s is not None else _EXPIRES_S,
        understood,
    )
