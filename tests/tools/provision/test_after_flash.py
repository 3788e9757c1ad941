"""`pingan flash` and then `pingan provision`, each as a command of its own, on one board of the bench."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.tools.provision.conftest import BOARD, MICROPYTHON, KitBench, on_board


@pytest.mark.timeout(600)
def test_a_board_out_of_the_box_becomes_a_wearable_by_two_commands(bench: KitBench) -> None:
    board = bench.blank("a")
    file = bench.directory / "test_only_micropython.bin"
    file.write_bytes(MICROPYTHON)
    pin = hashlib.sha256(MICROPYTHON).hexdigest()
    which = ["--board", BOARD, "--micropython", str(file), "--sha256", pin, "--port", board.port]
    flashed = bench.pingan("flash", "--json", *which)
    assert flashed.returncode == 0, flashed.stdout + flashed.stderr
    done = bench.pingan(*bench.arguments(board))
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads(done.stdout.splitlines()[-1])
    board.pull()
    assert on_board(board)[0] == verdict["wearable"]
