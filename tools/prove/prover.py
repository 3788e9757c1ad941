"""Proves a home: asks the technician for each press; gateway, platform and wearables for what came of it.

Owns what is waited for, how long, and what follows from what. Nothing is assumed: a stage counts when the gateway was
told it, and what the wearer saw when the wearable says so. Must not know how it is shown, nor what a report is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from edge_daemon.errors import Refusal
from tools.control import client
from tools.prove.lines import FAILED, NOT_TESTED, OF_WEARABLE, PASSED, Line, gateway_lines
from tools.walk_test.arming import Arming
from tools.walk_test.presses import Press, Presses

# The desk answers a test after 2 s and closes it 4 s later; each word has the way there and back, twice.
_STAGE_WITHIN_S = 30.0
# CLOSED takes a second to be shown, and the wearable may have to be met again, which it calls for every 30 s.
_SEEN_AFTER_S = 1.5
_SEEN_WITHIN_S = 60.0
_ASK_WITHIN_S = 4.0
_LOOK_EVERY_S = 1.0
_MAINS_LOST_AFTER_S = 60.0
_WAY_WITHIN_S = {"primary": 90.0, "backup": 90.0, "sms": 600.0}

T = TypeVar("T")


class Teller(Protocol):
    """Whoever shows it."""

    def begin(self, about: str, check: str) -> None:
        """This is waited for now; a person may have to do something."""

    def line(self, line: Line) -> None:
        """This is known."""

    def alarm(self, wearable: str) -> None:
        """A real alarm in the middle of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`hand_s`: how long a person has for what is asked of him. `cancels`, `mains`: whether these are proved, too."""

    wearables: list[str]
    hand_s: float
    cancels: bool
    mains: bool


class Prover:
    """`run` once. Raises Refusal when the gateway goes away."""

    def __init__(self, socket: Path, wanted: Wanted, teller: Teller) -> None:
        self._socket = socket
        self._wanted = wanted
        self._teller = teller
        self._presses = Presses()
        self._faults: list[tuple[int, str]] = []
        self._news = asyncio.Event()
        self._begun = asyncio.Event()
        self.lines: list[Line] = []

    async def run(self) -> None:
        """Prove everything; `lines` has what is known, whenever it ends."""
        watching = asyncio.create_task(self._watch())
        proving = asyncio.create_task(self._prove())
        try:
            await asyncio.wait({watching, proving}, return_when=asyncio.FIRST_COMPLETED)
            if not proving.done():
                watching.result()
                raise Refusal("prove.gateway_gone", socket=self._socket)
            proving.result()
        finally:
            for task in (watching, proving):
                task.cancel()
            await asyncio.gather(watching, proving, return_exceptions=True)

    async def _watch(self) -> None:
        async with contextlib.aclosing(client.watch(self._socket)) as lines:
            async for line in lines:
                if line["saw"] == "begun":
                    self._begun.set()
                elif line["saw"] == "fault":
                    self._faults.append((line["at_ms"], line["kind"]))
                elif line["saw"] == "heard" and line.get("class") == "emergency":
                    self._teller.alarm(line["wearable"])
                self._presses.take(line)
                self._news.set()

    async def _prove(self) -> None:
        await self._begun.wait()
        # A gateway tells of mains when they have been away for a minute: whoever pulled the plug presses meanwhile.
        beside = [asyncio.create_task(self._ways()), asyncio.create_task(self._mains())]
        arming = Arming(self._socket, self._wanted.wearables)
        try:
            async with arming:
                await asyncio.gather(*(self._wearable(handle, arming) for handle in self._wanted.wearables))
            await asyncio.gather(*beside)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        for handle in self._wanted.wearables:
            over = handle not in arming.still_armed
            self._say(Line(handle, "ended", PASSED if over else FAILED, "" if over else "still_armed"))
        await self._gateway()

    # ---- a wearable ----

    async def _wearable(self, handle: str, arming: Arming) -> None:
        self._teller.begin(handle, "armed")
        if not await arming.confirmed(handle, self._wanted.hand_s):
            self._fail_from(handle, "armed", "not_armed")
            return
        self._say(Line(handle, "armed", PASSED))
        since_ms = _now_ms()
        self._teller.begin(handle, "pressed")
        press = await self._made(handle, since_ms, taken_back=False)
        if press is None:
            self._fail_from(handle, "pressed", "not_pressed")
            return
        self._say(Line(handle, "pressed", PASSED, facts={"number": press.number, "link": press.link}))
        for stage in ("stored", "accepted", "answered", "closed"):
            self._teller.begin(handle, stage)
            at_ms = await self._stage(press, stage)
            if at_ms is None:
                self._fail_from(handle, stage, "no_" + stage)
                return
            self._say(Line(handle, stage, PASSED, facts={"ms": max(at_ms - press.pressed_ms, 0)}))
        await self._seen(press, arming)
        await self._cancelled(handle, arming)

    async def _made(self, handle: str, since_ms: int, *, taken_back: bool) -> Press | None:
        """A test press of this wearable, or one that takes a test back, made since then."""

        def look() -> Press | None:
            found = (
                press
                for press in self._presses.all
                if press.wearable == handle and press.pressed_ms >= since_ms and bool(press.detail) == taken_back
            )
            return next(found, None)

        return await self._until(look, self._wanted.hand_s)

    async def _seen(self, press: Press, arming: Arming) -> None:
        """What the wearable itself says it has shown, once the last stage has had its time."""
        self._teller.begin(press.wearable, "seen")
        await asyncio.sleep(_SEEN_AFTER_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SEEN_WITHIN_S):
                while press.shown != "closed":
                    with contextlib.suppress(Refusal):
                        for row in await arming.again([press.wearable], within_s=_ASK_WITHIN_S):
                            self._presses.tell(row)
                    if press.shown != "closed":
                        await asyncio.sleep(_LOOK_EVERY_S)
        seen = press.shown == "closed"
        facts = {"shown": press.shown, "took_ms": press.took_ms}
        self._say(Line(press.wearable, "seen", PASSED if seen else FAILED, "" if seen else "not_seen", facts))

    async def _cancelled(self, handle: str, arming: Arming) -> None:
        if not self._wanted.cancels:
            self._say(Line(handle, "cancelled", NOT_TESTED, "left_out"))
            return
        arming.practise_cancel(handle, wanted=True)
        # Before it has said so, three presses are a real alarm.
        if not await arming.confirmed(handle, self._wanted.hand_s):
            self._say(Line(handle, "cancelled", FAILED, "not_armed"))
            return
        since_ms = _now_ms()
        self._teller.begin(handle, "cancelled")
        cancel = await self._made(handle, since_ms, taken_back=True)
        stored = cancel is not None and await self._stage(cancel, "accepted") is not None
        arming.practise_cancel(handle, wanted=False)
        with contextlib.suppress(Refusal):
            await arming.again([handle], within_s=_ASK_WITHIN_S)
        reason = "" if stored else "no_cancel" if cancel is None else "no_accepted"
        self._say(Line(handle, "cancelled", PASSED if stored else FAILED, reason))

    async def _stage(self, press: Press, stage: str) -> int | None:
        """When this stage was told of a press; None: it was not in time."""
        return await self._until(lambda: press.stages.get(stage), _STAGE_WITHIN_S)

    def _fail_from(self, handle: str, check: str, reason: str) -> None:
        """This failed; what would have followed from it was not tested."""
        self._say(Line(handle, check, FAILED, reason))
        for later in OF_WEARABLE[OF_WEARABLE.index(check) + 1 : -1]:
            self._say(Line(handle, later, NOT_TESTED, "before"))

    # ---- the ways out ----

    async def _ways(self) -> None:
        began_s = time.monotonic()
        names = (await self._ask("path_test"))["ways"]
        for name in names:
            self._teller.begin(name, "carried")
        while names:
            status = await self._ask("status")
            took_s = time.monotonic() - began_s
            for way in [way for way in status["ways"] if way["name"] in names]:
                line = _way(way, took_s)
                if line is not None:
                    names.remove(way["name"])
                    self._say(line)
            await asyncio.sleep(_LOOK_EVERY_S)

    # ---- the gateway ----

    async def _gateway(self) -> None:
        for line in gateway_lines(await self._ask("status"), time.time_ns() // 1_000_000):
            self._say(line)

    async def _mains(self) -> None:
        """Pulled and put back by a person, and told by the gateway as what it is."""
        supplies = await self._supplies()
        why = "no_ups" if not supplies else "" if self._wanted.mains else "left_out"
        if why:
            for check in ("mains_pulled", "mains_back"):
                self._say(Line("gateway", check, NOT_TESTED, why))
            return
        facts, since_ms = {"supplies": list(supplies)}, _now_ms()
        self._teller.begin("gateway", "mains_pulled")
        # The gateway tells it when they have been away for a minute.
        lost = await self._until(lambda: self._lost_mains(since_ms), self._wanted.hand_s + _MAINS_LOST_AFTER_S)
        self._say(Line("gateway", "mains_pulled", *((PASSED, "") if lost else (FAILED, "not_pulled")), facts))
        if not lost:
            self._say(Line("gateway", "mains_back", NOT_TESTED, "before"))
            return
        self._teller.begin("gateway", "mains_back")
        # That they are back for good it tells after five minutes; that it sees them, at once.
        back = await self._mains_seen()
        self._say(Line("gateway", "mains_back", *((PASSED, "") if back else (FAILED, "not_back")), facts))

    async def _supplies(self) -> dict[str, bool]:
        """The sources that say whether there are mains, and what each says."""
        power = (await self._ask("status"))["power"]
        return {each["name"]: each["mains"] for each in power if each["answers"] and each["mains"] is not None}

    async def _mains_seen(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wanted.hand_s):
                while not all((await self._supplies()).values()):
                    await asyncio.sleep(_LOOK_EVERY_S)
                return True
        return False

    def _lost_mains(self, since_ms: int) -> bool:
        return any(kind == "mains_lost" and at_ms >= since_ms for at_ms, kind in self._faults)

    # ---- waiting ----

    async def _ask(self, what: str) -> dict[str, Any]:
        return await asyncio.to_thread(client.ask, self._socket, {"ask": what})

    async def _until(self, look: Callable[[], T | None], within_s: float) -> T | None:
        """What `look` finds, as soon as it finds something; None: it did not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (found := look()):
                    self._news.clear()
                    await self._news.wait()
                return found
        return None

    def _say(self, line: Line) -> None:
        self.lines.append(line)
        self._teller.line(line)


def _way(way: dict[str, Any], took_s: float) -> Line | None:
    """What a way's state says of the test that began so long ago; None: nothing yet."""
    if way["test_under_way"] and took_s < _WAY_WITHIN_S[way["name"]]:
        return None
    if way["last_test_age_s"] is not None and way["last_test_age_s"] <= took_s:
        return Line(way["name"], "carried", PASSED)
    if took_s >= _WAY_WITHIN_S[way["name"]] or way["test_failed"]:
        return Line(way["name"], "carried", FAILED, "not_carried", {"why": way["test_failed"]})
    return None


def _now_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
