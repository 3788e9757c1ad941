"""The demo's scene: a house with one pendant on BLE and one on a serial line, and what happens in it.

Owns the two pendants, the presses and the operator's hand. Must not know terminal or browser: it calls `tell` with each
stage that a wearer is shown, and `changed` after anything else worth drawing.
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
from hil_tests.house import House
from hil_tests.wearable.process import HOLD_MS, PRESS_MS, WearableProcess
from tools.demo.stages import Presses, Shown
from tools.messages import Messages

_LOOK_EVERY_S = 0.05
_LINKS = ("ble", "serial")


@dataclass
class Pendant:
    """One pendant of the demo; `link` is the only way its frames can go."""

    link: str
    wearable: WearableProcess


class Scene:
    """Open it with `async with Scene.open(...)`: then both pendants take presses."""

    def __init__(self, house: House, words: Messages, tell: Callable[[Shown], None]) -> None:
        self.house = house
        self.words = words
        self.presses = Presses()
        self.pendants: list[Pendant] = []
        self.changed: Callable[[], None] = lambda: None
        self._tell = tell
        self._watching: list[asyncio.Task[None]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, keep: str | None, words: Messages, tell: Callable[[Shown], None], desk_port: int | None = None
    ) -> AsyncIterator[Scene]:
        """Build the house, open everything in it, and take it down in the end. `keep`: a directory that stays."""
        with tempfile.TemporaryDirectory(prefix="pingan-demo-") as temporary:
            house = await House.build(Path(keep or temporary).absolute())
            scene = cls(house, words, tell)
            try:
                await scene._furnish(desk_port)
                yield scene
            finally:
                for task in scene._watching:
                    task.cancel()
                await asyncio.gather(*scene._watching, return_exceptions=True)
                await house.leave()

    async def _furnish(self, desk_port: int | None) -> None:
        desk = asyncio.create_task(self.house.open_desk("--lang", self.words.lang, port=desk_port))
        try:
            for link in _LINKS:
                wearable = await self.house.add_wearable(f"pendant-{link}", ble=link == "ble", serial=link == "serial")
                self.pendants.append(Pendant(link, wearable))
            await self.house.open_gateway()
        finally:
            await desk
        self._watching = [asyncio.create_task(self._watch(pendant)) for pendant in self.pendants]

    async def _watch(self, pendant: Pendant) -> None:
        """Pass on what this pendant's wearer is shown, for ever."""
        body = pendant.wearable.body
        seen = 0
        while True:
            change = body.next_change()
            for shown in body.shown[seen:]:
                news = self.presses.shown(pendant.wearable.handle, shown.stage, shown.number, shown.at_s * 1000)
                if news is not None:
                    self._tell(news)
            seen = len(body.shown)
            self.changed()
            await change

    def down(self, pendant: Pendant) -> None:
        """The button goes down: a press begins."""
        at_s = pendant.wearable.down()
        self.presses.pressed(pendant.link, pendant.wearable.handle, at_s * 1000)

    async def hold(self, pendant: Pendant) -> None:
        """Hold the button for longer than a second."""
        self.down(pendant)
        await asyncio.sleep(HOLD_MS / 1000)
        pendant.wearable.up()

    async def press(self, pendant: Pendant) -> None:
        """A short press: the firmware waits for its cancel window before the alarm goes out."""
        self.down(pendant)
        await asyncio.sleep(PRESS_MS / 1000)
        pendant.wearable.up()

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
        """Wait until every press came to its end. Raises TimeoutError."""
        deadline_s = time.monotonic() + within_s
        while not all(press.closed for press in self.presses.all):
            if time.monotonic() > deadline_s:
                raise TimeoutError
            await asyncio.sleep(_LOOK_EVERY_S)

    def unfinished(self) -> list[str]:
        """One line for each press that has not come to its end, with what its wearer was shown so far."""
        return [
            self.words.text(
                "demo.unfinished",
                link=press.link,
                event=press.event or "-",
                stages=", ".join(f"{stage} {ms} ms" for stage, ms in press.stages.items()) or "-",
                logs=self.house.directory,
            )
            for press in self.presses.all
            if not press.closed
        ]
