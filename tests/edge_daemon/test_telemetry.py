"""Telemetry on its way: at once where there is a way, else on disk, newest first out, and given up before any alarm."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.heard import Heard
from edge_daemon.telemetry import Telemetry
from edge_daemon.telemetry.segments import SEGMENT_BYTES, Segments
from edge_daemon.telemetry.telemetry import ROWS_AT_ONCE
from protocol.messages import Heartbeat, pack_heartbeat

from .schemas import check
from .test_payload import Boots
from .wearer import Recorder

HANDLE = "00112233445566aa"


def _beat(uptime_s: int) -> Heartbeat:
    return Heartbeat(pack_heartbeat(uptime_s, 3900, 80, 20_000, (0, 1, 0), 1, 0, 0))


class Platform:
    """Takes what is published, as the broker would."""

    def __init__(self) -> None:
        self.connected = True
        self.fails = False
        self.waiting = 0
        self.messages: list[list[dict[str, Any]]] = []
        self.clock = Clock()
        self.counters = Counters()

    async def publish(self, data: bytes) -> None:
        if not self.connected or self.fails:
            raise UplinkDown("away")
        message = json.loads(data)
        check("telemetry", message)
        self.messages.append(message["wearables"])

    @property
    def uptimes(self) -> list[int]:
        return [row["uptime_s"] for message in self.messages for row in message]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.uptimes) < count:
                await asyncio.sleep(0.01)


def _files(place: Path) -> list[Path]:
    return sorted(place.iterdir())


@contextlib.asynccontextmanager
async def telemetry(place: Path, there: Platform, most_bytes: int = 1 << 26) -> AsyncIterator[Telemetry]:
    made = Telemetry(
        "gw-1",
        Segments(place, most_bytes),
        there.publish,
        lambda: there.connected,
        lambda: there.waiting,
        Ages(Boots(), there.clock),
        there.counters,
    )
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _hear(made: Telemetry, there: Platform, uptime_s: int, ago_ms: int = 0) -> None:
    made.wearable(HANDLE, _beat(uptime_s), Heard(b"", "ble", -60, there.clock.now_ms() - ago_ms, Recorder()))


async def test_with_a_way_it_goes_at_once_and_touches_no_disk(tmp_path: Path) -> None:
    there = Platform()
    async with telemetry(tmp_path / "telemetry", there) as made:
        for number in range(3):
            _hear(made, there, number, ago_ms=5000)
        await there.until(3)
    assert not (tmp_path / "telemetry").exists()
    assert 5000 <= there.messages[0][0]["heard_age_ms"] < 60_000


async def test_without_a_way_it_is_kept_over_a_restart_and_goes_out_newest_first_by_its_age(tmp_path: Path) -> None:
    there = Platform()
    there.connected = False
    for start in (0, 1000, 2000):
        async with telemetry(tmp_path, there) as made:
            for number in range(start, start + 300):
                _hear(made, there, number, ago_ms=100_000)
    assert [path.name for path in _files(tmp_path)] == [f"00000000{n}.jsonl" for n in (1, 2, 3)]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in _files(tmp_path))
    there.connected = True
    async with telemetry(tmp_path, there) as made:
        _hear(made, there, 5000)
        await there.until(901)
        async with asyncio.timeout(20):
            while _files(tmp_path):
                await asyncio.sleep(0.01)
    assert there.uptimes.index(5000) < 300, "a fresh one overtakes"
    there.messages[:] = [[row for row in message if row["uptime_s"] != 5000] for message in there.messages]
    assert there.uptimes == [*range(2000, 2300), *range(1000, 1300), *range(300)]
    assert min(row["heard_age_ms"] for row in there.messages[-1]) >= 100_000


async def test_a_way_that_breaks_in_the_middle_loses_none_and_sends_none_twice(tmp_path: Path) -> None:
    there = Platform()
    there.connected = False
    async with telemetry(tmp_path, there) as made:
        for number in range(2500):
            _hear(made, there, number)
    there.connected = True
    async with telemetry(tmp_path, there) as made:
        for turn in range(4):
            seen = len(there.uptimes)
            await there.until(min(seen + 300, 2500))
            there.fails = True
            _hear(made, there, 9000 + turn)
            await asyncio.sleep(0.05)
            there.fails = False
            made.hurry()
        await there.until(2504)
    assert len(there.uptimes) == len(set(there.uptimes)) == 2504
    assert set(range(2500)) < set(there.uptimes)


async def test_while_alarms_wait_it_trickles(tmp_path: Path) -> None:
    there = Platform()
    there.waiting = 1
    async with telemetry(tmp_path, there) as made:
        for number in range(1000):
            _hear(made, there, number)
        await there.until(1)
        await asyncio.sleep(0.3)
        assert len(there.messages) == 1


async def test_what_was_kept_rests_twice_as_long_as_each_message_took(tmp_path: Path) -> None:
    there = Platform()
    there.connected = False
    async with telemetry(tmp_path / "telemetry", there) as made:
        for uptime_s in range(4 * ROWS_AT_ONCE):
            _hear(made, there, uptime_s)
    loop = asyncio.get_running_loop()
    spans: list[tuple[float, float]] = []

    async def slow(_data: bytes) -> None:
        began_s = loop.time()
        await asyncio.sleep(0.05)
        spans.append((began_s, loop.time()))

    there.connected = True
    there.publish = slow  # type: ignore[method-assign]
    async with telemetry(tmp_path / "telemetry", there), asyncio.timeout(30):
        while len(spans) < 4:
            await asyncio.sleep(0.01)
    for (began_s, ended_s), (next_s, _) in itertools.pairwise(spans):
        assert next_s - ended_s >= min(1.9 * (ended_s - began_s), 0.09)


async def test_the_oldest_goes_when_there_is_too_much(tmp_path: Path) -> None:
    there = Platform()
    there.connected = False
    count = 9 * SEGMENT_BYTES // 80
    async with telemetry(tmp_path, there, most_bytes=3 * SEGMENT_BYTES) as made:
        for number in range(count):
            _hear(made, there, number)
            if number % 1000 == 0:
                await asyncio.sleep(0)
        async with asyncio.timeout(20):
            while made._fresh and len(made._fresh) >= 500:
                await asyncio.sleep(0.01)
    assert sum(path.stat().st_size for path in _files(tmp_path)) <= 4 * SEGMENT_BYTES
    there.connected = True
    async with telemetry(tmp_path, there):
        async with asyncio.timeout(30):
            while _files(tmp_path):
                await asyncio.sleep(0.01)
    assert max(there.uptimes) == count - 1
    kept = sorted(there.uptimes)
    assert kept == list(range(kept[0], count)), "the newest, without a gap"
    assert kept[0] > 0


def test_torn_and_foreign_lines_cost_themselves_only(tmp_path: Path) -> None:
    there = Platform()
    good = [there.clock.now_ms(), HANDLE, "ble", -60, 7, 3900, 80, 20480, "0.1.0", 1, 1, 0, False, [], *[None] * 4]
    lines = [
        json.dumps([there.clock.boot_id]).encode(),
        json.dumps(good).encode(),
        json.dumps(good).encode()[:40],
        b"\xff\xfe garbage",
        b"{}",
        b"[]",
        b'["x"]',
        b"[" * 3000,
        json.dumps([True, *good[1:]]).encode(),
        json.dumps(good).encode(),
    ]
    (tmp_path / "000000004.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "notes.txt").write_text("a technician's")

    async def drain() -> None:
        async with telemetry(tmp_path, there):
            await there.until(2)
            async with asyncio.timeout(20):
                while (tmp_path / "000000004.jsonl").exists():
                    await asyncio.sleep(0.01)

    asyncio.run(drain())
    assert there.uptimes == [7, 7]
    assert (tmp_path / "notes.txt").exists()


async def test_a_disk_that_takes_nothing_costs_telemetry_and_nothing_else(tmp_path: Path) -> None:
    there = Platform()
    there.connected = False
    (tmp_path / "telemetry").write_text("no directory")
    async with telemetry(tmp_path / "telemetry", there) as made:
        for number in range(600):
            _hear(made, there, number)
        async with asyncio.timeout(20):
            while not there.counters.snapshot().get("telemetry_lost"):
                await asyncio.sleep(0.01)
        there.connected = True
        _hear(made, there, 9000)
        await there.until(1)


def test_evicting_frees_the_oldest_and_says_how_much(tmp_path: Path) -> None:
    segments = Segments(tmp_path, 1 << 30)
    for start in range(0, 9000, 3000):
        segments.append(["boot"], [[number] * 20 for number in range(start, start + 3000)])
    names = _files(tmp_path)
    assert len(names) > 2
    size = names[0].stat().st_size
    assert segments.evict() == size
    assert _files(tmp_path) == names[1:]
    while segments.evict():
        pass
    assert _files(tmp_path) == []


def test_a_burst_larger_than_all_the_room_leaves_its_newest(tmp_path: Path) -> None:
    segments = Segments(tmp_path, 2 * SEGMENT_BYTES)
    segments.append(["boot"], [[number] * 20 for number in range(20_000)])
    assert sum(path.stat().st_size for path in _files(tmp_path)) <= 2 * SEGMENT_BYTES
    taken = segments.take_newest()
    assert taken is not None
    assert taken[2][-1][0] == 19_999
