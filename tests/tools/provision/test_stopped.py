"""The tool itself is killed, or stopped by Ctrl-C, at each of its steps: the next run understands what it finds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hil_tests.board.bench import ROOT
from hil_tests.board.board import Board
from tests.tools.provision.conftest import KitBench, on_board

AT_ONCE = 3
POINTS = [
    ("connect", "begun"), ("look", "begun"), ("note", "begun"), ("note", "done"), ("write", "begun"), ("write", "done"),
    ("verify", "done"), ("activate", "begun"), ("activate", "done"), ("keep", "done"), ("lock", "begun"),
    ("lock", "done"),
]  # fmt: skip


def _stopped_at(bench: KitBench, board: Board, point: tuple[str, str], number: signal.Signals) -> tuple[int, str]:
    """Exit code and output of a run that gets a signal at a point."""
    command = [sys.executable, "-m", "tools.cli", *bench.arguments(board)]
    said = ""
    with subprocess.Popen(command, env=bench.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            row = json.loads(line)
            if (row["step"], row["state"]) == point:
                process.send_signal(number)
    return process.returncode, said


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_next_run_understands_what_a_stopped_one_left(bench: KitBench, number: signal.Signals) -> None:
    points = POINTS if number == signal.SIGKILL else POINTS[::2]
    boards = [bench.flashed(f"s{at}", at + 1) for at in range(len(points))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda at: _stopped_at(bench, boards[at], points[at], number), range(len(points))))
    left = list(boards)
    for board, (exit_code, said), point in zip(boards, ends, points, strict=True):
        if number == signal.SIGINT:
            assert exit_code == 130, (point, said)
            state = json.loads(said.splitlines()[-1])["state"]
            assert state in ("stopped", "done"), point
            # On a slow machine the signal may come when all is done: such a board is locked, and would say so.
            if state == "done":
                left.remove(board)
        else:
            assert exit_code == -number, (point, said)
    assert left
    again = bench.pingan(*bench.arguments(*left))
    assert again.returncode == 0, again.stdout
    for board in boards:
        board.pull()
        handle, _ = on_board(board)
        assert bench.live()[board.kind.mac.hex()] == handle
    assert len(bench.live()) == len(boards)
    assert bench.files("pending") == []
    assert sorted(bench.imported()) == bench.files("records")
    assert not list(Path(bench.store).rglob("*.new"))
