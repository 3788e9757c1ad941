"""up/care, read, and a row of care as it is posted to the desk. Does no I/O and no cryptography."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol import box
from protocol.box import SEQUENCE_MAX
from protocol.watchful import PART_MOST, PARTS_MOST
from tools.desk.errors import NotUnderstood
from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message

# The contract, section 6b: a plan of 16 KiB; settings in as many parts as a wearable takes.
_PLAN_MAX = 16 * 1024 + box.OVERHEAD
_SETTINGS_MAX = PARTS_MOST * PART_MOST
_STATES_MAX = 50
_REASON_MAX = 64
_RESULTS = ("taken", "refused")


@dataclass(frozen=True, slots=True)
class Boxed:
    """A plan or settings, sealed, with the version that is the box's sequence."""

    version: int
    box: bytes


@dataclass(frozen=True, slots=True)
class CareRow:
    """What one wearable and its gateways are to live by; None: nothing is said of that half."""

    wearable: str
    plan: Boxed | None
    settings: Boxed | None


@dataclass(frozen=True, slots=True)
class CareState:
    """What a gateway says that it and a wearable live by."""

    wearable: str
    area: str
    gateway: str
    plan_version: int | None
    settings_version: int | None
    result: str
    reason: str | None
    said_ms: int


def read_row(said: dict[str, Any]) -> CareRow:
    """A row of down/care, at least one half of it. Raises NotUnderstood."""
    plan, settings = _boxed(said, "plan", box.CARE, _PLAN_MAX), _boxed(said, "settings", box.SETTINGS, _SETTINGS_MAX)
    if plan is None and settings is None:
        raise NotUnderstood("plan")
    return CareRow(str(fields.match(said, "wearable", fields.HANDLE)), plan, settings)


def _boxed(said: dict[str, Any], name: str, purpose: int, most: int) -> Boxed | None:
    if said.get(name) is None:
        return None
    part = fields.an_object(said[name])
    sealed = bytes.fromhex(str(fields.match(part, "box", fields.HEX)))
    version = fields.whole(part, "version", 0, SEQUENCE_MAX)
    if not box.OVERHEAD <= len(sealed) <= most or sealed[0] != purpose or box.sequence(sealed) != version:
        raise NotUnderstood(name)
    return Boxed(version, sealed)


def read_states(message: Message) -> tuple[list[CareState], list[Fault]]:
    """Read up/care. Raises NotUnderstood."""
    said, faults = envelope.opened(message)
    states, left_out = envelope.rows(message, said, "rows", lambda row: _state(message, row))
    return states[:_STATES_MAX], faults + left_out


def _state(message: Message, row: dict[str, Any]) -> CareState:
    return CareState(
        wearable=str(fields.match(row, "wearable", fields.HANDLE)),
        area=message.area,
        gateway=message.gateway,
        plan_version=fields.whole_or_null(row, "plan_version", 0, SEQUENCE_MAX),
        settings_version=fields.whole_or_null(row, "settings_version", 0, SEQUENCE_MAX),
        result=fields.one_of(row, "result", _RESULTS),
        reason=None if row.get("reason") is None else fields.text(row, "reason", _REASON_MAX),
        said_ms=message.received_ms,
    )
