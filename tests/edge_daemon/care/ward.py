"""A gateway's middle with care in it, a clock that the test moves, and a wearable that answers prompts as it is told.

The wearable is one of tests/edge_daemon/wearer.py: all it says and hears is sealed and goes through the real intake.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge_daemon.care.care import Care
from edge_daemon.heard import Alarm
from protocol import box, codes, messages
from protocol.messages import Command, pack_command
from protocol.watchful import Prompt
from tests.edge_daemon.core import WITHIN_S, Core, core
from tests.edge_daemon.schemas import check
from tests.edge_daemon.test_supervision import Hands
from tests.edge_daemon.wearer import Wearer

from .test_plan import PLAN

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
MORNING = {
    "id": "morning",
    "kind": "checkin",
    "at": "08:00",
    "days": EVERY_DAY,
    "answer_within_s": 600,
    "again": 2,
    "text": 0,
}
PILLS = {**MORNING, "id": "pills", "kind": "medicine"}
# No inactivity and no absence unless a test wants them.
BARE = {**PLAN, "away": None, "inactivity": None, "presence": None, "checkins": [MORNING]}


class ShanghaiClock(Hands):
    """Set by a time of day in Shanghai, vouched for."""

    def __init__(self, at: str = "2026-11-28T07:50:00") -> None:
        super().__init__()
        self.set(at)

    def set(self, at: str) -> None:
        """Set the wall clock; the boot-time clock goes on as if nothing were."""
        wall_s = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI).timestamp()
        self.offset_ms = int(wall_s * 1000) - self.now_ms()

    def wall_ms(self) -> int:
        return self.wall_at(self.now_ms())


class Ward:
    """One wearer and the gateway that cares for them. `link`: serial hands over at once, ble only when asked."""

    def __init__(self, gateway: Core, directory: Path, wearer: Wearer, clock: ShanghaiClock, link: str) -> None:
        self.gateway = gateway
        self.wearer = wearer
        self.clock = clock
        self.link = link
        self.care = Care("gw-1", directory, gateway.enrolled, gateway.commands, gateway.faults, clock, gateway.counters)
        self.reports: list[dict[str, Any]] = []
        # Care does not hear of what is stored: it is killed in that moment.
        self.deaf = False
        self.care.report = self._reported
        self.care.alarms = gateway.journal.alarms.values
        gateway.intake.on_genuine = lambda handle, link: self.care.heard(handle)
        gateway.intake.on_heartbeat = lambda handle, beat, heard: self.care.heartbeat(handle, beat)
        self.committed: set[tuple[str, int]] = set()
        gateway.storing.on_commit = lambda alarm, stored: self._committed(alarm)
        gateway.commands.look = self.care.look
        self._read = {"serial": 0, "ble": 0}
        wearer.ble.live = False

    def _reported(self, message: bytes) -> None:
        check("care_state", json.loads(message))
        self.reports += json.loads(message)["rows"]

    def _committed(self, alarm: Alarm) -> None:
        self.committed.add(alarm.key)
        if not alarm.of_gateway and not self.deaf:
            self.care.event(alarm)

    # ---- the gateway ----

    async def start(self) -> None:
        await self.care._begin()
        await self.turn()

    async def turn(self, seconds: float = 0, step_s: float = 30) -> None:
        """Let time pass, and care have its turns."""
        while True:
            step = min(seconds, step_s)
            self.clock.at_s += step
            seconds -= step
            self.gateway.commands.expire()
            for _ in range(2):
                self.care._turn()
                await self.care._keep_and_tell()
            for _ in range(5):
                await asyncio.sleep(0)
            if seconds <= 0:
                return

    def said(self) -> list[tuple[str, str]]:
        """What the gateway has said of this wearer, in order."""
        alarms = sorted(self.gateway.journal.alarms.values(), key=lambda alarm: alarm.place)
        own = [alarm for alarm in alarms if alarm.of_gateway and alarm.about == self.wearer.handle]
        return [(alarm.meaning.name, alarm.note) for alarm in own]

    async def stored(self) -> list[tuple[str, str]]:
        """The same, once all of it is on disk."""
        async with asyncio.timeout(WITHIN_S):
            while any(alarm.stage == codes.HEARD for alarm in self.gateway.journal.alarms.values()):
                await asyncio.sleep(0.01)
        return self.said()

    # ---- the platform ----

    def plan_row(self, version: int, plan: dict[str, Any] | bytes) -> dict[str, Any]:
        content = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
        sealed = box.seal(box.care_key(self.wearer.keys.down), box.CARE, version, os.urandom(8), content)
        return {"version": version, "box": sealed.hex()}

    async def send(self, plan: dict[str, Any] | None = None, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a row and return what is reported of it."""
        row = {"wearable": self.wearer.handle, "plan": plan, "settings": settings}
        check("care", {"v": 1, "rows": [row]})
        count = len(self.reports)
        self.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
        await self.turn()
        assert len(self.reports) > count, "nothing was reported"
        return self.reports[-1]

    async def live_by(self, version: int = 1, **changed: Any) -> None:
        """Have a plan in force."""
        assert (await self.send(self.plan_row(version, {**BARE, **changed})))["result"] == "taken"

    # ---- the wearable ----

    def hears(self) -> list[Command]:
        """The commands that have come since it was last asked."""
        path = self.wearer.path if self.link == "serial" else self.wearer.ble
        frames, self._read[self.link] = path.sent[self._read[self.link] :], len(path.sent)
        opened = [self.wearer.open(frame) for frame in frames]
        return [one for one in opened if isinstance(one, Command)]

    def prompts(self) -> list[tuple[Command, Prompt]]:
        return [(one, Prompt(one.args)) for one in self.hears() if one.code == codes.COMMAND_PROMPT]

    def hello(self) -> None:
        self.gateway.hear(self.wearer, self.wearer.hello(), self.link)

    async def does(self, command: Command, status: int = codes.RESULT_DONE, more: bytes = b"\x01") -> None:
        body = messages.pack_result(command.id, status) + more
        self.gateway.hear(self.wearer, self.wearer.seal(codes.RESULT, body), self.link)
        await self.turn()

    async def shows(self, worn: int = codes.WORN) -> Prompt:
        """It is asked something, and shows it."""
        self.hello()
        # On a line it has been handed over at once, and again with the hello: it is one command all the same.
        prompts = self.prompts()
        assert len({command.id for command, _ in prompts}) == 1
        command, prompt = prompts[-1]
        await self.does(command, more=bytes([worn]))
        return prompt

    async def says(self, kind: int, detail: int = 0, age_s: float = 0) -> None:
        """It sends an event."""
        self.gateway.hear(self.wearer, self.wearer.event(kind, detail=detail, age_ms=int(age_s * 1000)), self.link)
        key = (self.wearer.handle, self.wearer.number)
        async with asyncio.timeout(WITHIN_S):
            while key not in self.committed:
                await asyncio.sleep(0.01)
        await self.turn()

    async def answers(self, detail: int = codes.PROMPT_CHECKIN, age_s: float = 0) -> None:
        await self.says(codes.CHECKIN_ANSWERED, detail, age_s)

    async def beats(
        self, still_min: int = -1, worn: int = codes.WORN, settings: int = -1, steps: int = 0, turn: bool = True
    ) -> None:
        """A heartbeat."""
        body = messages.pack_heartbeat(9, 3900, 80, 100000, (1, 0, 0), 1, 0, 0)
        if still_min >= 0:
            body += bytes([codes.TLV_ACTIVITY, 5]) + messages.pack_activity(worn, steps, still_min)
        if settings >= 0:
            body += bytes([codes.TLV_SETTINGS, 4]) + settings.to_bytes(4, "big")
        self.gateway.hear(self.wearer, self.wearer.seal(codes.HEARTBEAT, body), self.link)
        if turn:
            await self.turn()


def settings_row(version: int, size: int = 60) -> dict[str, Any]:
    sealed = box.seal(b"test_only_trail_", box.SETTINGS, version, os.urandom(8), b"s" * size)
    return {"version": version, "box": sealed.hex()}


def waiting(home: Ward) -> list[tuple[Command, int]]:
    """What waits for the wearable, as it would be handed over."""
    queued = home.gateway.commands._queued.values()
    return [(Command(pack_command(one.wire_id, one.code, one.args)), one.code) for one in queued]


@contextlib.asynccontextmanager
async def ward(
    directory: Path,
    *,
    clock: ShanghaiClock | None = None,
    wearer: Wearer | None = None,
    link: str = "serial",
    others: tuple[Wearer, ...] = (),
) -> AsyncIterator[Ward]:
    """A gateway over `directory`, killed at the end: nothing of it is written that was not."""
    clock, wearer = clock or ShanghaiClock(), wearer or Wearer()
    async with core(directory, wearer, *others, clock=clock) as gateway:
        made = Ward(gateway, directory, wearer, clock, link)
        await made.start()
        made.hello()
        made.hears()
        yield made
