"""What the running gateway says of itself and of what it sees: by the real process, over its real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.edge_daemon.home import WiredWearable, home
from tests.edge_daemon.platform_end import platform
from tests.edge_daemon.wearer import Wearer

from .asked import ask, socket_of, status, watching
from .schemas import check


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


async def test_a_press_is_seen_from_the_air_to_the_platform_and_then_stands_in_the_status(
    tmp_path: Path, broker: Broker
) -> None:
    wearer, other = Wearer(), Wearer("b")
    async with (
        platform(broker.port, says=("accepted", "closed")),
        home(tmp_path, broker.port, wearer, other) as gateway,
    ):
        wearable = WiredWearable(tmp_path, wearer)
        await gateway.start()
        await gateway.logged("gateway_ready")
        before = await status(gateway)
        assert [row["heard_s"] for row in before["wearables"]] == [None, None]
        async with watching(socket_of(gateway)) as seen:
            number = wearable.press()
            await wearable.until(number, codes.CLOSED)
            event = f"{wearer.handle}-{number:06x}"
            heard = await seen.until(lambda line: line["saw"] == "heard" and line["frame"] == "event")
            assert (heard["wearable"], heard["number"], heard["kind"]) == (wearer.handle, number, "sos")
            stored = await seen.until(lambda line: line["saw"] == "stored" and line["event"] == event)
            closed = await seen.until(lambda line: line["saw"] == "stage" and line["stage"] == "closed")
            assert heard["at_ms"] <= stored["at_ms"] <= closed["at_ms"]
            assert 0 <= stored["ms"] <= stored["at_ms"] - heard["at_ms"] + 50
        now = await status(gateway)
        wearable.close()
    row = next(row for row in now["wearables"] if row["wearable"] == wearer.handle)
    assert (row["link"], row["revoked"], row["supervision"], row["open"]) == ("serial", False, "ok", 0)
    assert row["heard_s"] <= 20
    assert row["battery_percent"] == 78
    assert now["gateway"] == "gw-1"
    assert now["pid"] == gateway.process.pid
    assert [(way["name"], way["used"]) for way in now["ways"]] == [("primary", True)]
    assert [link["state"] for link in now["links"]] == ["up"]
    assert now["journal"]["waiting"] == 0
    assert now["journal"]["events"] >= 1
    assert now["counters"]["events_stored"] >= 1


async def test_it_holds_no_key_and_no_frame(tmp_path: Path, broker: Broker) -> None:
    wearer = Wearer()
    async with platform(broker.port), home(tmp_path, broker.port, wearer) as gateway:
        wearable = WiredWearable(tmp_path, wearer)
        await gateway.start()
        await gateway.logged("gateway_ready")
        async with watching(socket_of(gateway)) as seen:
            await wearable.until(wearable.press(), codes.ACCEPTED)
            await seen.until(lambda line: line["saw"] == "stage")
            said = repr(seen.lines) + repr(await status(gateway))
        wearable.close()
    for secret in (wearer.keys.up, wearer.keys.down, wearer.keys.id, *wearable.frames):
        assert secret.hex() not in said


async def test_a_killed_gateways_socket_is_taken_over_by_the_next(tmp_path: Path, broker: Broker) -> None:
    async with home(tmp_path, broker.port, Wearer()) as gateway:
        await gateway.start()
        await gateway.logged("gateway_ready")
        first = (await status(gateway))["pid"]
        await gateway.kill()
        assert socket_of(gateway).exists()
        with pytest.raises(Refusal) as refused:
            await ask(gateway, {"ask": "status"})
        assert refused.value.key == "control.not_running"
        await gateway.start()
        await gateway.logged("gateway_ready", 2)
        assert (await status(gateway))["pid"] == gateway.process.pid != first
        assert await gateway.ended(15) == 0
        assert not socket_of(gateway).exists()


async def test_a_second_gateway_with_the_same_socket_is_refused_and_the_first_goes_on(
    tmp_path: Path, broker: Broker
) -> None:
    (tmp_path / "b").mkdir()
    async with home(tmp_path, broker.port, Wearer()) as first, home(tmp_path / "b", broker.port, Wearer()) as second:
        await first.start()
        await first.logged("gateway_ready")
        with second.config.open("a") as file:
            file.write(f'[control]\nsocket = "{socket_of(first)}"\n')
        await second.start()
        assert await second.ended() == 2
        assert second.lines("refused")[0]["why"] == "control.in_use"
        assert (await status(first))["pid"] == first.process.pid


async def test_every_way_is_tested_when_somebody_asks(tmp_path: Path, broker: Broker) -> None:
    async with platform(broker.port) as there, home(tmp_path, broker.port, Wearer()) as gateway:
        await gateway.start()
        await gateway.logged("gateway_ready")
        assert check("path_test", await ask(gateway, {"ask": "path_test"}))["ways"] == ["primary"]
        await gateway.logged("path_test_passed")
        (way,) = (await status(gateway))["ways"]
        assert way["last_test_age_s"] <= 20
        assert (way["test_failed"], way["test_under_way"]) == ("", False)
        rows = [row for data in there.of("event") for row in data["events"]]
        assert {row["kind"] for row in rows} == {"path_test_primary"}
