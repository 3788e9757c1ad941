"""The ears: a real bus with the bench's bluetoothd on it, rfkill switches in a directory, ports by mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_daemon import config
from hil_tests.bluez.bluetoothd import Bluetoothd
from hil_tests.bluez.bus import PrivateBus, find_daemon
from tools.doctor import links
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK

needs_bus = pytest.mark.skipif(find_daemon() is None, reason="no dbus-daemon is installed (apt install dbus)")


@pytest.fixture
async def bluetoothd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bluetoothd]:
    bus = await PrivateBus.start(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    daemon = await Bluetoothd.start(bus.address)
    yield daemon
    await daemon.down()
    await bus.stop()


def _settings(**serial: object) -> config.Config:
    return config.Config(serial=config.Serial(**serial))  # type: ignore[arg-type]


async def _found(rfkill: Path) -> list[tuple[str, int]]:
    return [(finding.code, finding.harm) for finding in await links.bluetooth(_settings(), rfkill)]


@needs_bus
async def test_an_adapter_that_is_there_off_or_gone(bluetoothd: Bluetoothd, tmp_path: Path) -> None:
    assert await _found(tmp_path) == [("adapter_idle", WEAK)]
    bluetoothd.power(False)
    assert await _found(tmp_path) == [("adapter_off", DEADLY)]
    bluetoothd.unplug()
    assert await _found(tmp_path) == [("adapter_absent", DEADLY)]


@needs_bus
async def test_no_bluetoothd_and_no_bus(
    bluetoothd: Bluetoothd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bluetoothd.down()
    assert await _found(tmp_path) == [("adapter_absent", DEADLY)]
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert await _found(tmp_path) == [("bus_absent", DEADLY)]


@pytest.mark.parametrize(("hard", "soft", "code"), [("1", "0", "radio_blocked_hard"), ("0", "1", "radio_blocked_soft")])
async def test_a_switch_holds_the_radio_off(hard: str, soft: str, code: str, tmp_path: Path) -> None:
    for number, kind in enumerate(("wlan", "bluetooth")):
        switch = tmp_path / f"rfkill{number}"
        switch.mkdir()
        for name, text in (("type", kind), ("hard", hard), ("soft", soft)):
            (switch / name).write_text(text + "\n")
    assert await _found(tmp_path) == [(code, DEADLY)]


async def test_what_is_switched_off_in_the_configuration_is_not_looked_at(tmp_path: Path) -> None:
    assert await links.bluetooth(config.Config(ble=config.Ble(enabled=False)), tmp_path) == []


def test_ports_are_good_missing_or_nothing_at_all(tmp_path: Path) -> None:
    (tmp_path / "tty1").touch()
    deaf = config.Config(ble=config.Ble(enabled=False), serial=config.Serial(ports=[str(tmp_path / "no*")]))
    for settings, found in (
        (_settings(ports=[str(tmp_path / "tty*")]), [("ports_good", GOOD)]),
        (_settings(ports=[str(tmp_path / "tty9")]), [("port_missing", HARMFUL)]),
        (_settings(ports=[str(tmp_path / "no*")]), []),
        (deaf, [("no_link", DEADLY)]),
    ):
        assert [(finding.code, finding.harm) for finding in links.serial(settings)] == found


def test_a_port_that_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tty1").touch()
    # Root may open any; the kernel's answer is what is stood in for.
    monkeypatch.setattr(links.os, "access", lambda *_: False)
    (finding,) = links.serial(_settings(ports=[str(tmp_path / "tty*")]))
    assert (finding.code, finding.harm) == ("port_forbidden", HARMFUL)
