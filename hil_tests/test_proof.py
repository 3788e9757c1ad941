"""The acceptance of a whole house: real firmware, daemon, broker and desk; hand, clock and mains are simulated."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from hil_tests.conftest import Build
from hil_tests.gateway.process import GatewayProcess
from hil_tests.gateway.steered_clock import Machine
from hil_tests.house import House
from hil_tests.kit_command import Command, armed_for, pingan
from hil_tests.ports import free_port
from hil_tests.wearable.process import WearableProcess
from tests.edge_daemon.certificates import Authority
from tools.label.code import of_handle


class Bench:
    """A house whose gateway has a certificate, a clock that somebody vouches for, and mains with a UPS."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.authority = Authority(house.directory, "proof")
        self.mains = house.directory / "power" / "AC" / "online"

    async def open(self, **backup: Any) -> None:
        house, place = self.house, self.house.directory
        cert_file, key_file = self.authority.issue("gw-1", common_name="gw-1")
        for name, kind in (("AC", "Mains"), ("BAT", "Battery")):
            (place / "power" / name).mkdir(parents=True)
            (place / "power" / name / "type").write_text(kind)
        self.mains.write_text("1")
        (place / "power" / "BAT" / "capacity").write_text("90")
        clock = place / "clock.json"
        Machine("test_only boot").write(clock)
        file = house.write_gateway(
            "gw-1",
            {
                "platform": {"cert_file": str(cert_file), "key_file": str(key_file)},
                "supervision": {"power_supply": str(place / "power")},
                **({"backup": backup} if backup else {}),
            },
        )
        hci = house.radio.hci("gw-1")
        house.gateways["gw-1"] = await GatewayProcess.start(file.parent, file, hci, name="gw-1", clock=clock)

    def prove(self, *more: str) -> contextlib.AbstractAsyncContextManager[Command]:
        (self.house.directory / "proofs").mkdir(exist_ok=True)
        return pingan(
            "prove", "--json", "--config", str(self.house.directory / "gw-1" / "gateway.toml"),
            "--out", str(self.house.directory / "proofs"), "--technician", "test_only", *more,
        )  # fmt: skip

    async def presser(self, command: Command, wearables: list[WearableProcess]) -> None:
        """Does what a technician is asked for, as it is asked for."""
        by_code = {of_handle(wearable.handle): wearable for wearable in wearables}
        done = 0
        while True:
            row, done = await command.next(done), done + 1
            if row["state"] != "begun":
                continue
            if row["of"] in by_code and row["step"] == "pressed":
                await by_code[row["of"]].shown("ARMED", within_s=60)
                await by_code[row["of"]].press()
            elif row["of"] in by_code and row["step"] == "cancelled":
                await cancel(by_code[row["of"]])
            elif row["step"] in ("mains_pulled", "mains_back"):
                self.mains.write_text("0" if row["step"] == "mains_pulled" else "1")


async def cancel(wearable: WearableProcess) -> None:
    await wearable.press()
    await asyncio.sleep(2)
    await wearable.press(3)


def lines(command: Command) -> dict[tuple[str, str], str]:
    return {(row["of"], row["step"]): row["state"] for row in command.rows if row["state"] != "begun"}


@pytest.mark.virtual_air
async def test_a_home_is_proved_and_its_report_holds_to_the_byte(build: Build) -> None:
    house = await build()
    await house.open_desk()
    air = await house.add_wearable("air", ble=True)
    wire = await house.add_wearable("wire", ble=False, serial=True)
    bench = Bench(house)
    await bench.open()
    async with bench.prove() as proving:
        hand = asyncio.create_task(bench.presser(proving, [air, wire]))
        code = await proving.ended(within_s=240)
        hand.cancel()
    assert code == 0, proving.rows
    found = lines(proving)
    for wearable in (air, wire):
        for check in ("armed", "pressed", "stored", "accepted", "answered", "closed", "seen", "cancelled", "ended"):
            assert found[of_handle(wearable.handle), check] == "done", check
        assert await armed_for(house, wearable) is None
    assert found["primary", "carried"] == "done"
    for check in ("clock", "disk", "mains_pulled", "mains_back"):
        assert found["gateway", check] == "done", check
    incidents = await house.desk.incidents()
    assert {row["class"] for row in incidents if row["source"] == "wearable"} == {"test"}
    (file,) = (house.directory / "proofs").glob("*.json")
    assert file.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    verify = ("prove", "--json", "--verify", str(file), "--ca", str(bench.authority.file))
    async with pingan(*verify) as verifying:
        assert await verifying.ended() == 0
    assert verifying.rows[0]["report"]["wearables"] == [of_handle(each.handle) for each in (air, wire)]
    data = file.read_bytes()
    file.write_bytes(data.replace(b'"result": "passed"', b'"result": "failed"', 1))
    async with pingan(*verify) as verifying:
        assert await verifying.ended() == 1


async def test_a_home_is_not_proved_where_one_is_silent_or_the_way_is_down(build: Build) -> None:
    house = await build()
    await house.open_desk()
    good = await house.add_wearable("good", ble=False, serial=True)
    silent = await house.add_wearable("silent", ble=False, serial=True)
    bench = Bench(house)
    await bench.open(enabled=True, host="127.0.0.1", port=free_port(), tls=False)
    await silent.power_cut()
    async with bench.prove("--hand-s", "20", "--no-cancel", "--no-mains") as proving:
        hand = asyncio.create_task(bench.presser(proving, [good]))
        assert await proving.ended(within_s=240) == 1
        hand.cancel()
    found = lines(proving)
    assert found[of_handle(good.handle), "seen"] == "done"
    assert found[of_handle(silent.handle), "armed"] == "failed"
    assert found[of_handle(silent.handle), "pressed"] == found[of_handle(silent.handle), "stored"] == "skipped"
    assert found["primary", "carried"] == "done"
    assert found["backup", "carried"] == "failed"
    (file,) = (house.directory / "proofs").glob("*.json")
    assert json.loads(file.read_bytes())["report"]["accepted"] is False


async def test_a_proof_that_is_stopped_leaves_nobody_armed_and_no_report(build: Build) -> None:
    house = await build()
    await house.open_desk()
    wearable = await house.add_wearable("pendant", ble=False, serial=True)
    bench = Bench(house)
    await bench.open()
    async with bench.prove() as proving:
        await wearable.shown("ARMED", within_s=60)
        proving.process.send_signal(2)
        assert await proving.ended() == 130
    assert await armed_for(house, wearable) is None
    assert list((house.directory / "proofs").iterdir()) == []
