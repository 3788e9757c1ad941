"""The campaigns can fail: each is run against parts that are broken on purpose, and must find it."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_daemon.admission import Admission, Admitted
from edge_daemon.strangers import Strangers
from hil_tests.faults import forged
from hil_tests.faults.campaign import Outcome
from hil_tests.faults.promises import Promises
from hil_tests.wearable.body import Shown

# ---- forged ----


async def _attacked(place: Path, seed: int = 1) -> Outcome:
    outcome = Outcome()
    await forged._in_process(12_000, random.Random(seed), place, outcome)
    return outcome


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forged, "_STORED_WITHIN_S", 2.0)


async def test_the_real_parts_pass(tmp_path: Path) -> None:
    assert (await _attacked(tmp_path)).passed


@pytest.mark.usefixtures("impatient")
async def test_a_window_that_a_forged_frame_moves_is_found(tmp_path: Path, monkeypatch) -> None:
    def careless(self, keys, counter, *rest):
        self._advance(keys, counter)
        return real(self, keys, counter, *rest)

    real = Admission._open
    monkeypatch.setattr(Admission, "_open", careless)
    assert (await _attacked(tmp_path)).lost


@pytest.mark.usefixtures("impatient")
async def test_a_replay_that_is_accepted_is_found(tmp_path: Path, monkeypatch) -> None:
    def forgetful(self, unknown):
        known = self._spent.get(unknown.rolling_id)
        if known is None or not self.genuine(known[0].wearable.handle, known[1], unknown.heard.frame):
            return real(self, unknown)
        self._counters.add("frames_admitted")
        body = known[0].opener.open(unknown.heard.frame, known[1])
        return Admitted(known[0].wearable, known[1], unknown.frame_type, body, unknown.heard)

    real = Admission.look_up
    monkeypatch.setattr(Admission, "look_up", forgetful)
    assert any("accepted" in wrong for wrong in (await _attacked(tmp_path)).wrong)


async def test_a_table_without_a_bound_and_memory_that_grows_are_found(tmp_path: Path, monkeypatch) -> None:
    def hoarding(self, unknown, now_ms):
        self._ways[unknown.heard.frame] = unknown.heard.path
        return real(self, unknown, now_ms)

    real = Strangers.may_pass
    monkeypatch.setattr(Strangers, "may_pass", hoarding)
    assert any("ways back" in wrong for wrong in (await _attacked(tmp_path)).wrong)


# ---- what the house's campaigns judge by ----


def _house(place: Path, shown: list[tuple[str, int]], incidents: list[str]) -> SimpleNamespace:
    """One wearable `aaaa` that was shown this, and a desk that has these incidents."""
    (place / "desk").mkdir()
    desk = sqlite3.connect(place / "desk" / "desk.sqlite3")
    desk.execute("CREATE TABLE incidents (event TEXT)")
    desk.executemany("INSERT INTO incidents VALUES (?)", [(event,) for event in incidents])
    desk.commit()
    desk.close()
    body = SimpleNamespace(shown=[Shown(stage, number, float(at)) for at, (stage, number) in enumerate(shown)])
    return SimpleNamespace(directory=place, wearables={"a": SimpleNamespace(handle="aaaa", body=body)}, gateways={})


WAY = [("PRESSED", 1), ("STORED", 1), ("NO_PATH", 1), ("ACCEPTED", 1), ("CLOSED", 1)]


@pytest.mark.parametrize(
    ("shown", "incidents", "presses", "found"),
    [
        (WAY, ["aaaa-000001"], 1, []),
        # A gateway's own event, under its own name, is nobody's press.
        (WAY, ["aaaa-000001", "ffff-000001"], 1, []),
        (WAY, [], 1, ["lost"]),
        (WAY, ["aaaa-000001", "aaaa-000002"], 1, ["twice"]),
        ([*WAY, ("PRESSED", 2)], ["aaaa-000001", "aaaa-000002"], 1, ["twice"]),
        (WAY, ["aaaa-000001"], 2, ["lost"]),
        ([*WAY, ("STORED", 1)], ["aaaa-000001"], 1, ["wrong"]),
    ],
)
def test_what_was_promised_is_compared_with_what_is_there(tmp_path, shown, incidents, presses, found) -> None:
    promises, outcome = Promises(_house(tmp_path, shown, incidents)), Outcome(count=1)
    promises.presses["a"] = presses
    promises.compare(outcome)
    assert [name for name in ("lost", "twice", "wrong") if getattr(outcome, name)] == found
