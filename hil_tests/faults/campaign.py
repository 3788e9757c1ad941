"""What a campaign is and what it finds. Owns the two records and the verdict; must not know what is hurt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Outcome:
    """What a campaign has found over `count` hurts. Whatever stands in one of the three lists makes it fail.

    `lost`: promised and not there. `twice`: one event, two incidents. `wrong`: anything else that was not to happen.
    `figures`: what it measured, by name, for the table.
    """

    count: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it hurt something at all and found nothing."""
        return self.count > 0 and not (self.lost or self.twice or self.wrong)


# (how many hurts, seed, an empty directory of its own) -> what it found.
Run = Callable[[int, int, Path], Awaitable[Outcome]]


@dataclass(frozen=True)
class Campaign:
    """One way to hurt the system. `short`: the hurts of the slice that CI runs, `long`: of the whole campaign.

    `skip`: why it cannot run on this machine, or "" (asked when it is about to run).
    """

    name: str
    hurt: str
    short: int
    long: int
    run: Run
    skip: Callable[[], str] = lambda: ""
