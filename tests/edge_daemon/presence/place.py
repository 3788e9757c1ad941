"""A home with presence in it: the real middle of the gateway, a clock whose hands the test moves, plans by handle."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from edge_daemon.ages import Ages
from edge_daemon.care import plan as care_plan
from edge_daemon.heard import Alarm
from edge_daemon.presence.presence import Presence
from tests.edge_daemon.core import Core, core
from tests.edge_daemon.test_following import row
from tests.edge_daemon.test_supervision import Hands
from tests.edge_daemon.wearer import Wearer

ANNA, BADGE = Wearer("anna"), Wearer("badge")
HERE = ("badge_arrived", BADGE.handle, "")


def left(note: str) -> tuple[str, str, str]:
    return "badge_left", BADGE.handle, note


def plan(
    after_min: int = 65,
    *,
    tell: bool = True,
    presence: bool = True,
    who: str = "older",
    away: tuple[str, str] | None = None,
) -> care_plan.Plan:
    rule = {"away_after_min": after_min, "tell": tell} if presence else None
    whole = {
        "v": 1,
        "beneficiary": who,
        "centre": "jinjiang-3",
        "timezone": "Asia/Shanghai",
        "away": None if away is None else {"from": away[0], "until": away[1]},
        "checkins": [],
        "inactivity": None,
        "presence": rule,
        "retention_days": 30,
    }
    return care_plan.read(json.dumps(whole).encode())


class Hand(Hands):
    """Its wall clock goes by the hands, too."""

    def wall_ms(self) -> int:
        return self.wall_at(self.now_ms())


class Place:
    """`minutes` passes time as it passes: in steps, with a look at each."""

    def __init__(self, gateway: Core, clock: Hand, state_dir: Path, plans: dict[str, care_plan.Plan]) -> None:
        self.gateway = gateway
        self.clock = clock
        self.plans = plans
        self.faults = gateway.faults
        self.ages = Ages(gateway.journal, clock)
        # The serial lines that are open.
        self.lines: list[str] = []
        parts = gateway.enrolled, gateway.faults, self.ages, plans.get, self._believed_ms, lambda: bool(self.lines)
        self.presence = Presence(state_dir, *parts)
        self._number = 0

    def _believed_ms(self) -> int | None:
        return self.clock.wall_ms() if self.clock.good else None

    def minutes(self, minutes: float) -> None:
        for _ in range(round(minutes * 2)):
            self.clock.at_s += 30
            self.presence.look()

    def beats(self, handle: str, hours: float, every_min: float = 30, link: str = "ble") -> None:
        for _ in range(round(hours * 60 / every_min)):
            self.minutes(every_min)
            self.presence.heard(handle, link)

    def press(self, kind: int, age_min: float = 0, who: Wearer = BADGE, *, known: bool = True, **more: bool) -> None:
        """An event as intake has it: the frame is genuine, then the alarm is stored."""
        self.presence.heard(who.handle, "ble")
        self._number += 1
        age_ms = int(age_min * 60_000) if known else -1
        now_ms = self.clock.now_ms()
        alarm = Alarm(
            who.handle, self._number, kind, 0, age_ms, 100, more.get("at_least", False), 80, "ble", -60,
            self.clock.boot_id, now_ms, self.clock.wall_at(now_ms), b"\x01" if more.get("raw") else None,
        )  # fmt: skip
        self.presence.event(alarm)

    async def said(self) -> list[tuple[str, str, str]]:
        await asyncio.gather(*self.faults._tasks)
        own = sorted((alarm.number, alarm) for alarm in self.gateway.journal.alarms.values() if alarm.of_gateway)
        return [(alarm.meaning.name, alarm.about, alarm.note) for _, alarm in own]


@contextlib.asynccontextmanager
async def place(
    path: Path,
    clock: Hand,
    plans: dict[str, care_plan.Plan] | None = None,
    *,
    written: bool = True,
    looked: bool = True,
) -> AsyncIterator[Place]:
    """A run of the daemon over `path`: Anna at home, and a badge.

    `written`: the file is written at its end; `looked`: it has been looked at its begin.
    """
    async with core(path, clock=clock) as gateway:
        gateway.enrolled.put(row(ANNA))
        gateway.enrolled.put(row(BADGE, "worker"))
        here = Place(gateway, clock, path, {ANNA.handle: plan()} if plans is None else plans)
        here.ages.note()
        if looked:
            here.presence.look()
        yield here
        here.ages.note()
        if written:
            await here.presence.write()
        await asyncio.gather(*gateway.faults._tasks)


def reboot(clock: Hand, off_s: float, boot_id: str) -> None:
    """The machine was off for so long; its boot-time clock begins anew, the wall clock goes on."""
    wall_ms = clock.wall_at(clock.now_ms()) + int(off_s * 1000)
    clock.boot_id, clock.at_s = boot_id, 20.0
    clock.offset_ms = wall_ms - clock.now_ms()
