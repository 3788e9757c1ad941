"""Mains and battery: the kernel's class as a directory of the test, and a real upsd over NUT's own pretended UPS."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.supervision.power import PowerWatch
from edge_daemon.supervision.power_sources import Kernel, Nut, Power, SourceFailed

from .core import core
from .test_supervision import Hands, _said, _settled

_NUT = Path("/lib/nut")


def _supply(place: Path, name: str, **attributes: object) -> None:
    (place / name).mkdir(parents=True, exist_ok=True)
    for attribute, value in attributes.items():
        (place / name / attribute).write_text(f"{value}\n")


@pytest.mark.parametrize(
    ("supplies", "said"),
    [
        ({}, Power()),
        ({"AC": {"type": "Mains", "online": 1}}, Power(True)),
        ({"AC": {"type": "Mains", "online": 0}}, Power(False)),
        ({"AC": {"type": "Mains", "online": 0}, "usb": {"type": "USB", "online": 1}}, Power(True)),
        ({"BAT0": {"type": "Battery", "status": "Discharging", "capacity": 55}}, Power(False, False, 55)),
        ({"BAT0": {"type": "Battery", "status": "Not charging", "capacity": 25}}, Power(True, None, 25)),
        ({"BAT0": {"type": "Battery", "status": "Full", "capacity": 19}}, Power(True, True, 19)),
        ({"AC": {"type": "Mains", "online": 1}, "U": {"type": "UPS", "capacity": 140}}, Power(True, False, 100)),
        ({"mouse": {"type": "Battery", "scope": "Device", "status": "Discharging", "capacity": 2}}, Power()),
        ({"odd": {"type": "Mains", "online": "maybe"}, "none": {}}, Power()),
    ],
)
async def test_what_the_kernel_says(tmp_path: Path, supplies: dict[str, dict[str, object]], said: Power) -> None:
    for name, attributes in supplies.items():
        _supply(tmp_path, name, **attributes)
    assert await Kernel(tmp_path).read() == said


async def test_a_kernel_without_the_class_says_nothing_and_one_that_fails_is_a_failed_source(tmp_path: Path) -> None:
    assert await Kernel(tmp_path / "none").read() == Power()
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceFailed):
        await Kernel(tmp_path / "file").read()


async def test_mains_are_lost_after_a_minute_and_back_after_five_stable_ones(tmp_path: Path) -> None:
    clock = Hands()
    place = tmp_path / "class"
    async with core(tmp_path) as gateway:
        watch = PowerWatch([Kernel(place)], gateway.faults, clock)

        async def stays(seconds: int, online: int, percent: int) -> None:
            _supply(place, "AC", type="Mains", online=online)
            _supply(place, "BAT0", type="Battery", status="Unknown", capacity=percent)
            for _ in range(0, seconds, 5):
                await watch.look()
                clock.at_s += 5

        await stays(600, 1, 100)
        await stays(55, 0, 99)
        await stays(600, 1, 99)
        assert _said(gateway) == [], "a minute without is not a loss"
        await stays(70, 0, 90)
        assert await _settled(gateway, 1) == [("mains_lost", "power_supply")]
        await stays(600, 0, 18)
        assert (await _settled(gateway, 2))[1:] == [("gateway_battery_low", "power_supply")]
        for _ in range(5):
            await stays(200, 1, 25)
            await stays(10, 0, 25)
        assert len(_said(gateway)) == 2, "mains that come and go are not back, and a battery at 25 is as it was"
        await stays(310, 1, 31)
        assert (await _settled(gateway, 4))[2:] == [
            ("gateway_battery_ok", "power_supply"),
            ("mains_restored", "power_supply"),
        ]


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A real upsd on a free port, with a UPS that says what stands in a file: (address, file)."""
    if not (_NUT / "dummy-ups").exists():
        pytest.skip("Debian's nut-server is not installed: no real upsd to ask")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    says = tmp_path / "ups.dev"
    says.write_text("ups.status: OL CHRG\nbattery.charge: 88\n")
    for name, text in (
        ("ups.conf", f"[ups]\n driver = dummy-ups\n port = {says}\n"),
        ("upsd.conf", f"LISTEN 127.0.0.1 {port}\n"),
        ("upsd.users", ""),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o640)
    places = dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_PIDPATH", "NUT_ALTPIDPATH"), str(tmp_path))
    user = os.environ.get("USER", "root") if os.geteuid() else "root"
    running = [
        subprocess.Popen(
            [str(_NUT / program), *arguments, "-u", user, "-F"],
            env={**os.environ, **places},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for program, arguments in (("dummy-ups", ["-a", "ups"]), ("upsd", []))
    ]
    try:
        yield f"ups@127.0.0.1:{port}", says
    finally:
        for process in running:
            process.kill()
            process.wait()


async def _says(source: Nut, wanted: Power) -> None:
    """Wait until the UPS says so: NUT's driver looks at its file every few seconds."""
    said: object = None
    try:
        async with asyncio.timeout(60):
            while said != wanted:
                try:
                    said = await source.read()
                except SourceFailed as failed:
                    said = failed
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{said!r}, not {wanted}") from None


async def test_what_a_real_upsd_says(upsd: tuple[str, Path]) -> None:
    address, file = upsd
    source = Nut(address)
    await _says(source, Power(True, False, 88))
    file.write_text("ups.status: OB DISCHRG LB\nbattery.charge: 12.4\n")
    await _says(source, Power(False, True, 12))
    with pytest.raises(SourceFailed, match="UNKNOWN-UPS"):
        await Nut(address.replace("ups@", "other@")).read()


async def test_an_upsd_that_is_away_is_a_lost_line_and_its_mains_stay_as_they_were(tmp_path: Path) -> None:
    clock = Hands()

    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'VAR ups ups.status "\xff\x00\n' + b"x" * 70_000)
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with core(tmp_path) as gateway:
        watch = PowerWatch([Nut(f"ups@127.0.0.1:{port}")], gateway.faults, clock)
        await watch.look()
        clock.at_s += 290
        await watch.look()
        assert _said(gateway) == []
        server.close()
        clock.at_s += 20
        await watch.look()
        assert await _settled(gateway, 1) == [("link_lost", "nut:ups")]
