"""What a wearer asks for reaches the operator as what it is, and each answer the wearer: six services, and SOS."""

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
LINKS = [{"ble": True}, {"ble": False, "serial": True}]
# Where the watch's pages are tapped: menu, next page, the two rows of one, and the words that send.
HOME, MENU, NEXT, ROWS, SEND = (200, 200), (200, 200), (200, 200), ((120, 40), (120, 120)), (180, 120)
SOS_BAR, SOS_SEND = (80, 200), (120, 120)


async def by_profile(house: House, kind: int, **links: bool) -> WearableProcess:
    """A pendant whose short press makes this event: its settings came sealed, over a cable, in an earlier life."""
    root, name = secrets.token_bytes(16), f"pendant-{kind:02x}"
    place = house.directory / name
    place.mkdir(mode=0o700, parents=True)
    staged = image.stage("simulator", house.directory / "image").directory
    line = SerialLine.lay(house.directory)
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


async def told(house: House, wearable: WearableProcess, kind: int, number: int, detail: int) -> None:
    """The event is at the desk, as what it is; and its wearer was shown each stage of it, in their order."""
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


@pytest.mark.parametrize("links", LINKS, ids=["ble", "serial"])
async def test_a_short_press_is_what_its_profile_says_and_is_answered_as_that(
    build: Build, links: dict[str, bool]
) -> None:
    house = await build()
    await house.open_desk()
    pendants = {kind: await by_profile(house, kind, **links) for kind in SERVICES}
    await house.open_gateway()
    async with Operator(house.desk):
        for pendant in pendants.values():
            await pendant.press()
        for kind, pendant in pendants.items():
            await told(house, pendant, kind, (await pendant.shown("PRESSED")).number, 0)
        # An SOS is an SOS in every profile.
        pendant = pendants[codes.SERVICE_CARE]
        since = len(pendant.body.shown)
        await pendant.hold()
        await told(house, pendant, codes.SOS, (await pendant.shown("PRESSED", since=since)).number, codes.HOLD)


async def tap(watch: WearableProcess, *points: tuple[int, int]) -> None:
    """Tap them in turn, each on the page that the one before has led to."""
    for point in points:
        screens = watch.body.screens
        watch.body.touch(*point)
        async with asyncio.timeout(10):
            while watch.body.screens == screens:
                await asyncio.sleep(0.02)
        # The watch takes no tap that may have been meant for the page before.
        await asyncio.sleep(0.8)


@pytest.mark.parametrize("links", LINKS, ids=["ble", "serial"])
async def test_each_service_and_the_sos_of_a_watch_go_from_a_tap_to_the_desk_and_back(
    build: Build, links: dict[str, bool], tmp_path: Path
) -> None:
    house = await build()
    await house.open_desk()
    environment = {
        "PINGAN_PARTS": "display,touch",
        "PINGAN_PROFILE": "watch",
        "PINGAN_SCREEN": str(tmp_path / "screen"),
    }
    watch = await house.add_wearable("watch", heap="1m", environment=environment, **links)
    await house.open_gateway()
    async with Operator(house.desk):
        for index, kind in enumerate(SERVICES):
            since = len(watch.body.shown)
            await tap(watch, MENU, *[NEXT] * (index // 2), ROWS[index % 2], SEND)
            await told(house, watch, kind, (await watch.shown("PRESSED", since=since)).number, 0)
            await watch.shown("IDLE", 0, since=len(watch.body.shown) - 1)
            # From what it tells to its first page; in the dark a tap lights that.
            await tap(watch, HOME)
        since = len(watch.body.shown)
        await tap(watch, SOS_BAR, SOS_SEND)
        await told(house, watch, codes.SOS, (await watch.shown("PRESSED", since=since)).number, codes.SCREEN)
