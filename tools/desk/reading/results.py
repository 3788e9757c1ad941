"""up/result, read: what became of a command. Does no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message

_RESULTS = ("done", "expired", "refused", "queued")
_REASON_MAX = 64


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a gateway says of a command."""

    command: str
    area: str
    gateway: str
    result: str
    reason: str | None


def read_result(message: Message) -> tuple[CommandResult, list[Fault]]:
    """Read up/result. Raises NotUnderstood."""
    said, faults = envelope.opened(message)
    command = fields.text(said, "command", 64)
    result = fields.one_of(said, "result", _RESULTS)
    reason = None if said.get("reason") is None else fields.text(said, "reason", _REASON_MAX)
    return CommandResult(command, message.area, message.gateway, result, reason), faults
