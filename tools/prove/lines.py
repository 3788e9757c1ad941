"""The lines of an acceptance: what was to be shown of whom, and whether it was. Owns the checks and the verdict.

A home is accepted when no line failed. A line that was not tested is neither: it stands there as that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_daemon.clock import iso

PASSED, FAILED, NOT_TESTED = "passed", "failed", "not_tested"

# Of each wearable, in this order. `armed`: it has said that a short press is a test now; `ended`: that it is none.
OF_WEARABLE = ("armed", "pressed", "stored", "accepted", "answered", "closed", "seen", "cancelled", "ended")

_CERTIFICATE_LEFT_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Line:
    """`about`: a wearable's handle, a way's name, or "gateway". `reason`: a catalogue key behind `prove.reason.`."""

    about: str
    check: str
    result: str
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def accepted(lines: list[Line]) -> bool:
    """Whether the home is accepted."""
    return bool(lines) and all(line.result != FAILED for line in lines)


def gateway_lines(status: dict[str, Any], wall_ms: int) -> list[Line]:
    """What the gateway's status says of its clock, disk and certificates."""
    return [
        _line("clock", status["clock"]["synced"], "clock", at=status["clock"]["at"]),
        _disk(status["journal"]),
        _certificates(status["certificates"], wall_ms),
    ]


def _line(check: str, good: bool, reason: str, **facts: Any) -> Line:
    return Line("gateway", check, PASSED if good else FAILED, "" if good else reason, facts)


def _disk(journal: dict[str, Any]) -> Line:
    room = journal["room_bytes"]
    good = journal["trouble"] is None and not journal["short"] and room is not None
    return _line("disk", good, "disk", trouble=journal["trouble"], room_bytes=room)


def _certificates(found: list[dict[str, Any]], wall_ms: int) -> Line:
    if not found:
        return Line("gateway", "certificate", NOT_TESTED, "no_certificate")
    # RFC 3339 in UTC, all of one length: their order as text is that of time.
    first = min(each["ends_at"] for each in found)
    return _line("certificate", first > iso(wall_ms + _CERTIFICATE_LEFT_MS), "certificate", ends_at=first)


Tell = Callable[[Line], None]
