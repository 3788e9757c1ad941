"""A cable pulled anywhere on the way of `pingan flash`, a power cut in a flash write among it: a second run repairs.

All boards are flashed at once by one command, each pulled at its own place. `--pulls 60`: at more places.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from hil_tests.board.bench import ROOT
from hil_tests.board.board import Board
from hil_tests.board.chip import CHIPS
from tests.tools.flash.conftest import FACTORY_BYTES, FlashBench, intact, verdicts

_STARTS_WITHIN_S = 60
# In a run of all tests.
_PULLS = 6


@pytest.fixture(scope="module")
def whole() -> int:
    """How far a flash is that nothing happens to, in the odometer's measure."""
    with tempfile.TemporaryDirectory(prefix="pat-") as directory, FlashBench(Path(directory)) as bench:
        board = bench.small("whole")
        assert bench.flash("--port", board.port)[0] == 0
        return board.faults.odometer


def _repaired(bench: FlashBench, boards: list[Board]) -> None:
    """Plugged in again none is more than empty, and the same command ends well."""
    for board in boards:
        board.faults.pull_at = None
        board.plug()
        assert board.mode in {"loop", "run"}
        assert intact(board)
    code, rows = bench.flash(*[word for board in boards for word in ("--port", board.port)])
    assert code == 0, rows
    assert [board.mode for board in boards] == ["run"] * len(boards)
    assert all(intact(board) for board in boards)


def test_twenty_at_once_some_pulled_somewhere_and_one_refused(
    bench: FlashBench, seed: int, whole: int, request: pytest.FixtureRequest
) -> None:
    pulls = request.config.getoption("--pulls", _PULLS)
    at = random.Random(seed)
    # One in each part of the way, so that every step is met.
    places = [at.randrange(whole * part // pulls, whole * (part + 1) // pulls) for part in range(pulls)]
    print(f"pulled at {places} of {whole}")
    pulled = [bench.small(f"p{number}", pull_at=place) for number, place in enumerate(places)]
    good = [bench.small(f"g{number}", blank=True) for number in range(max(1, 19 - pulls))]
    other = bench.small("s3", CHIPS["esp32s3"])
    other_port = str(Path(other.port).readlink())
    code, rows = bench.flash_all()
    assert code == 1
    states = verdicts(rows)
    assert states.pop(other_port) == "refused"
    # Every board that lost its cable says so, and nobody else does.
    assert [board.mode for board in good] == ["run"] * len(good)
    lost = [board for board in pulled if board.mode == "off"]
    assert lost
    assert sorted(states.values()) == ["done"] * (len(pulled) + len(good) - len(lost)) + ["failed"] * len(lost)
    copies = list((bench.directory / "home").rglob("*.bin"))
    assert {copy.stat().st_size for copy in copies} == {FACTORY_BYTES}
    assert all(intact(board) for board in [*good, other])
    _repaired(bench, pulled)


def test_a_board_that_is_erased_is_repaired_as_well(
    bench: FlashBench, seed: int, request: pytest.FixtureRequest
) -> None:
    pulls = max(3, request.config.getoption("--pulls", _PULLS) // 2)
    erase = ["--erase", "--replace-identity"]
    first = bench.small("whole")
    assert bench.flash("--port", first.port, *erase)[0] == 0
    whole = first.faults.odometer
    first.pull()
    at = random.Random(seed)
    places = [at.randrange(whole * part // pulls, whole * (part + 1) // pulls) for part in range(pulls)]
    print(f"pulled at {places} of {whole}")
    boards = [bench.small(f"b{number}", pull_at=place) for number, place in enumerate(places)]
    ports = [word for board in boards for word in ("--port", board.port)]
    bench.flash(*ports, *erase)
    assert any(board.mode == "off" for board in boards)
    for board in boards:
        board.faults.pull_at = None
        board.plug()
    code, rows = bench.flash(*ports, *erase)
    assert code == 0, rows
    assert [board.mode for board in boards] == ["run"] * pulls


def test_a_cable_that_comes_back_at_once_is_no_trouble(bench: FlashBench, seed: int, whole: int) -> None:
    at = random.Random(seed).randrange(whole)
    print(f"pulled at {at} of {whole}")
    board = bench.small("b1", pull_at=at)

    def plug_in_again() -> None:
        if board.pulled.wait(_STARTS_WITHIN_S):
            board.faults.pull_at = None
            board.plug()

    hand = threading.Thread(target=plug_in_again)
    hand.start()
    code, rows = bench.flash("--port", board.port)
    hand.join()
    assert code in {0, 1}, rows
    assert (board.mode == "run") >= (code == 0), rows
    _repaired(bench, [board])


def test_ctrl_c_ends_the_tool_tells_every_board_and_the_next_run_repairs(bench: FlashBench) -> None:
    boards = [bench.small(f"b{number}") for number in range(2)]
    command = [sys.executable, "-m", "tools.cli", "flash", "--json", "--no-application", "--port", "all"]
    rows = []
    with subprocess.Popen(
        [*command, *map(str, bench.arguments())], env=bench.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            rows.append(json.loads(line))
            if rows[-1]["step"] == "write":
                process.send_signal(signal.SIGINT)
                break
        rows += [json.loads(line) for line in process.stdout]
    assert process.returncode == 130
    assert list(verdicts(rows).values()) == ["stopped", "stopped"]
    assert not _open_steps(rows)
    assert not _tools_at(boards)
    _repaired(bench, boards)


def _open_steps(rows: list[dict[str, str]]) -> set[tuple[str, str]]:
    begun = {(row["of"], row["step"]) for row in rows if row["state"] == "begun"}
    return begun - {(row["of"], row["step"]) for row in rows if row["state"] != "begun"}


def _tools_at(boards: list[Board]) -> list[str]:
    """Programs that still have a board's directory in their command line."""
    ports = [str(Path(board.port).readlink()) for board in boards]
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        found += [word for word in words if word in ports and "esptool" in words]
    return found
