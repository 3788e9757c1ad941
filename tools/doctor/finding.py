"""What a check found: a code, how bad it is, and the names that its two sentences need.

Owns the order of harm. The sentences are in the catalogue: `doctor.found.<code>` and, for what is wrong,
`doctor.remedy.<code>`. Must not know how anything is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# No alarm gets through; alarms may get lost or come late; the next failure would hurt; nothing wrong.
DEADLY, HARMFUL, WEAK, GOOD = 1, 2, 3, 4
LEVELS = {DEADLY: "deadly", HARMFUL: "harmful", WEAK: "weak", GOOD: "good"}


class Key(str):
    """A name that is a key of the catalogue: people read its sentence, programs its last word."""

    __slots__ = ()


@dataclass(frozen=True)
class Finding:
    """One thing found. `check`: the part looked at; `harm`: DEADLY to GOOD; `unsure`: it could not be looked at."""

    check: str
    code: str
    harm: int
    names: dict[str, Any] = field(default_factory=dict)
    unsure: bool = False

    @property
    def wrong(self) -> bool:
        """Whether a person has something to do."""
        return self.harm < GOOD


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; among equals in the order of the checks, which is that of a frame's way."""
    return sorted(findings, key=lambda finding: finding.harm)
