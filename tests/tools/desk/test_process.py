"""The desk as a process: killed at any moment, stopped, refused, asked what it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.child import ROOT
from hil_tests.desk.process import DeskFailed, DeskProcess
from tests.tools.desk.gateway import WEARABLE, WITHIN_S, Gateway, event
from tests.tools.desk.wearable import Wearable, key_file, up_stranger

_KILLS = 6
_PRESSES = 120
# As a gateway's forwarder does, only sooner: what was not answered is sent again.
_RETRY_S = 0.3
_RANK = {"accepted": 1, "answered": 2, "closed": 3}


@contextlib.asynccontextmanager
async def started(directory: Path, broker: Broker, *arguments: str) -> AsyncIterator[DeskProcess]:
    desk = await DeskProcess.start(directory, broker.address, *arguments)
    try:
        yield desk
    finally:
        await desk.stop()


class Forwarder:
    """Sends each event until it is accepted, and remembers the highest stage it was told of each."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.stages: dict[str, str] = {}

    async def hear(self) -> None:
        while True:
            _, said, _ = await self._gateway.received.get()
            for row in said["answers"]:
                # Answers and news pass each other on the way; a gateway ignores what is not above what it has.
                if _RANK.get(row["answer"], 0) > _RANK.get(self.stages.get(row["event"], ""), 0):
                    self.stages[row["event"]] = row["answer"]

    async def until(self, wanted: dict[str, str], numbers: range, pace_s: float) -> None:
        """Send `numbers` at a pace, then again whatever is not at its wanted stage yet."""
        for number in numbers:
            await self._gateway.send(event(number))
            await asyncio.sleep(pace_s)
        async with asyncio.timeout(60):
            while self.stages != wanted:
                for name in [name for name, stage in wanted.items() if self.stages.get(name) != stage]:
                    await self._gateway.send(event(int(name[17:], 16)))
                await asyncio.sleep(_RETRY_S)


async def _operate(desk: DeskProcess, events: list[str]) -> None:
    """An operator who takes and closes everything, and tries again when the desk is away."""
    async with asyncio.timeout(60):
        for name in events:
            for action in (desk.take, desk.close):
                while True:
                    with contextlib.suppress(DeskFailed):
                        await action(name, "A")
                        break
                    await asyncio.sleep(0.02)


@pytest.mark.timeout(180)
async def test_killed_at_any_moment_it_ends_with_each_press_once_and_every_gateway_told(
    broker: Broker, tmp_path: Path
) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moment = random.Random(seed)
    events = [f"{WEARABLE}-{number:06x}" for number in range(_PRESSES)]
    wanted = dict.fromkeys(events, "closed")
    async with started(tmp_path / "desk", broker) as desk, Gateway(broker, "gw-1") as a, Gateway(broker, "gw-2") as b:
        forwarders = [Forwarder(a), Forwarder(b)]
        hearing = [asyncio.create_task(each.hear()) for each in forwarders]
        work = [asyncio.create_task(each.until(wanted, range(_PRESSES), 0.01)) for each in forwarders]
        work.append(asyncio.create_task(_operate(desk, events)))
        for _ in range(_KILLS):
            await asyncio.sleep(moment.uniform(0.0, 0.4))
            await desk.kill()
            await desk.restart()
        await asyncio.gather(*work)
        for task in hearing:
            task.cancel()
        assert (await desk.get("/api/incidents"))["open"] == 0
        for name in events:
            incident = await desk.get(f"/api/incidents/{name}")
            assert [row["action"] for row in incident["actions"]] == ["accepted", "answered", "closed"], name
            assert {report["gateway"] for report in incident["reports"]} == {"gw-1", "gw-2"}, name


@pytest.mark.timeout(180)
async def test_what_was_answered_accepted_is_there_after_a_kill_though_it_is_never_sent_again(
    broker: Broker, tmp_path: Path
) -> None:
    """A gateway stops at `accepted`: from then on the desk's store is the only place where the alarm is."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moment = random.Random(seed)
    accepted: set[str] = set()
    numbers = iter(range(1 << 20))

    over = asyncio.Event()

    async def press(gateway: Gateway) -> None:
        # Not until it is cancelled: aiomqtt's publish may swallow that (asyncio.wait_for of Python 3.11 does).
        while not over.is_set():
            await gateway.send(event(next(numbers)))
            await asyncio.sleep(0.01)

    async def hear(gateway: Gateway) -> None:
        while True:
            _, said, _ = await gateway.received.get()
            accepted.update(row["event"] for row in said["answers"] if row["answer"] == "accepted")

    async with started(tmp_path / "desk", broker) as desk, Gateway(broker, "gw-1") as gateway:
        work = [asyncio.create_task(press(gateway)), asyncio.create_task(hear(gateway))]
        for _ in range(_KILLS):
            before = len(accepted)
            async with asyncio.timeout(WITHIN_S):
                while len(accepted) < before + 20:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(moment.uniform(0.0, 0.1))
            await desk.kill()
            # What it said before it died is on the way to us yet.
            await asyncio.sleep(0.1)
            promised = set(accepted)
            await desk.restart()
            found = [incident["event"] for incident in await desk.incidents()]
            assert promised <= set(found)
            assert len(found) == len(set(found))
        over.set()
        await work[0]
        work[1].cancel()
        await asyncio.gather(*work, return_exceptions=True)
    assert len(accepted) >= 20 * _KILLS


async def test_it_says_where_it_listens_and_ends_in_order_on_a_signal(broker: Broker, tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        process = await _run(broker, tmp_path, "--listen", "127.0.0.1:0")
        try:
            assert process.stdout is not None
            line = json.loads(await asyncio.wait_for(process.stdout.readline(), WITHIN_S))
            assert line["listening"].startswith("http://127.0.0.1:")
            process.send_signal(number)
            assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "0.0.0.0:0"], "--served-as"),
        (["--listen", "nowhere"], "HOST:PORT"),
        (["--broker", "broker.example:1883"], "--allow-plain"),
        (["--database", "postgresql://a:test_only_secret@127.0.0.1/x"], "PGPASSFILE"),
        (["--database", "/dev/null/x"], "database"),
        (["--area", "A/B"], "--area"),
        (["--keys", "/nowhere/keys.json"], "/nowhere/keys.json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_it_refuses_it_refuses_in_one_line_that_says_what_to_do(
    broker: Broker, tmp_path: Path, arguments: list[str], said: str
) -> None:
    process = await _run(broker, tmp_path, *arguments)
    out, errors = await asyncio.wait_for(process.communicate(), WITHIN_S)
    assert process.returncode == 2
    assert out == b""
    (line,) = [line for line in errors.decode().splitlines() if not line.startswith("{")]
    assert line.startswith("pingan: ")
    assert said in line
    assert "test_only_secret" not in errors.decode()


async def test_two_desks_never_write_one_file(broker: Broker, tmp_path: Path) -> None:
    async with started(tmp_path, broker):
        process = await _run(broker, tmp_path, "--listen", "127.0.0.1:0")
        _, errors = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode == 2
        assert b"Another desk" in errors


async def test_neither_its_log_nor_its_files_tell_a_secret(broker: Broker, tmp_path: Path) -> None:
    wearable = Wearable()
    keys = key_file(tmp_path / "keys.json", wearable)
    async with started(tmp_path, broker, "--keys", str(keys)) as desk, Gateway(broker) as gateway:
        frame = wearable.event(12)
        await gateway.say("stranger", up_stranger("gw-1", frame))
        await asyncio.wait_for(gateway.received.get(), WITHIN_S)
        await desk.take(f"{wearable.handle}-00000c", "张三丰")
        await gateway.publish("event", b'{"note": "' + wearable.root.hex().encode() + b'"')
        async with asyncio.timeout(WITHIN_S):
            while not (await desk.get("/api/faults"))["faults"]:
                await asyncio.sleep(0.02)
        assert _modes(tmp_path) == {"0o600"}
        log = "\n".join(desk.child.lines)
    for secret in (wearable.root, wearable.keys.up, wearable.keys.down, wearable.keys.id, frame):
        assert secret.hex() not in log
    assert "张三丰" not in log
    assert "\\u5f20" not in log


def _modes(directory: Path) -> set[str]:
    return {oct(path.stat().st_mode & 0o777) for path in directory.glob("desk.sqlite3*")}


async def _run(broker: Broker, directory: Path, *arguments: str) -> asyncio.subprocess.Process:
    """A desk of our own, in English; later options win over these."""
    given = ["--broker", broker.address, "--database", str(directory / "desk.sqlite3"), "--lang", "en", *arguments]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tools.desk",
        *given,
        cwd=ROOT,
        env={**os.environ, "LANG": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
