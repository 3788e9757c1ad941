"""Looks at a process now and then: memory, open files, asyncio tasks. Owns the readings; judges by growth.py.

A process that has died is looked at again in its next life. Linux's /proc; tasks as hil_tests/tasks_told.py tells them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from hil_tests.child import Child
from hil_tests.soak.growth import Growth

_TOLD = '{"log": "tasks"'


class Watch:
    """`child` gives the present life, which may be dead; `every_s` between two looks."""

    def __init__(self, name: str, child: Callable[[], Child], every_s: float, warm_up_s: float) -> None:
        self.name = name
        self.growths = {what: Growth(warm_up_s) for what in ("memory", "files", "tasks")}
        self._child = child
        self._every_s = every_s
        self._warm_up_s = warm_up_s
        self._pid = 0
        self._begun_s = 0.0
        self._read_lines = 0

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(self._every_s)
            # It may be gone, or going, just now.
            with contextlib.suppress(OSError, StopIteration):
                self._look(self._child())

    def _look(self, child: Child) -> None:
        if not child.running:
            return
        if child.pid != self._pid:
            self._pid, self._begun_s, self._read_lines = child.pid, time.monotonic(), 0
        else:
            age_s = time.monotonic() - self._begun_s
            self._take(child, age_s)
            if age_s >= self._warm_up_s:
                # Never a newborn one: it has no handler yet, and would die of it.
                os.kill(child.pid, signal.SIGUSR1)

    def _take(self, child: Child, age_s: float) -> None:
        process = Path(f"/proc/{child.pid}")
        status = (process / "status").read_text(encoding="ascii").splitlines()
        resident = next(line for line in status if line.startswith("VmRSS:"))
        self.growths["memory"].add(child.pid, age_s, float(resident.split()[1]))
        self.growths["files"].add(child.pid, age_s, float(sum(1 for _ in (process / "fd").iterdir())))
        new, self._read_lines = child.lines[self._read_lines :], len(child.lines)
        for line in new:
            if line.startswith(_TOLD):
                self.growths["tasks"].add(child.pid, age_s, float(json.loads(line)["tasks"]))

    def judge(self, most: dict[str, float]) -> tuple[str, list[str]]:
        """Figures, and what has surely grown by more than `most` (kilobytes, files, tasks) while it was watched."""
        grown = {what: growth.surely() for what, growth in self.growths.items()}
        wrong = [
            f"{self.name}: {what} grew by {grown[what]:.0f}, {growth.per_hour()} over {growth.watched_s:.0f} s"
            for what, growth in self.growths.items()
            if grown[what] > most[what]
        ]
        parts = [
            f"memory {self.growths['memory'].per_hour(1000)} MB (most {self.growths['memory'].most / 1000:.0f} MB)"
        ]
        parts += [
            f"{what} {self.growths[what].per_hour()} (most {self.growths[what].most:.0f})"
            for what in ("files", "tasks")
        ]
        return "; ".join(parts), wrong
