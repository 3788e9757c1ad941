"""The parts of the way by SMS that need no port: reports, the limit, the ladder."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.uplinks.sms import lines
from edge_daemon.uplinks.sms.budget import BEYOND_EVERY_MS, Budget
from edge_daemon.uplinks.sms.failures import ModemFailed, PortMissing, SimUnusable
from edge_daemon.uplinks.sms.ladder import Ladder, Step, Timing
from edge_daemon.uplinks.sms.memory import Memory
from edge_daemon.uplinks.sms.reports import Delivery, Reports, State

from .sms_way import NUMBERS, WITHIN_S


class Hands(Clock):
    """A clock that a test turns."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ms = 10_000_000

    def now_ms(self) -> int:
        return self.at_ms


# Reports.


def reports() -> tuple[Reports, Hands, Counters, list[Delivery]]:
    clock, counters, changed = Hands(), Counters(), list[Delivery]()
    return Reports(clock, counters, changed.append), clock, counters, changed


def test_a_report_that_comes_before_its_reference_is_kept_for_a_minute() -> None:
    of, clock, _, changed = reports()
    first, second = Delivery(0, State.TAKEN), Delivery(0, State.TAKEN)
    of.heard(lines.Report(7, NUMBERS[0], 0))
    of.sent(7, NUMBERS[0], first)
    assert (first.state, changed) == (State.DELIVERED, [first])
    of.heard(lines.Report(8, NUMBERS[0], 0))
    clock.at_ms += 60_000
    of.sent(8, NUMBERS[0], second)
    assert second.state is State.TAKEN


def test_a_reference_that_comes_round_means_the_newest_message() -> None:
    of, _, _, _ = reports()
    old, new, other = (Delivery(index, State.TAKEN) for index in (0, 0, 1))
    of.sent(7, NUMBERS[0], old)
    of.sent(7, NUMBERS[0], new)
    of.sent(7, NUMBERS[1], other)
    of.heard(lines.Report(7, NUMBERS[0], 0))
    assert [one.state for one in (old, new, other)] == [State.TAKEN, State.DELIVERED, State.TAKEN]


def test_what_is_settled_stays_and_what_is_tried_still_does_not() -> None:
    of, _, counters, changed = reports()
    one = Delivery(0, State.TAKEN)
    of.sent(7, NUMBERS[0], one)
    for status in (0x20, 0x3F, 0x02, 0x60, 0x00):
        of.heard(lines.Report(7, "", status))
    assert (one.state, one.code) == (State.NOT_DELIVERED, 0x60)
    assert len(changed) == 4
    assert counters.snapshot() == {"sms_report_repeated": 1}


def test_a_message_of_the_day_before_yesterday_is_reported_on_no_more() -> None:
    of, clock, _, _ = reports()
    old = Delivery(0, State.TAKEN)
    of.sent(7, NUMBERS[0], old)
    clock.at_ms += 27 * 3_600_000
    of.sent(8, NUMBERS[0], Delivery(0, State.TAKEN))
    of.heard(lines.Report(7, NUMBERS[0], 0))
    assert old.state is State.TAKEN


# The limit.


def budget(directory: Path, most: int, clock: Clock) -> Budget:
    return Budget(most, Memory(directory / "sms.json", clock.boot_id), clock, Counters())


def test_news_always_gets_through_and_a_loop_does_not(tmp_path: Path) -> None:
    clock = Hands()
    of = budget(tmp_path, 5, clock)
    assert [of.take("a", 0, test=False) for _ in range(10)] == [True] * 4 + [False] * 6
    assert of.take("b", 0, test=False)
    assert not of.take("c", 0, test=False)
    clock.at_ms += BEYOND_EVERY_MS
    assert not of.take("d", 0, test=True)
    assert not of.take("a", 0, test=False)
    assert of.take("c", 0, test=False)
    assert not of.take("c", 1, test=False)
    clock.at_ms += 3_600_000
    assert of.used == 0
    assert of.take("a", 0, test=False)


def test_a_loop_of_new_events_costs_one_a_minute_at_most(tmp_path: Path) -> None:
    clock = Hands()
    of = budget(tmp_path, 20, clock)
    went = 0
    for second in range(3600):
        clock.at_ms += 1000
        went += of.take(f"event {second}", 0, test=False)
    assert 20 + 58 <= went <= 20 + 60


def test_a_limit_of_one_is_kept_for_news(tmp_path: Path) -> None:
    of = budget(tmp_path, 1, Hands())
    assert not of.take("t", 0, test=True)
    assert of.take("a", 0, test=False)
    assert not of.take("a", 0, test=False)


def test_what_was_refused_is_given_back(tmp_path: Path) -> None:
    of = budget(tmp_path, 2, Hands())
    for _ in range(10):
        assert of.take("a", 0, test=False)
        of.give_back("a", 0)
    assert of.used == 0
    assert of.take("a", 0, test=False)
    assert not of.take("a", 0, test=False)


async def test_the_count_outlives_the_daemon_and_not_the_machine(tmp_path: Path) -> None:
    clock = Hands()
    for _ in range(3):
        one = budget(tmp_path, 100, clock)
        one.take("a", 0, test=False)
        async with asyncio.timeout(WITHIN_S):
            while one._memory._writing:
                await asyncio.sleep(0.01)
    assert budget(tmp_path, 100, clock).used == 3
    clock.boot_id = "another"
    assert budget(tmp_path, 100, clock).used == 0


@pytest.mark.parametrize(
    "found", [b"", b"[]", b"\xff", b'{"sent_ms": 5}', b'{"sent_ms": ["x", true, 1e3], "pin_tried": []}']
)
async def test_a_memory_that_cannot_be_read_is_begun_anew(tmp_path: Path, found: bytes) -> None:
    path = tmp_path / "sms.json"
    path.write_bytes(found)
    memory = Memory(path, "boot")
    assert memory.sent_ms == []
    assert await memory.keep(WITHIN_S)
    assert json.loads(path.read_bytes())["boot_id"] == "boot"
    assert path.stat().st_mode & 0o777 == 0o600


# The ladder.


def test_the_steps_get_rougher_and_a_restart_has_its_time() -> None:
    clock = Hands()
    ladder = Ladder(Timing(), clock)
    steps = []
    for _ in range(4):
        steps.append(ladder.step())
        ladder.failed(ModemFailed("x"))
    assert steps == [Step.REOPEN, Step.TO_DEFAULTS, Step.RESET, Step.TO_DEFAULTS]
    clock.at_ms += 121_000
    assert ladder.step() is Step.RESET
    ladder.healed()
    assert ladder.step() is Step.REOPEN


@pytest.mark.parametrize("error", [PortMissing("x"), SimUnusable("x")])
def test_nothing_is_restarted_for_want_of_a_port_or_a_card(error: ModemFailed | SimUnusable) -> None:
    ladder = Ladder(Timing(), Hands())
    for _ in range(20):
        ladder.failed(error)
    assert ladder.step() is Step.REOPEN
    assert 0 < ladder.pause_s() <= Timing().pause_most_s


async def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """A pipe that nobody reads, in the place of the file."""
    os.mkfifo(tmp_path / "sms.new")
    clock = Hands()
    memory = Memory(tmp_path / "sms.json", clock.boot_id)
    of = Budget(5, memory, clock, Counters())
    assert [of.take("a", 0, test=False) for _ in range(6)] == [True] * 4 + [False] * 2
    assert not await memory.keep(0.2)
    assert sum(thread.name == "sms memory" for thread in threading.enumerate()) == 1
    # The reader comes: what was to be written last is.
    with (tmp_path / "sms.new").open("rb"):
        (tmp_path / "sms.new").unlink()
        assert await memory.keep(WITHIN_S)
    assert Memory(tmp_path / "sms.json", clock.boot_id).sent_ms == memory.sent_ms
