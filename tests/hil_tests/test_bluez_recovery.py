"""A deaf adapter on bleak's own BlueZ back end: what cures it is found, in order; a quiet house is left in peace."""

from __future__ import annotations

import asyncio
import dataclasses
import sys

import pytest

from protocol import codes

from .bluez_home import FAST, BluezHome
from .link_at_work import Link

_STEPS = ["scan", "power", "usb", "bluetoothd"]
_LONG_S = 40.0


async def _busy_place(bluez: BluezHome, **settings: object) -> Link:
    """A neighbour's device is heard all day long."""
    link = await bluez.link(history=bluez.known_place(), **settings)
    bluez.beacon()
    await link.until(lambda: link.told == [False])
    return link


@pytest.mark.parametrize("cure", _STEPS)
async def test_a_deaf_adapter_is_cured_by_the_first_step_that_helps(bluez: BluezHome, cure: str) -> None:
    bluez.usb()
    link = await _busy_place(bluez)
    bluez.bluetoothd.cured_by = {cure}
    bluez.bluetoothd.deaf = True
    await link.counts(f"radio_cured_by_{cure}", within_s=_LONG_S)
    taken = [name for name in _STEPS if link.count(f"recovery_by_{name}")]
    assert taken == _STEPS[: _STEPS.index(cure) + 1]
    assert link.told == [False]
    assert link.state in ("up", "quiet")
    assert bluez.systemd.asked == (["bluetooth.service"] if cure == "bluetoothd" else [])


async def test_when_all_steps_have_failed_it_is_told_once_and_tried_on_and_its_end_is_told(bluez: BluezHome) -> None:
    bluez.usb()
    link = await _busy_place(bluez)
    bluez.bluetoothd.deaf = True
    await link.until(lambda: link.told == [False, True], _LONG_S)
    assert link.notes[1].startswith("longer_than_ever, silent ")
    assert [link.count(f"recovery_by_{name}") for name in _STEPS] == [1, 1, 1, 1]
    await link.until(lambda: link.state == "deaf")
    await link.counts("recovery_failed", 2, _LONG_S)
    assert link.told == [False, True]
    bluez.bluetoothd.deaf = False
    await link.until(lambda: link.told == [False, True, False])
    await link.until(lambda: link.state == "up")


async def test_a_deaf_adapter_that_nothing_may_be_done_for_is_told(bluez: BluezHome) -> None:
    """No USB, no right to restart bluetoothd, and the adapter takes no orders."""
    bluez.systemd.permits = False
    bluez.bluetoothd.refusing["Powered"] = "Failed"
    link = await _busy_place(bluez)
    bluez.bluetoothd.deaf = True
    await link.until(lambda: link.told == [False, True], _LONG_S)
    assert bluez.systemd.asked
    assert [link.count(f"recovery_by_{name}") for name in _STEPS] == [1, 0, 0, 0]


async def test_a_command_restarts_bluetoothd_where_one_is_set(bluez: BluezHome) -> None:
    mark = bluez.directory / "restarted"
    command = [sys.executable, "-c", f"open({str(mark)!r}, 'w').close()"]
    link = await _busy_place(bluez, restart_command=command, recovery=["bluetoothd"])
    bluez.bluetoothd.cured_by = {"bluetoothd"}
    bluez.bluetoothd.deaf = True
    await link.until(mark.exists, _LONG_S)
    await bluez.bluetoothd.restart()
    await link.counts("radio_cured_by_bluetoothd", within_s=_LONG_S)
    assert bluez.systemd.asked == []


async def test_a_command_that_fails_is_no_cure(bluez: BluezHome) -> None:
    link = await _busy_place(bluez, restart_command=["/nonexistent"], recovery=["bluetoothd"])
    bluez.bluetoothd.deaf = True
    await link.until(lambda: link.told == [False, True], _LONG_S)
    assert link.count("recovery_by_bluetoothd") == 0


async def test_a_quiet_house_is_never_told_of_and_only_its_scan_is_begun_anew(bluez: BluezHome) -> None:
    """Nothing is known of it, and nothing is heard but a wearable now and then."""
    link = await bluez.link()
    await link.counts("scan_restarts_quiet", 4)
    assert link.state == "quiet"
    device = bluez.bluetoothd.device("C0:FF:EE:00:00:01")
    async with asyncio.timeout(10):
        while not link.heard:  # a wearable repeats: one of a burst may fall between two scans
            bluez.bluetoothd.advertise(device, codes.COMPANY_ID, b"heartbeat")
            await asyncio.sleep(0.02)
    await link.until(lambda: link.state == "up")
    await link.counts("scan_restarts_quiet", 7)
    assert link.count("radio_deaf") == 0
    assert bluez.bluetoothd.calls["Powered"] == 0
    assert link.told == [False]


async def test_a_crowd_that_goes_at_once_is_deafness_in_a_place_not_known(bluez: BluezHome) -> None:
    link = await bluez.link()
    for number in range(10):
        bluez.beacon(f"AA:00:00:00:00:{number:02X}", 0.1)
    await asyncio.sleep(0.5)  # longer than crowd_stays_s: they live here
    bluez.bluetoothd.cured_by = {"power"}
    bluez.bluetoothd.deaf = True
    await link.counts("radio_cured_by_power", within_s=_LONG_S)


async def test_a_step_waits_for_a_visit_that_is_under_way(bluez: BluezHome) -> None:
    link = await _busy_place(bluez, linger_s=3.0)
    device = bluez.bluetoothd.device("C0:FF:EE:00:00:01")
    bluez.bluetoothd.advertise(device, codes.COMPANY_ID, b"question")
    path = (await link.hears(b"question")).path
    path.send(b"stored")
    await asyncio.wait_for(device.written.get(), 10)
    bluez.bluetoothd.cured_by = {"scan"}
    bluez.bluetoothd.deaf = True
    stops = bluez.bluetoothd.calls["StopDiscovery"]
    await link.counts("radio_deaf")
    path.send(b"accepted")
    await asyncio.wait_for(device.written.get(), 10)
    assert bluez.bluetoothd.calls["StopDiscovery"] == stops
    await link.counts("radio_cured_by_scan", within_s=_LONG_S)
    assert (link.count("visits"), link.count("visits_broken")) == (1, 0)


async def test_a_remedy_that_does_not_last_is_not_tried_first_again(bluez: BluezHome) -> None:
    link = await _busy_place(bluez)
    bluez.bluetoothd.cured_by = {"scan"}
    bluez.bluetoothd.deaf = True
    await link.counts("radio_cured_by_scan", within_s=_LONG_S)
    bluez.bluetoothd.cured_by = {"scan", "power"}
    await link.until(lambda: link.state == "up")
    bluez.bluetoothd.deaf = True
    await link.counts("radio_cured_by_power", within_s=_LONG_S)
    assert link.count("recovery_by_scan") == 1


@pytest.mark.parametrize("way", ["InProgress", "hanging"])
async def test_a_start_that_is_stuck_ends_with_the_power_cycle(bluez: BluezHome, way: str) -> None:
    """BlueZ's known state (bleak #2021): it believes that it scans, and takes no orders to."""
    link = await _busy_place(bluez)
    if way == "hanging":
        bluez.bluetoothd.hanging.add("StartDiscovery")
    else:
        bluez.bluetoothd.refusing["StartDiscovery"] = way

    def unstick(_: bool) -> None:
        bluez.bluetoothd.refusing.clear()
        bluez.bluetoothd.hanging.clear()

    bluez.bluetoothd.on_powered = unstick
    bluez.bluetoothd.stop_discovering()
    await link.counts("scan_failed", 1)
    await link.counts("radio_cured_by_power", within_s=_LONG_S)
    await link.until(lambda: link.state == "up")
    assert True not in link.told


async def test_a_bluetoothd_that_answers_nothing_is_restarted(bluez: BluezHome) -> None:
    care = dataclasses.replace(FAST, bluez_answers_within_s=0.5)
    link = await bluez.link(care, bluez.known_place())
    bluez.beacon()
    await link.until(lambda: link.told == [False])
    bluez.bluetoothd.hanging |= {"StartDiscovery", "StopDiscovery", "SetDiscoveryFilter", "GetAll", "Powered"}
    bluez.bluetoothd.deaf = True
    bluez.bluetoothd.cured_by = {"bluetoothd"}
    await link.counts("radio_cured_by_bluetoothd", within_s=_LONG_S)
    await link.until(lambda: link.state == "up")


async def test_an_adapter_that_stays_away_is_told(bluez: BluezHome) -> None:
    link = await _busy_place(bluez)
    bluez.bluetoothd.unplug()
    await link.until(lambda: link.told == [False, True], _LONG_S)
    assert link.notes[1].startswith("down: ")
    assert link.state == "down"
    bluez.bluetoothd.plug()
    await link.until(lambda: link.told == [False, True, False], _LONG_S)


async def test_a_flood_is_told_once_and_its_end(bluez: BluezHome) -> None:
    limits = dataclasses.replace(FAST.noise, frames_per_s=20.0, begins_after_s=0.5, ends_after_s=0.5)
    link = await bluez.link(dataclasses.replace(FAST, noise=limits))
    await link.until(lambda: link.jammed == [False])
    device = bluez.bluetoothd.device("C0:FF:EE:00:00:01")
    number = 0
    async with asyncio.timeout(20):
        while link.jammed != [False, True]:
            for _ in range(5):
                number += 1
                bluez.bluetoothd.advertise(device, codes.COMPANY_ID, b"%d" % number)
            await asyncio.sleep(0.02)
    await link.until(lambda: link.jammed == [False, True, False])


async def test_a_daemon_that_is_stopped_in_a_power_cycle_leaves_the_adapter_on(bluez: BluezHome) -> None:
    link = await _busy_place(bluez, recovery=["power"])
    bluez.bluetoothd.deaf = True
    await link.until(lambda: not bluez.bluetoothd.powered, _LONG_S)
    async with asyncio.timeout(10):
        await link.close()
    assert bluez.bluetoothd.powered


async def test_a_daemon_that_is_stopped_while_bluetoothd_dies_is_stopped(bluez: BluezHome) -> None:
    link = await _busy_place(bluez, recovery=["power"])
    bluez.bluetoothd.deaf = True
    await link.until(lambda: not bluez.bluetoothd.powered, _LONG_S)
    await bluez.bus.kill()
    async with asyncio.timeout(10):
        await link.close()
