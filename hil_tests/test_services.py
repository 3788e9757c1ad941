"""What a wearer asks for reaches the operator as what it is, and each answer the wearer: six services, and SOS.

Each kind goes by both links: by one from a pendant whose profile says so, by the other from the screen of a watch. All
in two houses, side by side: most of it is waiting.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path

import pytest

from hil_tests.conftest import Build
from hil_tests.desk.operator import Operator
from hil_tests.house import House
from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import box, codes, kinds, messages
from protocol.settings import Settings
from protocol.watchful import parts
from tests.firmware.cable import Cable
from tools import image

WAY = ("PRESSED", "STORED", "ACCEPTED", "ANSWERED", "CLOSED")
SERVICES = (
    codes.SERVICE_MEDICAL,
    codes.SERVICE_CARE,
    codes.SERVICE_INFORMATION,
    codes.SERVICE_COUNSELLING,
    codes.SERVICE_HOUSEHOLD,
    codes.SERVICE_CALL_ME,
)
# Profiles are given by a cable, and the screen is tapped, where the board is simulated.
pytestmark = pytest.mark.virtual_air
LINKS: dict[str, dict[str, bool]] = {"ble": {"ble": True}, "serial": {"ble": False, "serial": True}}
# Which of them a pendant makes by this link; the watch makes the others.
BY_PENDANT = {"ble": (1, 2, 5), "serial": (0, 3, 4)}
# Where the watch's pages are tapped: menu, next page, the two rows of one, and the words that send.
HOME, MENU, NEXT, ROWS, SEND = (200, 200), (200, 200), (200, 200), ((120, 40), (120, 120)), (180, 120)
SOS_BAR, SOS_SEND = (80, 200), (120, 120)


async def by_profile(house: House, name: str, kind: int, links: dict[str, bool]) -> WearableProcess:
    """A pendant whose short press makes this event: its settings came sealed, over a cable, in an earlier life."""
    if kind == codes.SOS:
        return await house.add_wearable(name, **links)
    root = secrets.token_bytes(16)
    place = house.directory / name
    (place / "cable").mkdir(mode=0o700, parents=True)
    staged = image.stage("simulator", house.directory / "image").directory
    line = SerialLine.lay(place / "cable")
    wearable = await WearableProcess.start(place, staged, name, serial=line.wearable, root=root)
    cable = Cable(line, wearable)
    await cable.heard(codes.HEARTBEAT)
    settings = Settings()
    settings.short_press = kind
    sealed = box.seal(wearable.keys.trail, box.SETTINGS, 1, os.urandom(8), settings.pack())
    (args,) = parts(1, sealed)
    cable.say(codes.COMMAND, messages.pack_command(1, codes.COMMAND_SETTINGS, args))
    assert messages.Result(await cable.heard(codes.RESULT)).status == codes.RESULT_DONE
    cable.close()
    await wearable.stop()
    line.close()
    return await house.add_wearable(name, root=root, **links)


async def told(house: House, wearable: WearableProcess, kind: int, detail: int, since: int) -> None:
    """The event is at the desk, as what it is; and its wearer was shown each stage of it, in their order."""
    number = (await wearable.shown("PRESSED", since=since)).number
    await wearable.shown("CLOSED", number, within_s=90)
    event = f"{wearable.handle}-{number:06x}"
    (incident,) = [one for one in await house.desk.incidents() if one["event"] == event]
    about = kinds.kind_of(kind)
    assert (incident["kind"], incident["class"], incident["detail"]) == (
        about.name,
        about.event_class,
        kinds.detail_name(kind, detail),
    )
    assert incident["scaip"] == {"dty": about.dty, "stc": about.stc}
    first: dict[str, float] = {}
    for shown in wearable.body.shown:
        if shown.number == number:
            first.setdefault(shown.stage, shown.at_s)
    assert [stage for stage in sorted(first, key=lambda stage: first[stage]) if stage in WAY] == list(WAY)


async def test_a_short_press_is_what_its_profile_says_and_a_hold_an_sos(build: Build) -> None:
    house = await build()
    await house.open_desk()
    image.stage("simulator", house.directory / "image")  # once, before all of them want it
    wanted = [(link, SERVICES[index]) for link in LINKS for index in BY_PENDANT[link]]
    wanted += [(link, codes.SOS) for link in LINKS]
    async with asyncio.TaskGroup() as group:
        made = [group.create_task(by_profile(house, f"{link}-{kind:02x}", kind, LINKS[link])) for link, kind in wanted]
    await house.open_gateway()
    async with Operator(house.desk, close_after_s=0.5), asyncio.TaskGroup() as group:
        for task, (_, kind) in zip(made, wanted, strict=True):
            pendant, holds = task.result(), kind == codes.SOS
            await (pendant.hold() if holds else pendant.press())
            group.create_task(told(house, pendant, kind, codes.HOLD if holds else 0, 0))


async def tap(watch: WearableProcess, *points: tuple[int, int]) -> None:
    """Tap them in turn, each on the page that the one before has led to."""
    for point in points:
        screens = watch.body.screens
        watch.body.touch(*point)
        async with asyncio.timeout(10):
            while watch.body.screens == screens:
                await asyncio.sleep(0.02)
        # The watch takes no tap that may have been meant for the page before.
        await asyncio.sleep(0.7)


async def by_screen(house: House, watch: WearableProcess, indexes: tuple[int, ...]) -> None:
    """These services in turn, then an SOS, each to its end."""
    for index in indexes:
        since = len(watch.body.shown)
        await tap(watch, MENU, *[NEXT] * (index // 2), ROWS[index % 2], SEND)
        await told(house, watch, SERVICES[index], 0, since)
        await watch.shown("IDLE", 0, since=len(watch.body.shown) - 1)
        # From what it tells to its first page; in the dark a tap lights that.
        await tap(watch, HOME)
    since = len(watch.body.shown)
    await tap(watch, SOS_BAR, SOS_SEND)
    await told(house, watch, codes.SOS, codes.SCREEN, since)


async def test_each_service_and_the_sos_of_a_watch_go_from_a_tap_to_the_desk_and_back(
    build: Build, tmp_path: Path
) -> None:
    house = await build()
    await house.open_desk()
    watches = {}
    for link, links in LINKS.items():
        environment = {
            "PINGAN_PARTS": "display,touch",
            "PINGAN_PROFILE": "watch",
            "PINGAN_SCREEN": str(tmp_path / link),
        }
        watches[link] = await house.add_wearable(link, heap="1m", environment=environment, **links)
    await house.open_gateway()
    async with Operator(house.desk, close_after_s=0.5), asyncio.TaskGroup() as group:
        group.create_task(by_screen(house, watches["ble"], BY_PENDANT["serial"]))
        group.create_task(by_screen(house, watches["serial"], BY_PENDANT["ble"]))
