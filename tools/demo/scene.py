"""The demo's scene: a house with one pendant on BLE, one on a serial line and a watch on BLE, and what happens in it.

Owns the three wearables, the presses, the taps and the operator's hand. Must not know terminal or browser: it calls
`tell` with each stage that a wearer is shown, and `changed` after anything else worth drawing.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from hil_tests.desk.process import DeskFailed
from hil_tests.gateway.steered_clock import vouched
from hil_tests.house import House
from hil_tests.wearable.process import HOLD_MS, PRESS_MS, WearableProcess
from tools.demo.care import Care
from tools.demo.stages import Presses, Shown
from tools.demo.watch import HEAP, Watch, environment
from tools.messages import Messages

_LOOK_EVERY_S = 0.05
_LINKS = ("ble", "serial")


WATCH = "watch"


@dataclass
class Worn:
    """One wearable of the demo; `link` is the only way its frames can go. `watch`: its glass, where it has one."""

    name: str
    link: str
    wearable: WearableProcess
    watch: Watch | None = None


class Scene:
    """Open it with `async with Scene.open(...)`: then all of them take presses."""

    def __init__(self, house: House, words: Messages, tell: Callable[[Shown], None]) -> None:
        self.house = house
        self.words = words
        self.presses = Presses()
        self.worn: list[Worn] = []
        # Of the watch's wearer.
        self.care: Care
        self.changed: Callable[[], None] = lambda: None
        self._tell = tell
        self._watching: list[asyncio.Task[None]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        keep: str | None,
        words: Messages,
        tell: Callable[[Shown], None],
        desk_port: int | None = None,
        *,
        settled: bool = True,
    ) -> AsyncIterator[Scene]:
        """Build the house, open everything in it, and take it down in the end. `keep`: a directory that stays.

        `settled`: the watch has its wearer's settings first, so its language; that takes some seconds.
        """
        with tempfile.TemporaryDirectory(prefix="pingan-demo-") as temporary:
            house = await House.build(Path(keep or temporary).absolute())
            scene = cls(house, words, tell)
            try:
                await scene._furnish(desk_port, settled=settled)
                yield scene
            finally:
                for task in scene._watching:
                    task.cancel()
                await asyncio.gather(*scene._watching, return_exceptions=True)
                await house.leave()

    async def _furnish(self, desk_port: int | None, *, settled: bool) -> None:
        desk = asyncio.create_task(self.house.open_desk("--lang", self.words.lang, port=desk_port))
        try:
            for link in _LINKS:
                name = f"pendant-{link}"
                wearable = await self.house.add_wearable(name, ble=link == "ble", serial=link == "serial")
                self.worn.append(Worn(name, link, wearable))
            screen = self.house.directory / "watch.screen"
            wearable = await self.house.add_wearable(WATCH, heap=HEAP, environment=environment(screen))
            worn = Worn(WATCH, "ble", wearable, Watch(wearable, screen))
            self.worn.append(worn)
            self.watch.tapped = lambda: self._tapped(worn)
        finally:
            await desk
        # After the desk, which so hears from the beginning whom it hears, and sends it their care at once.
        await self.house.open_gateway(clock=vouched(self.house.directory))
        self.care = Care(self.house.desk, wearable)
        if settled:
            await self.care.begin(self.words.lang)
        await self.watch.lit()
        self._watching = [asyncio.create_task(self._watch(worn)) for worn in self.worn]

    @property
    def watch(self) -> Watch:
        """The watch's glass."""
        (glass,) = (worn.watch for worn in self.worn if worn.watch is not None)
        return glass

    async def _watch(self, worn: Worn) -> None:
        """Pass on what this one's wearer is shown, for ever."""
        body = worn.wearable.body
        seen = 0
        while True:
            change = body.next_change()
            for shown in body.shown[seen:]:
                news = self.presses.shown(worn.wearable.handle, shown.stage, shown.number, shown.at_s * 1000)
                if news is not None:
                    self._tell(news)
            seen = len(body.shown)
            self.changed()
            await change

    def down(self, worn: Worn) -> None:
        """The button goes down: a press begins."""
        at_s = worn.wearable.down()
        self.presses.pressed(worn.name, worn.link, worn.wearable.handle, at_s * 1000)

    async def hold(self, worn: Worn) -> None:
        """Hold the button for longer than a second."""
        self.down(worn)
        await asyncio.sleep(HOLD_MS / 1000)
        worn.wearable.up()

    async def press(self, worn: Worn) -> None:
        """A short press: the firmware waits for its cancel window before the alarm goes out."""
        self.down(worn)
        await worn.wearable.body.finger.release_after(PRESS_MS / 1000)

    def _tapped(self, worn: Worn) -> None:
        """A finger on the watch's glass: a press, should an event come of it."""
        self.presses.tapped(worn.name, worn.link, worn.wearable.handle, time.monotonic() * 1000)

    async def operate(self, operator: str) -> None:
        """Take each incident as it comes, then close it: the operator's two clicks, for ever."""
        while True:
            with contextlib.suppress(DeskFailed):
                await self.take_and_close(operator)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def take_and_close(self, operator: str) -> None:
        """One step with every incident: new ones are taken, those whose wearer knows it are closed."""
        desk = self.house.desk
        for incident in await desk.incidents():
            event, stage = incident["event"], incident["stage"]
            if stage == "accepted":
                await desk.take(event, operator)
            elif stage == "answered" and self._was_shown(event, "ANSWERED"):
                await desk.close(event, operator)

    def _was_shown(self, event: str, stage: str) -> bool:
        return any(press.event == event and stage in press.stages for press in self.presses.all)

    async def all_closed(self, within_s: float) -> None:
        """Wait until every press, and what was tapped for, came to its end. Raises TimeoutError."""
        deadline_s = time.monotonic() + within_s
        while self.presses.unclosed:
            if time.monotonic() > deadline_s:
                raise TimeoutError
            await asyncio.sleep(_LOOK_EVERY_S)

    def unfinished(self) -> list[str]:
        """One line for each press that has not come to its end, with what its wearer was shown so far."""
        return [
            self.words.text(
                "demo.unfinished",
                wearable=press.name,
                event=press.event or "-",
                stages=", ".join(f"{stage} {ms} ms" for stage, ms in press.stages.items()) or "-",
                logs=self.house.directory,
            )
            for press in self.presses.unclosed
        ]
