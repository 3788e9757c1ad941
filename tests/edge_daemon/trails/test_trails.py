"""Trails at the gateway: kept before they are taken, sent in their order, forgotten when the platform has them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from edge_daemon.errors import UplinkDown
from edge_daemon.trails import trails as module
from edge_daemon.trails.store import Box, Store, TrailsFailed
from edge_daemon.uplinks import answers
from protocol import box as boxes
from protocol.watchful import Trail, pack_trail

from .bench import Bench, on_disk, until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.02)


async def test_a_box_is_on_disk_before_it_is_taken_and_off_it_when_the_platform_has_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.running() as trails:
        bench.hand_over(trails, 7)
        await until(lambda: bench.taken() == [7])
        assert on_disk(bench.file) == [7]
        await until(lambda: bench.said() == [7])
        row = bench.sent[0]["trails"][0]
        content = boxes.opened(bench.wearer.keys.trail, boxes.TRAIL, bytes.fromhex(row["box"]))
        assert (row["wearable"], row["number"], content) == (bench.wearer.handle, 0, b"positions 7")
        trails.taken([(bench.wearer.handle, 7)])
        await until(lambda: on_disk(bench.file) == [])
    assert bench.file.stat().st_mode & 0o777 == 0o600


async def test_what_the_disk_does_not_take_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    monkeypatch.setattr(module, "_REOPEN_AFTER_MS", 50)

    def fail(*_: object) -> None:
        raise TrailsFailed("no room")

    async with bench.running() as trails:
        with monkeypatch.context() as failing:
            failing.setattr(Store, "keep", fail)
            bench.hand_over(trails, 1)
            await until(lambda: bench.counters.snapshot().get("trails_unstored") == 1)
            assert bench.taken() == []
        await until(lambda: trails._open)
        bench.hand_over(trails, 1)
        await until(lambda: bench.taken() == [1])


async def test_the_next_life_goes_on_with_what_the_platform_does_not_have(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        for sequence in (1, 2, 3):
            bench.hand_over(trails, sequence)
        await until(lambda: sorted(bench.taken()) == [1, 2, 3])
        assert bench.sent == []
        trails.taken([(bench.wearer.handle, 2)])
        await until(lambda: on_disk(bench.file) == [1, 3])
    bench.connected = True
    async with bench.running():
        await until(lambda: bench.said() == [3, 1])


async def test_news_of_an_event_goes_first_and_alarms_before_all_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        for sequence, number in ((1, 0), (2, 12), (3, 0), (4, 12), (5, 0)):
            bench.hand_over(trails, sequence, number)
        await until(lambda: len(bench.taken()) == 5)
        bench.connected, bench.alarms = True, 1
        trails.hurry()
        await until(lambda: bench.said() == [4, 2])
        await asyncio.sleep(0.1)
        assert bench.said() == [4, 2], "a trail went while an alarm waited"
        bench.alarms = 0
        trails.taken([(bench.wearer.handle, 2), (bench.wearer.handle, 4)])
        await until(lambda: bench.said() == [4, 2, 5, 3, 1])


async def test_one_message_at_a_time_and_each_again_until_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        for sequence in range(50):
            bench.hand_over(trails, sequence)
        await until(lambda: len(bench.taken()) == 50)
        bench.connected = True
        trails.hurry()
        await until(lambda: len(bench.sent) == 1)
        await asyncio.sleep(0.1)
        assert bench.said() == list(range(49, 29, -1))
        trails.taken([(bench.wearer.handle, sequence) for sequence in bench.said()])
        await until(lambda: len(bench.sent) == 2)
        assert bench.said()[20:] == list(range(29, 9, -1))
        # Nobody answers this one: after its time the rest goes, and then these again.
        monkeypatch.setattr(bench.clock, "now_ms", lambda: Clock().now_ms() + 11_000)
        await until(lambda: len(bench.sent) == 3)
        assert bench.said()[40:] == list(range(9, -1, -1))
        trails.taken([(bench.wearer.handle, sequence) for sequence in range(10)])
        monkeypatch.setattr(bench.clock, "now_ms", lambda: Clock().now_ms() + 31_000)
        await until(lambda: len(bench.sent) == 4)
        assert bench.said()[50:] == list(range(29, 9, -1))


async def test_a_broker_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    left = [2]

    def fail_twice() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise UplinkDown("gone")

    bench.publishes = fail_twice
    async with bench.running() as trails:
        bench.hand_over(trails, 1)
        await until(lambda: bench.said() == [1])
    assert left[0] == -1


async def test_a_box_that_comes_twice_is_one_and_taken_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        bench.hand_over(trails, 1)
        bench.hand_over(trails, 1)
        await until(lambda: bench.taken() == [1, 1])
        assert (len(trails._waits), on_disk(bench.file)) == (1, [1])


async def test_a_full_store_takes_nothing_more_but_news_of_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT_MOST", 2)
    monkeypatch.setattr(module, "_URGENT_MOST", 1)
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        for sequence, number in ((1, 0), (2, 0), (3, 0), (4, 9), (5, 9)):
            bench.hand_over(trails, sequence, number)
            await asyncio.sleep(0.1)
        assert sorted(bench.taken()) == [1, 2, 4]
        assert bench.counters.snapshot()["trails_refused"] == 2


@pytest.mark.parametrize("what", [b"", b"\x01" + bytes(19), b"\x02" + bytes(40)], ids=["empty", "short", "settings"])
async def test_what_is_no_box_of_positions_is_not_taken(tmp_path: Path, what: bytes) -> None:
    bench = Bench(tmp_path)
    async with bench.running() as trails:
        trail = Trail(pack_trail(0, b"x"))
        trail.box = what
        trails.heard(None, trail)  # type: ignore[arg-type]
        assert bench.counters.snapshot()["not_understood"] == 1


async def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.file.write_bytes(b"no database" * 500)
    async with bench.running() as trails:
        await until(lambda: trails._open)
        bench.hand_over(trails, 1)
        await until(lambda: bench.taken() == [1])
    assert bench.damaged == [("trails.sqlite3", "trails.sqlite3.damaged-1")]
    assert (tmp_path / "trails.sqlite3.damaged-1").read_bytes().startswith(b"no database")


def test_what_the_platform_says_is_read_as_untrusted_as_the_radio() -> None:
    rows: list[object] = [
        {"wearable": "ab" * 8, "sequence": 3},
        {"wearable": "ab" * 8, "sequence": -1},
        {"wearable": "AB" * 8, "sequence": 3},
        {"wearable": "ab" * 8, "sequence": True},
        {"wearable": "ab" * 8, "sequence": 1 << 32},
        {"wearable": "ab" * 8, "sequence": "3"},
        "row",
    ]
    assert answers.read_taken(json.dumps({"v": 1, "taken": rows}).encode()) == [("ab" * 8, 3)]
    with pytest.raises(answers.NotUnderstood):
        answers.read_taken(b'{"v": 1}')


async def test_it_stops_in_order_in_the_middle_of_whatever_the_disk_does(tmp_path: Path) -> None:
    """The connection is never closed under a statement that runs: that would end the process with a fault in C."""
    bench = Bench(tmp_path)
    bench.connected = False
    for sequence in range(0, 400, 20):
        async with bench.running() as trails:
            for more in range(20):
                bench.hand_over(trails, sequence + more)
            for _ in range(sequence // 20 % 7):
                await asyncio.sleep(0.001)
        assert trails._store._db is None
    assert len(on_disk(bench.file)) >= len(set(bench.taken()))


async def test_a_box_that_cannot_be_read_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is judged anew, and set aside where it is damaged."""
    monkeypatch.setattr(module, "_REOPEN_AFTER_MS", 50)
    bench = Bench(tmp_path)
    bench.connected = False
    async with bench.running() as trails:
        for sequence in range(3):
            bench.hand_over(trails, sequence)
        await until(lambda: len(bench.taken()) == 3)
        bench.file.write_bytes(b"no database" * 2000)
        bench.connected = True
        trails.hurry()
        await until(lambda: bench.damaged == [("trails.sqlite3", "trails.sqlite3.damaged-1")])
        assert bench.counters.snapshot()["trails_unstored"] == 1
        bench.hand_over(trails, 7)
        await until(lambda: 7 in bench.said())


def test_what_the_table_refuses_is_not_kept_in_silence(tmp_path: Path) -> None:
    store = Store(tmp_path / "trails.sqlite3")
    store.open()
    refused = Box("ab" * 8, 1, 0, None, "boot", 1)  # type: ignore[arg-type]
    with pytest.raises(TrailsFailed):
        store.keep([refused])
    store.close()


def test_a_commit_is_synced_with_the_directory_that_it_needs(tmp_path: Path) -> None:
    """EXTRA (3): SQLite's FULL leaves the deletion of its journal to the kernel."""
    store = Store(tmp_path / "trails.sqlite3")
    store.open()
    assert store._connection().execute("PRAGMA synchronous").fetchone() == (3,)
    store.close()
