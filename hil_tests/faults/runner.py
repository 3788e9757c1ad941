"""Finds the campaigns and runs one. Owns that nothing one of them does keeps another from running.

A campaign is the `CAMPAIGN` of any module of this package. Must not know what they hurt, nor how they are shown.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hil_tests import faults
from hil_tests.faults.campaign import Campaign, Outcome

_TRACE_LINES = 60


@dataclass(frozen=True)
class Verdict:
    """One campaign, run or skipped. `broke`: the trace of what ended it before it could say what it found, or ""."""

    campaign: Campaign
    asked: int
    seed: int
    took_s: float
    outcome: Outcome
    broke: str = ""
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran to its end, hurt something and found nothing."""
        return not self.broke and not self.skipped and self.outcome.passed

    @property
    def failed(self) -> bool:
        """Whether somebody must look at it; what was skipped has neither passed nor failed."""
        return not self.skipped and not self.passed


def discover(folder: Sequence[str] = tuple(faults.__path__), package: str = faults.__name__) -> list[Campaign]:
    """Every campaign there is, by name. One that cannot be imported is in the list, and fails with the reason."""
    found: list[Campaign] = []
    for module in pkgutil.iter_modules(folder):
        # Asked of its text first: what is no campaign (the command itself, support) is not run to find that out.
        if module.ispkg or "\nCAMPAIGN" not in Path(folder[0], f"{module.name}.py").read_text(encoding="utf-8"):
            continue
        try:
            found.append(importlib.import_module(f"{package}.{module.name}").CAMPAIGN)
        except (ImportError, SyntaxError, NameError, AttributeError, TypeError) as error:
            found.append(_unloadable(module.name, error))
    return sorted(found, key=lambda campaign: campaign.name)


def _unloadable(name: str, error: Exception) -> Campaign:
    async def run(_count: int, _seed: int, _place: Path) -> Outcome:
        raise error

    return Campaign(name, f"(hil_tests/faults/{name}.py cannot be loaded)", short=1, long=1, run=run)


async def hurt(campaign: Campaign, count: int, seed: int, place: Path) -> Verdict:
    """Run one campaign over `count` hurts in the empty directory `place`. Only being cancelled ends it early."""
    why = campaign.skip()
    if why:
        return Verdict(campaign, count, seed, 0.0, Outcome(), skipped=why)
    begun_s = time.monotonic()
    # As a task: what it raises is then a result like another, whatever its type.
    work = asyncio.ensure_future(campaign.run(count, seed, place))
    try:
        await asyncio.wait({work})
    finally:
        # Interrupted: it takes down what it has built before its directory goes.
        work.cancel()
        await asyncio.wait({work})
    took_s = time.monotonic() - begun_s
    if work.cancelled():
        return Verdict(campaign, count, seed, took_s, Outcome(), broke="it cancelled itself")
    error = work.exception()
    if error is not None:
        return Verdict(campaign, count, seed, took_s, Outcome(), broke=_trace(error))
    return Verdict(campaign, count, seed, took_s, work.result())


def _trace(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(lines[-_TRACE_LINES:])
