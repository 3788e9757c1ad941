"""The gateway as a process: it starts, it refuses, it stops, and it keeps quiet about secrets."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import codes

from .home import Home, WiredWearable, home
from .platform_end import platform
from .proxy import proxy
from .wearer import Wearer


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_order(tmp_path: Path, broker: Broker, number: signal.Signals) -> None:
    async with platform(broker.port) as there, home(tmp_path, broker.port, Wearer()) as gateway:
        await gateway.start()
        await there.until("status")
        assert await gateway.ended(number) == 0
        said = await there.until("status", 2)
        assert [row["reason"] for row in said] == ["connected", "stopped"]


async def test_it_stops_at_once_also_while_it_looks_for_the_broker(tmp_path: Path) -> None:
    unused = Broker()
    try:
        async with home(tmp_path, unused.port, Wearer()) as gateway:
            await gateway.start()
            await gateway.logged("uplink_failed")
            assert await gateway.ended(signal.SIGTERM) == 0
    finally:
        unused.close()


async def _refused(gateway: Home) -> str:
    await gateway.start()
    assert await gateway.ended() == 2
    (line,) = gateway.lines("refused")
    return str(line["why"])


async def test_what_a_person_must_put_right_ends_it_with_2_and_one_line(tmp_path: Path) -> None:
    async with home(tmp_path, 1883, Wearer()) as gateway:
        keys = tmp_path / "wearables.json"
        keys.chmod(0o644)
        assert await _refused(gateway) == "private.too_open"
    for file, text, why in (
        ("gateway.toml", "[gateway\n", "config.not_toml"),
        ("wearables.json", "{}", "registry.wrong_shape"),
    ):
        directory = tmp_path / why
        directory.mkdir()
        async with home(directory, 1883, Wearer()) as gateway:
            (directory / file).parent.mkdir(exist_ok=True)
            (directory / file).write_text(text)
            assert await _refused(gateway) == why


async def test_a_second_gateway_on_the_same_state_is_refused_and_the_first_goes_on(
    tmp_path: Path, broker: Broker
) -> None:
    async with home(tmp_path, broker.port, Wearer()) as first, home(tmp_path, broker.port, Wearer()) as second:
        await first.start()
        await first.logged("gateway_ready")
        await second.start()
        assert await second.ended() == 2
        assert second.lines("refused")[0]["why"] == "journal.in_use"
        assert await first.ended(signal.SIGTERM) == 0


async def test_a_machine_without_bluetooth_still_takes_a_press_by_wire(tmp_path: Path, broker: Broker) -> None:
    wearer = Wearer()
    async with platform(broker.port) as there, home(tmp_path, broker.port, wearer, ble=True) as gateway:
        wearable = WiredWearable(tmp_path, wearer)
        await gateway.start()
        await gateway.logged("scan_failed")
        number = wearable.press()
        await wearable.until(number, codes.ACCEPTED)
        await there.until_incidents(1)
        await gateway.logged("scan_failed", 2)
        wearable.close()


async def test_a_press_without_a_broker_is_stored_then_no_path_then_accepted(tmp_path: Path) -> None:
    broker = Broker()
    wearer = Wearer()
    try:
        async with home(tmp_path, broker.port, wearer) as gateway:
            wearable = WiredWearable(tmp_path, wearer)
            await gateway.start()
            first = wearable.press()
            await wearable.until(first, codes.NO_PATH)
            second = wearable.press()
            await wearable.until(second, codes.NO_PATH)
            broker.start()
            async with platform(broker.port) as there:
                for number in (first, second):
                    assert await wearable.until(number, codes.ACCEPTED) == [
                        codes.STORED,
                        codes.NO_PATH,
                        codes.ACCEPTED,
                    ]
                assert set(there.incidents) == {f"{wearer.handle}-{number:06x}" for number in (first, second)}
            wearable.close()
    finally:
        broker.close()


async def test_its_log_holds_no_key_and_no_frame_and_nothing_but_json(tmp_path: Path, broker: Broker) -> None:
    wearer, stranger = Wearer("a"), Wearer("s")
    async with (
        platform(broker.port, says=("accepted", "answered", "closed")) as there,
        proxy(broker.port) as between,
        home(tmp_path, between.port, wearer, level="DEBUG") as gateway,
    ):
        wearable, passing = WiredWearable(tmp_path, wearer), WiredWearable(tmp_path, stranger)
        await gateway.start()
        await wearable.until(wearable.press(), codes.CLOSED)
        passing.press()
        await there.until("stranger")
        await there.say("answer", b"not json " + wearable.frames[0])
        await there.say("command", {"v": 1, "command": "c-1", "name": "locate", "wearable": wearer.handle})
        await there.until("result")
        wearable.press()
        await gateway.logged("platform_not_understood")
        between.cut()
        await gateway.logged("uplink_lost")
        await gateway.logged("uplink_connected", 2)
        assert await gateway.ended(signal.SIGTERM) == 0
        for end in (wearable, passing):
            end.close()
    text = gateway.log.read_text(encoding="utf-8")
    assert any(line["level"] == "debug" for line in gateway.lines())
    secrets = [getattr(w.keys, name) for w in (wearer, stranger) for name in ("up", "down", "id", "trail")]
    secrets += [b"test_only_" + name for name in (b"a", b"s")]
    for secret in [*secrets, *wearable.frames, *passing.frames]:
        for form in (
            secret.hex(),
            secret.hex().upper(),
            repr(secret)[2:-1],
            json.dumps(secret.decode("latin-1"))[1:-1],
        ):
            assert form not in text


async def test_a_full_house_is_answered_within_the_retry_schedule(tmp_path: Path, broker: Broker) -> None:
    wearers = [Wearer(f"w{n}") for n in range(20)]
    async with platform(broker.port) as there, home(tmp_path, broker.port, *wearers) as gateway:
        wearables = [WiredWearable(tmp_path, wearer) for wearer in wearers]
        await gateway.start()
        await gateway.logged("serial_opened", 20)
        numbers = [wearable.press() for wearable in wearables]
        shown = await asyncio.gather(
            *(w.until(number, codes.ACCEPTED) for w, number in zip(wearables, numbers, strict=True))
        )
        assert len(there.incidents) == 20
        assert codes.NO_PATH not in {stage for stages in shown for stage in stages}
        for wearable in wearables:
            wearable.close()
