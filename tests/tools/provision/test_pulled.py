"""The cable is pulled at every step: nothing bricked, no key half written, no identity twice, the second run ends well.

Each place is a step and a seeded reading of the board's odometer (bytes over the cable, either way) from its beginning,
one in each third of each step that uses the cable; the power goes with it, in the middle of whatever the interpreter
does with its flash. The steps that do not use it are the ones that the tool itself is killed in.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from hil_tests.board.board import Board
from hil_tests.board.faults import Faults
from tests.tools.provision.conftest import KitBench, Ran, on_board
from tools.kit.telling import Telling

STEPS = ("connect", "look", "write", "verify", "activate", "lock", "prove_locked")
ROUNDS = 3


def _places(bench: KitBench, chance: random.Random, more: tuple[str, ...], *, used: bool) -> list[list[int]]:
    """For each round a place in each step, counted from where it begins, by a run that nothing happens to.

    The first round's lie in the first third of their steps, and so on: what goes at the very end of a step may be
    noticed in the next one, and of each some are to be noticed in it.
    """
    board = bench.flashed("whole", 200)
    if used:
        assert bench.provision(board, more=("--no-lock",)).code == 0
    whole = board.faults.odometer
    began: dict[str, int] = {}
    tell = Telling.begin

    def note(self: Telling, of: str, step: str) -> None:
        began[step] = board.faults.odometer - whole
        tell(self, of, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Telling, "begin", note)
        assert bench.provision(board, more=more).code == 0
    starts = [began[step] for step in STEPS]
    ends = [*starts[1:], board.faults.odometer - whole]
    assert starts == sorted(starts)
    sizes = [b - a for a, b in zip(starts, ends, strict=True)]
    return [
        [chance.randrange(at * size // ROUNDS, (at + 1) * size // ROUNDS) for size in sizes] for at in range(ROUNDS)
    ]


class Pulled:
    """Some boards whose cables go at their own places in one run, and then the same command again."""

    def __init__(self, bench: KitBench, more: tuple[str, ...]) -> None:
        self._bench = bench
        self._more = more
        self.states: list[str] = []

    def go(self, boards: list[Board], old: dict[str, str], places: list[int]) -> None:
        first = self._pull(boards, places)
        for board in boards:
            verdict = first.verdicts[board.port]
            self._between(board, verdict, old.get(board.port, ""))
            self.states.append(f"{_last_step(first.rows, board.port)}: {verdict['state']}")
        for board in boards:
            board.faults.pull_at = None
            board.plug()
        again = self._bench.pingan(*self._bench.arguments(*boards), *self._more)
        assert again.returncode in (0, 2), again.stdout + again.stderr
        for board in boards:
            self._after(board, old.get(board.port, ""), again.stdout)

    def _pull(self, boards: list[Board], places: list[int]) -> Ran:
        """A run in which the cable of each board goes in its own step: what goes over it before is never the same."""
        where = {(board.port, step): (board, at) for board, step, at in zip(boards, STEPS, places, strict=True)}
        tell = Telling.begin

        def begin(telling: Telling, of: str, step: str) -> None:
            if (of, step) in where:
                board, at = where[of, step]
                board.faults.pull_at = board.faults.odometer + at
            tell(telling, of, step)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Telling, "begin", begin)
            return self._bench.provision(*boards, more=self._more)

    def _between(self, board: Board, verdict: dict[str, Any], old: str) -> None:
        board.pull()
        handle, _ = on_board(board)
        assert handle in {"", old, *self._bench.files("pending"), *self._bench.files("records")}
        if verdict["state"] == "done":
            assert handle == verdict["wearable"]
        else:
            assert (verdict["state"], verdict["reason"]) in (
                ("failed", "provision.cable_lost"),
                ("refused", "provision.no_prompt"),
            ), verdict

    def _after(self, board: Board, old: str, said: str) -> None:
        board.pull()
        handle, reserved = on_board(board)
        hardware = board.kind.mac.hex()
        rows = "\n".join(line for line in said.splitlines() if board.port in line)
        assert self._bench.live().get(hardware) == handle, rows
        assert handle != old
        assert reserved > 0
        if old:
            assert old not in self._bench.live().values()


def _last_step(rows: list[dict[str, Any]], port: str) -> str:
    return str([row["step"] for row in rows if row["of"] == port and row["step"] != "all"][-1])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["blank", "replace"])
def test_a_cable_pulled_anywhere_is_made_good_by_the_same_command(bench: KitBench, seed: int, what: str) -> None:
    used, more = what == "replace", ("--replace",) if what == "replace" else ()
    pulled = Pulled(bench, more)
    rounds = _places(bench, random.Random(f"{seed} {what}"), more, used=used)
    for number, places in enumerate(rounds):
        boards = [
            bench.flashed(f"{what[0]}{number}{at}", 1 + number * len(STEPS) + at, faults=Faults())
            for at in range(len(STEPS))
        ]
        old = {}
        if used:
            ran = bench.provision(*boards, more=("--no-lock",))
            assert ran.code == 0, ran.said
            old = {port: row["wearable"] for port, row in ran.verdicts.items()}
        pulled.go(boards, old, places)
    print(f"{len(pulled.states)} places: {sorted(pulled.states)}")
    assert len(pulled.states) >= 20
    assert {state.partition(":")[0] for state in pulled.states} > {"connect", "look", "write", "verify", "lock"}
    assert bench.files("pending") == []
    assert set(bench.imported()) == set(bench.files("records"))
