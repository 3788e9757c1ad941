"""The daemon in its own process on the bench's radio: it starts, hears, answers, is killed and starts again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hil_tests.child import ChildFailed
from hil_tests.gateway.process import GatewayProcess
from protocol import codes, fragments, messages
from tests.edge_daemon.wearer import Wearer

from .conftest import GATEWAY, NewRoom, Room
from .peripheral import Peripheral

_CLOSED_PORT = 1


def _config(directory: Path, *wearers: Wearer) -> Path:
    """A configuration with no platform to be reached."""
    key_file = directory / "wearables.json"
    key_file.touch(mode=0o600)
    key_file.write_text(json.dumps({"v": 1, "wearables": [one.registry_row() for one in wearers]}))
    file = directory / "gateway.toml"
    file.write_text(
        f"""
[gateway]
id = "gw-test"
area = "test"
state_dir = "{directory}"
[wearables]
key_file = "{key_file}"
[ble]
linger_s = 1
recovery = ["scan"]
[serial]
ports = []
[platform]
host = "127.0.0.1"
port = {_CLOSED_PORT}
tls = false
"""
    )
    return file


async def _start(room: Room, config: Path) -> GatewayProcess:
    gateway = await GatewayProcess.start(room.logs, config, room.radio.hci(GATEWAY))
    room.ends.push_async_callback(gateway.kill)
    await gateway.logged("scan_started")
    return gateway


async def _answer(peripheral: Peripheral, wearer: Wearer) -> messages.Answer:
    joiner = fragments.Joiner()
    while True:
        sealed = joiner.feed(bytes.fromhex((await peripheral.says("value"))[0]))
        if sealed is not None:
            answer = wearer.open(sealed)
            assert isinstance(answer, messages.Answer)
            return answer


@pytest.fixture
def wearer() -> Wearer:
    return Wearer()


@pytest.fixture
async def room(new_room: NewRoom) -> Room:
    return await new_room()


async def test_a_press_is_stored_and_answered_and_a_kill_forgets_neither(
    room: Room, tmp_path: Path, wearer: Wearer
) -> None:
    gateway = await _start(room, _config(tmp_path, wearer))
    peripheral = await room.peripheral()
    peripheral.tell("advertise", 1, 30, wearer.event().hex())
    heard = await gateway.logged("event_heard", link="ble")
    assert heard["event"] == f"{wearer.handle}-000001"
    answer = await _answer(peripheral, wearer)
    assert (answer.number, answer.stage) == (1, codes.STORED)

    await gateway.kill()
    await peripheral.says("disconnected")  # by the supervision timeout: nobody said good-bye
    mark = len(gateway.logs)
    await gateway.restart()
    await gateway.logged("journal_opened", after=mark, alarms=1)
    peripheral.tell("advertise", 1, 30, wearer.hello(1, codes.STORED).hex())
    answer = await _answer(peripheral, wearer)
    assert (answer.number, answer.stage) == (1, codes.STORED)
    assert await gateway.stop() == 0


async def test_what_the_hostile_radio_recorded_and_made_up_changes_nothing(
    room: Room, tmp_path: Path, wearer: Wearer
) -> None:
    gateway = await _start(room, _config(tmp_path, wearer))
    peripheral = await room.peripheral()
    peripheral.tell("advertise", 1, 30, wearer.event().hex())
    await _answer(peripheral, wearer)
    await peripheral.says("disconnected")
    await gateway.kill()
    mark = len(gateway.logs)
    await gateway.restart()  # so that only the journal can know what has been
    await gateway.logged("scan_started", after=mark)
    assert await room.radio.control("replay", name="pendant-1") == 1
    await room.radio.control("flood", per_s=100, for_s=1)
    peripheral.tell("advertise", 1, 30, wearer.event().hex())
    await gateway.logged("event_heard", event=f"{wearer.handle}-000002")
    assert (await _answer(peripheral, wearer)).number == 2
    heard = [e["event"] for e in gateway.logs if e["log"] == "event_heard" and e["link"] != "gateway"]
    assert heard == [f"{wearer.handle}-000001", f"{wearer.handle}-000002"]


async def test_without_an_adapter_it_runs_and_goes_on_looking(tmp_path: Path, wearer: Wearer) -> None:
    gateway = await GatewayProcess.start(tmp_path, _config(tmp_path, wearer), f"unix:{tmp_path}/none")
    try:
        await gateway.logged("scan_failed")
        assert await gateway.stop() == 0
    finally:
        await gateway.kill()


async def test_a_gateway_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("[nonsense]\n")
    with pytest.raises(ChildFailed, match=r"config\.unknown_section"):
        await GatewayProcess.start(tmp_path, config)


async def test_what_is_never_logged_is_missed_in_time(tmp_path: Path, wearer: Wearer) -> None:
    gateway = await GatewayProcess.start(tmp_path, _config(tmp_path, wearer), f"unix:{tmp_path}/none")
    try:
        with pytest.raises(ChildFailed, match="gateway_ready"):
            await gateway.logged("event_heard", within_s=0.2)
    finally:
        await gateway.kill()
    assert not gateway.child.running
