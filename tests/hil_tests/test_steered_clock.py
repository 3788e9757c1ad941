"""The steered clock says what it is told to, and the real one counts what a machine sleeps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from hil_tests.faults.clock_steps import judge
from hil_tests.faults.fickle_platform import Row
from hil_tests.gateway.steered_clock import Machine, SteeredClock

HOUR_MS = 3_600_000
_ASK = (
    "import json, time; from edge_daemon.clock import Clock; c = Clock(); print(json.dumps([c.now_ms(), c.wall_ms()]))"
)
_SLEPT = ("unshare", "--time", "--boottime", "3600")


def test_a_steered_clock_is_displaced_as_the_file_says_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    Machine("run-1").write(file)
    steered, real = SteeredClock(file), Clock()
    assert steered.boot_id == "run-1"
    assert steered.synced()
    Machine("run-2", boot_ms=HOUR_MS, wall_ms=-3 * HOUR_MS, synced=False).write(file)
    assert steered.now_ms() - real.now_ms() == pytest.approx(HOUR_MS, abs=500)
    assert steered.wall_ms() - real.wall_ms() == pytest.approx(-3 * HOUR_MS, abs=500)
    assert steered.wall_at(steered.now_ms()) - steered.wall_ms() == pytest.approx(0, abs=500)
    assert not steered.synced()
    # Another run of the machine needs another life of the daemon.
    assert steered.boot_id == "run-1"


def _asked(*prefix: str) -> tuple[int, int]:
    said = subprocess.run([*prefix, sys.executable, "-c", _ASK], capture_output=True, check=True, text=True)
    now_ms, wall_ms = json.loads(said.stdout)
    return now_ms, wall_ms


def test_the_real_clock_counts_what_a_machine_sleeps() -> None:
    try:
        slept_ms, slept_wall_ms = _asked(*_SLEPT)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no time namespace here: {error}")
    now_ms, wall_ms = _asked()
    assert slept_ms - now_ms == pytest.approx(HOUR_MS, abs=30_000)
    assert wall_ms - slept_wall_ms < 30_000


def _row(heard_age_ms: int, quality: str = "exact", heard_at: str = "2026-11-24T11:59:00.000Z") -> Row:
    event = {
        "age_ms": 0,
        "heard_age_ms": heard_age_ms,
        "age_quality": quality,
        "heard_at": heard_at,
        "heard_at_clock": "synced",
    }
    return Row(0.0, "2026-11-24T12:00:00.000Z", "synced", event)


NOON_MS = 1795521600_000.0


@pytest.mark.parametrize(
    ("row", "knows", "right"),
    [
        (_row(60_000), "exact", True),
        (_row(61_500), "exact", False),
        (_row(58_500), "exact", False),
        (_row(60_000), "coarse", False),
        (_row(60_000, "at_least"), "at_least", True),
        (_row(30_000, "at_least"), "at_least", True),
        (_row(62_000, "at_least"), "at_least", False),
        (_row(10_000, "at_least"), "at_least", False),
        (_row(60_000, heard_at="2026-11-24T11:58:00.000Z"), "exact", False),
    ],
)
def test_the_judge_tells_right_from_wrong(row: Row, knows: str, right: bool) -> None:
    assert (judge(row, 60_000.0, NOON_MS, 30_000.0, knows) == "") is right


def test_the_judge_looks_at_the_wall_clock_too() -> None:
    assert judge(_row(60_000), 60_000.0, NOON_MS + 2000, 30_000.0, "exact")
