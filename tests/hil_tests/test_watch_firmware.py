"""The real firmware with a screen, in its own process: light and dark, sleep and touch, and a screen that breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from hil_tests.wearable.process import WearableProcess
from tools import image
from tools.demo import picture
from tools.demo.watch import HEAP, Watch, environment

# Light for 15 s, then the application finds nothing to stay awake for.
ASLEEP_WITHIN_S = 60.0
SEED = 20261128
Worn = Callable[..., Coroutine[Any, Any, tuple[WearableProcess, Watch]]]


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.stage("simulator", tmp_path_factory.mktemp("image") / "image").directory


@pytest.fixture
async def worn(tmp_path: Path, staged: Path) -> AsyncIterator[Worn]:
    started: list[WearableProcess] = []

    async def begin(screen: Path = tmp_path / "screen") -> tuple[WearableProcess, Watch]:
        wearable = await WearableProcess.start(tmp_path, staged, "watch", heap=HEAP, environment=environment(screen))
        started.append(wearable)
        return wearable, Watch(wearable, screen)

    yield begin
    for wearable in started:
        await wearable.stop()


async def test_it_goes_dark_and_sleeps_and_a_touch_wakes_it_and_does_nothing_else(worn: Worn) -> None:
    wearable, watch = await worn()
    await watch.lit()
    await wearable.asleep(ASLEEP_WITHIN_S)
    assert picture.dark(watch.seen())
    # On the red bar: in the dark it is light that is asked for, not help.
    watch.touch(80, 200)
    woken = await wearable.started(2)
    assert woken.wake == "touch"
    await watch.lit()
    await watch.tap(200, 200)
    assert wearable.body.shown == [], "no event came of it"
    assert not [line for line in wearable.body.log if "part" in line]


async def test_the_glass_says_what_became_of_a_press_second_by_second(worn: Worn) -> None:
    wearable, watch = await worn()
    await watch.lit()
    home = watch.seen()
    await wearable.press()
    await wearable.shown("COUNTING")
    pages: set[bytes] = set()

    def three_seconds() -> bool | None:
        pages.add(watch.seen())
        return True if len(pages - {home}) >= 4 else None

    await wearable.body.until(three_seconds, 30.0, "the press and three seconds of its countdown")


async def test_a_screen_that_breaks_costs_the_screen_and_no_alarm(worn: Worn, tmp_path: Path) -> None:
    folder = tmp_path / "breaks"
    folder.mkdir()
    wearable, watch = await worn(folder / "screen")
    await watch.lit()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    watch.touch(200, 200)
    await wearable.body.until(lambda: next((x for x in wearable.body.log if "dropped" in x), None), 20.0, "its fault")
    await wearable.hold()
    await wearable.shown("PRESSED")
    assert len(wearable.starts) == 1, "and no restart"


async def test_a_hand_all_over_the_glass_does_not_hinder_the_key(worn: Worn) -> None:
    dice = random.Random(SEED)
    print("seed", SEED)
    wearable, watch = await worn()
    await watch.lit()

    async def scribble() -> None:
        while True:
            # Not the lower two thirds of the red page's way: the key alone is to send here.
            watch.touch(dice.randrange(160, 240), dice.randrange(160, 240))
            await asyncio.sleep(0.03)

    scribbling = asyncio.create_task(scribble())
    try:
        for number in (1, 2):
            await asyncio.sleep(0.5)
            await wearable.hold()
            await wearable.shown("PRESSED", number)
    finally:
        scribbling.cancel()
        await asyncio.gather(scribbling, return_exceptions=True)
    assert watch.pages > 5
    assert not [line for line in wearable.body.log if "part" in line]
