"""bleak's own BlueZ back end under the link: it scans, hears and visits; a scan that dies is begun anew at once."""

from __future__ import annotations

import asyncio

import pytest

from edge_daemon.config import Ble
from protocol import codes, fragments

from .bluez_home import BluezHome
from .link_at_work import Link

_WEARABLE = "C0:FF:EE:00:00:01"
# Nothing here may be the doing of who watches for silence.
_NEVER_S = 3600.0


def _ask(bluez: BluezHome, frame: bytes) -> bool:
    return bluez.bluetoothd.advertise(bluez.bluetoothd.device(_WEARABLE), codes.COMPANY_ID, frame)


async def _hears_again(bluez: BluezHome, link: Link, frame: bytes = b"still there?") -> None:
    """The wearable repeats until it is heard."""
    async with asyncio.timeout(10):
        while not any(heard.frame == frame for heard in link.heard):
            _ask(bluez, frame)
            await asyncio.sleep(0.02)


async def test_an_advertisement_is_heard_once_and_repeats_are_dropped(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    assert _ask(bluez, b"question")
    heard = await link.hears(b"question")
    assert (heard.link, heard.rssi_dbm) == ("ble", -60)
    assert _ask(bluez, b"question")
    assert _ask(bluez, b"next")
    await link.hears(b"next")
    assert [one.frame for one in link.heard] == [b"question", b"next"]
    assert link.state == "up"


async def test_a_visit_writes_the_answer_in_pieces_and_takes_what_is_notified(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    _ask(bluez, b"question")
    answer = bytes(range(256))  # two writes
    (await link.hears(b"question")).path.send(answer)
    device, joiner, whole = bluez.bluetoothd.device(_WEARABLE), fragments.Joiner(), None
    while whole is None:
        whole = joiner.feed(await asyncio.wait_for(device.written.get(), 10))
    assert whole == answer
    for piece in fragments.split(b"by notification", 20):
        device.notify(piece)
    heard = await link.hears(b"by notification")
    heard.path.send(b"by the same visit")
    assert joiner.feed(await asyncio.wait_for(device.written.get(), 10)) == b"by the same visit"
    await link.until(lambda: not device.connected)
    assert link.count("visits") == 1


async def test_a_wearable_that_cannot_be_reached_fails_its_visit_only(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S, connect_timeout_s=2.0)
    device = bluez.bluetoothd.device(_WEARABLE)
    _ask(bluez, b"question")
    heard = await link.hears(b"question")
    device.unreachable = "br-connection-page-timeout"
    heard.path.send(b"answer")
    await link.counts("visits_failed")
    device.unreachable = ""
    _ask(bluez, b"again")
    (await link.hears(b"again")).path.send(b"answer")
    assert await asyncio.wait_for(device.written.get(), 10)


async def test_discovery_that_somebody_ended_is_begun_anew_at_once(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    bluez.bluetoothd.stop_discovering()
    await _hears_again(bluez, link)
    assert link.count("scan_lost") == 1
    assert link.count("scan_failed") == 0


async def test_an_adapter_that_somebody_switched_off_is_switched_on_again(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    bluez.bluetoothd.power(False)
    await _hears_again(bluez, link)
    assert bluez.bluetoothd.powered
    assert (link.count("radio_deaf"), link.count("scan_failed")) == (0, 0)


async def test_an_adapter_that_may_not_be_touched_is_left_off(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S, recovery=["scan"])
    bluez.bluetoothd.power(False)
    await link.counts("scan_failed", 2)
    assert not bluez.bluetoothd.powered
    assert link.state == "down"
    await link.until(lambda: link.told == [True])
    bluez.bluetoothd.power(True)
    await _hears_again(bluez, link)
    await link.until(lambda: link.told == [True, False])


@pytest.mark.parametrize("name", ["hci0", "hci1"])
async def test_an_adapter_pulled_and_put_in_again_is_found_whatever_its_name(bluez: BluezHome, name: str) -> None:
    link = await bluez.link(adapter="hci0", silent_s=_NEVER_S)
    await _hears_again(bluez, link, b"before")
    bluez.bluetoothd.unplug()
    await link.until(lambda: link.state == "down")
    await link.counts("scan_failed")
    bluez.bluetoothd.plug(name, powered=False)
    await _hears_again(bluez, link)


async def test_bluetoothd_that_was_killed_is_scanned_with_again(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    await bluez.bluetoothd.down()
    await link.until(lambda: link.state == "down")
    await bluez.bluetoothd.up()
    await _hears_again(bluez, link)


async def test_a_bus_that_was_restarted_is_joined_again(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    await bluez.bus.kill()
    await link.until(lambda: link.state == "down")
    await bluez.bluetoothd.down()
    await bluez.bus.again()
    await bluez.bluetoothd.up()
    await _hears_again(bluez, link)


@pytest.mark.parametrize("error", ["InProgress", "NotReady", "Failed", "NotAuthorized"])
async def test_a_start_that_is_refused_is_tried_again(bluez: BluezHome, error: str) -> None:
    bluez.bluetoothd.refusing["StartDiscovery"] = error
    link = Link(Ble(silent_s=_NEVER_S))
    try:
        await link.counts("scan_failed")
        assert link.state == "down"
        bluez.bluetoothd.refusing.clear()
        await _hears_again(bluez, link)
    finally:
        await link.close()


async def test_a_stop_that_hangs_does_not_keep_the_daemon(bluez: BluezHome) -> None:
    link = await bluez.link(silent_s=_NEVER_S)
    bluez.bluetoothd.hanging.add("StopDiscovery")
    async with asyncio.timeout(8):
        await link.close()


async def test_what_bluetoothd_says_of_itself_is_no_sound(bluez: BluezHome) -> None:
    """When discovery ends BlueZ takes every device's RSSI away, and bleak passes that on like an advertisement."""
    link = await bluez.link(silent_s=_NEVER_S)
    _ask(bluez, b"question")
    await link.hears(b"question")
    sounds = link.link._ear.count
    bluez.bluetoothd.stop_discovering()
    await link.counts("scan_lost")
    await link.until(lambda: link.state != "down")
    assert link.link._ear.count == sounds
    _ask(bluez, b"question")
    await link.until(lambda: link.link._ear.count > sounds)
