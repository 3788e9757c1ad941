"""The wearable's flash loses power before, in the middle of and after every single write and erase of a life.

Owns which lives on which interpreter, and the sorting of what was broken. Must not know chips nor firmware: the life,
the cuts and the checks run on MicroPython itself (tests/firmware/flash_cuts.py), on its own littlefs. After each cut
the application is started as on a device, pressed, cut a second time on the way, and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

from hil_tests import micropython
from hil_tests.child import ROOT
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.micropython.errors import BuildFailed

_PROGRAM = ROOT / "tests" / "firmware" / "flash_cuts.py"
_PATHS = (ROOT / "firmware", ROOT, _PROGRAM.parent)
# Commits made before the life begins. Near 640 littlefs moves its root to other blocks in the middle of it.
_AGES = (0, 640)
_WITHIN_S = 3600.0


class ProgramFailed(Exception):
    """The program on MicroPython ended by itself; the message has what it printed last."""


def _interpreters() -> list[tuple[int, Path]]:
    """(bits, path) of what there is. 32 bits are the boards' object size."""
    found = [(64, micropython.binary())]
    with contextlib.suppress(BuildFailed):
        found.append((32, micropython.binary(32)))
    return found


async def _live(interpreter: Path, age: int, wanted: int, seed: int) -> dict[str, Any]:
    """One life with `wanted` cuts. Raises ProgramFailed, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        *(str(interpreter), "-X", "heapsize=8m", str(_PROGRAM), str(age), str(wanted), str(seed)),
        env={"MICROPYPATH": ":".join([".frozen", *map(str, _PATHS)]), "PATH": os.environ.get("PATH", "")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            said, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    lines = said.decode(errors="replace").splitlines()
    if process.returncode or not lines:
        raise ProgramFailed("\n".join(lines[-20:]) or f"it said nothing and ended with {process.returncode}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def _sort(outcome: Outcome, broken: list[str], life: str) -> None:
    for what in broken:
        known = {"is forgotten": outcome.lost, "nothing says so": outcome.lost, "counter": outcome.twice}
        place = next((found for sign, found in known.items() if sign in what), outcome.wrong)
        place.append(f"{life}: {what}")


async def run(count: int, seed: int, _place: Path) -> Outcome:
    """`count` cuts over all lives, evenly spread over their operations; all there are where `count` is as many."""
    outcome = Outcome()
    lives = [(bits, path, age) for bits, path in await asyncio.to_thread(_interpreters) for age in _AGES]
    starts = second = 0
    for bits, path, age in lives:
        found = await _live(path, age, max(1, count // len(lives)), seed)
        outcome.count += found["cuts"] + found["second_cuts"]
        second += found["second_cuts"]
        starts += found["starts"]
        life = f"{bits} bits, age {age}"
        _sort(outcome, found["broken"], life)
        outcome.figures[life] = f"{found['cuts']} of {found['ways']} ways in {found['operations']} operations"
    outcome.figures["cuts in the start after a cut"] = str(second)
    outcome.figures["starts"] = str(starts)
    return outcome


CAMPAIGN = Campaign(
    "wearable_flash", "the wearable's power cut at a write or erase of its flash", short=240, long=8000, run=run
)
