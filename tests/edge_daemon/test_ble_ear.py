"""Deaf or quiet, by days of virtual time: what each kind of house makes of the same silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_daemon.links.ble_ear import Ear, EarLimits
from edge_daemon.links.ble_history import History

SILENT_S = 60.0
HEARTBEAT_S = 1800.0
HOUR_S = 3600.0


class House:
    """An ear, and time that passes a second at a step."""

    def __init__(self, history: History | None = None, *, expects: bool = True) -> None:
        self.now_s = 0
        self.history = history or History()
        self.ear = Ear(SILENT_S, expects, self.history, EarLimits(), 0)

    def heard(self, source: str | None = None) -> None:
        self.ear.heard(self.now_s * 1000, source)

    def passes(self, for_s: float, every_s: float = 0, *, listening: bool = True, sources: int = 0) -> str:
        """What first said that it is deaf, in this time; a sound every so often, of as many sources."""
        why = ""
        for _ in range(int(for_s)):
            self.now_s += 1
            self.ear.tick(self.now_s * 1000, listening)
            if every_s and self.now_s % int(every_s) == 0:
                for number in range(max(sources, 1)):
                    self.heard(f"neighbour {number}" if sources else None)
            why = why or self.ear.deaf(self.now_s * 1000)
        return why

    def silent_until_deaf(self, most_s: float) -> float:
        began_s = self.now_s
        while not self.ear.deaf(self.now_s * 1000):
            assert self.now_s - began_s < most_s, "never called deaf"
            self.passes(1)
        return self.now_s - began_s


def test_where_something_is_heard_every_second_a_minute_of_silence_is_deafness() -> None:
    house = House()
    assert house.passes(25 * HOUR_S, every_s=1) == ""
    assert house.silent_until_deaf(100) == SILENT_S
    assert house.ear.deaf(house.now_s * 1000) == "longer_than_ever"


def test_a_lonely_house_that_hears_a_heartbeat_every_half_hour_is_never_deaf() -> None:
    house = House()
    assert house.passes(9 * 24 * HOUR_S, every_s=HEARTBEAT_S) == ""
    assert house.silent_until_deaf(2 * HOUR_S) == pytest.approx(2.5 * HEARTBEAT_S, abs=2)


def test_a_lost_heartbeat_in_a_lonely_house_is_no_deafness() -> None:
    house = House()
    house.passes(24 * HOUR_S, every_s=HEARTBEAT_S)
    for late_s in (0, 5, 60, 300):
        assert house.passes(2 * HEARTBEAT_S + late_s) == ""
        house.heard()
        house = House()
        house.passes(24 * HOUR_S, every_s=HEARTBEAT_S)


def test_a_place_not_known_is_deaf_when_two_heartbeats_have_not_come() -> None:
    assert House().silent_until_deaf(2 * HOUR_S) == pytest.approx(2 * HEARTBEAT_S + 300, abs=1)
    assert House(expects=False).passes(30 * HOUR_S) == ""


def test_an_installers_telephone_that_leaves_is_no_deafness() -> None:
    house = House()
    assert house.passes(2 * HOUR_S, every_s=1, sources=1) == ""
    assert house.passes(HEARTBEAT_S) == ""


def test_a_crowd_that_goes_at_once_is_deafness_at_any_time() -> None:
    house = House()
    house.passes(300, every_s=5, sources=10)
    assert house.silent_until_deaf(100) == SILENT_S
    assert house.ear.deaf(house.now_s * 1000) == "crowd_gone"


@pytest.mark.parametrize(("sources", "for_s"), [(9, 300), (10, 50)])
def test_a_few_visitors_or_many_who_pass_by_are_no_crowd(sources: int, for_s: int) -> None:
    house = House()
    house.passes(for_s, every_s=5, sources=sources)
    assert house.passes(HEARTBEAT_S) == ""


def test_made_up_addresses_are_no_crowd() -> None:
    house = House()
    for number in range(3000):
        house.heard(f"made up {number}")
        if number % 20 == 0:
            house.passes(1)
    assert house.passes(HEARTBEAT_S) == ""


def test_a_crowd_that_went_one_by_one_is_no_crowd() -> None:
    house = House()
    for left in range(12, 0, -1):
        house.passes(100, every_s=5, sources=left)
    assert house.passes(HEARTBEAT_S) == ""


def test_an_absence_is_learned_and_not_told_of_on_the_next_day() -> None:
    house = House()
    house.passes(24 * HOUR_S, every_s=HEARTBEAT_S)
    assert house.passes(3 * HOUR_S) == "longer_than_ever"
    house.heard()
    house.passes(20 * HOUR_S, every_s=HEARTBEAT_S)
    assert house.passes(3 * HOUR_S) == ""
    house.heard()
    assert house.silent_until_deaf(5 * HOUR_S) == pytest.approx(4 * HOUR_S, abs=2)


def test_a_silence_that_a_remedy_ended_is_not_learned() -> None:
    house = House()
    house.passes(24 * HOUR_S, every_s=1)
    assert house.passes(2 * HOUR_S) == "longer_than_ever"
    house.ear.remedy(house.now_s * 1000)
    house.passes(5)
    house.heard()
    assert house.history.longest_s <= 2
    assert house.silent_until_deaf(100) == SILENT_S


def test_a_silence_that_a_crowds_end_began_is_not_learned() -> None:
    house = House()
    house.passes(25 * HOUR_S, every_s=5, sources=12)
    assert house.passes(HOUR_S) == "crowd_gone"
    house.heard()
    assert house.history.longest_s <= 6


def test_time_without_a_scan_is_no_silence() -> None:
    house = House()
    house.passes(25 * HOUR_S, every_s=1)
    assert house.passes(3 * HOUR_S, listening=False) == ""
    assert house.passes(SILENT_S - 1) == ""
    house.heard()
    assert house.history.longest_s <= 2


def test_a_machine_that_was_suspended_was_not_deaf_and_learns_nothing() -> None:
    house = House()
    house.passes(25 * HOUR_S, every_s=1)
    house.now_s += 8 * 3600
    house.heard()
    house.now_s += 8 * 3600
    house.ear.tick(house.now_s * 1000, True)
    assert house.ear.deaf(house.now_s * 1000) == ""
    assert house.history.longest_s <= 2


def test_what_was_long_ago_is_forgotten() -> None:
    house = House()
    house.passes(24 * HOUR_S, every_s=HEARTBEAT_S)
    house.passes(9 * 24 * HOUR_S, every_s=2)
    assert house.silent_until_deaf(100) == SILENT_S


def test_a_place_is_known_again_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    house = House(History(file))
    house.passes(25 * HOUR_S, every_s=1)
    house.history.save()
    again = House(History(file))
    assert again.silent_until_deaf(100) == SILENT_S


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"v":1}', '{"longest_s": 7}', '{"longest_s":[NaN],"into_hour_s":0}',
     '{"longest_s":[-1],"into_hour_s":0}',
     '{"longest_s":["x"],"into_hour_s":0}', '{"longest_s":[1e999],"into_hour_s":0}', "\x00" * 300, "[" * 5000],
)  # fmt: skip
def test_a_damaged_memory_is_an_unknown_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "history.json"
    file.write_text(text)
    assert (History(file).hours, History(file).longest_s) == (0, 0.0)


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    history = History(tmp_path / "nowhere" / "history.json")
    history.learn(5.0)
    history.save()
    assert history.longest_s == 5.0


def test_a_memory_of_any_length_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps({"longest_s": [9.0, *([1.0] * 192)], "into_hour_s": 0}))
    assert History(file).longest_s == 1.0
