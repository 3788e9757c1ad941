"""The rule of a room, each of its reasons; and what a press is made of."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from tools.messages import LANGUAGES, Messages
from tools.walk_test import plot
from tools.walk_test.presses import Press, Presses
from tools.walk_test.verdict import GOOD, NONE, WEAK, judge
from tools.walk_test.walk import Room

WEARABLE = "1d4f35debd828018"
CODE = "PAT-1TFKX-VTVR5-01R-8"


def press(number: int = 1, **over: Any) -> Press:
    made = {"links": {"ble": 1}, "rssi_dbm": -60, "stored": True, "took_ms": 700}
    return Press(WEARABLE, number, 0, 1000 * number, **(made | over))


def presses(*over: dict[str, Any]) -> list[Press]:
    return [press(number, **each) for number, each in enumerate(over, 1)]


@pytest.mark.parametrize(
    ("made", "verdict", "reason"),
    [
        ([], NONE, "not_heard"),
        ([{"stored": False, "took_ms": None}], NONE, "not_stored"),
        ([{}, {}], WEAK, "few"),
        ([{}, {}, {"stored": False, "took_ms": None}], WEAK, "lost"),
        ([{}, {}, {"took_ms": None}], WEAK, "not_seen"),
        ([{}, {}, {"took_ms": 2100}], WEAK, "slow"),
        ([{"rssi_dbm": -76}, {"rssi_dbm": -76}, {"rssi_dbm": -50}], WEAK, "faint"),
        ([{"rssi_dbm": -75}, {"rssi_dbm": -75}, {"rssi_dbm": -99}], GOOD, ""),
        ([{"took_ms": 2000}] * 3, GOOD, ""),
        ([{"rssi_dbm": None, "links": {"serial": 1}}] * 3, GOOD, ""),
    ],
)
def test_a_room_is_judged_by_its_worst_fault(made: list[dict[str, Any]], verdict: str, reason: str) -> None:
    found = judge(presses(*made))
    assert (found.verdict, found.reason) == (verdict, reason)


def test_retries_are_what_the_wearables_own_time_says() -> None:
    assert [press(took_ms=ms).retries for ms in (0, 1900, 2000, 5100, 20_000)] == [0, 0, 1, 2, 4]
    assert press(took_ms=None, links={"ble": 3, "serial": 2}).retries == 2


def heard(at_ms: int, number: int = 5, **over: Any) -> dict[str, Any]:
    made = {"saw": "heard", "at_ms": at_ms, "wearable": WEARABLE, "link": "ble", "rssi_dbm": -70, "frame": "event"}
    return {**made, "number": number, "class": "test", "detail": "0", "age_ms": 300, **over}


def test_a_press_is_put_together_from_what_is_seen() -> None:
    seen = Presses()
    seen.take(heard(900, frame="hello", rssi_dbm=-71))
    assert seen.take(heard(1000, rssi_dbm=None)) is not None
    seen.take(heard(1010, link="serial", rssi_dbm=None))
    seen.take({"saw": "stored", "at_ms": 1020, "wearable": WEARABLE, "number": 5})
    seen.take({"saw": "stage", "at_ms": 1500, "wearable": WEARABLE, "number": 5, "stage": "accepted"})
    seen.take({"saw": "stage", "at_ms": 1900, "wearable": WEARABLE, "number": 5, "stage": "accepted"})
    seen.take({"saw": "test", "at_ms": 2000, "wearable": WEARABLE, "number": 5, "took_ms": 400, "shown": "accepted"})
    (found,) = seen.all
    assert (found.pressed_ms, found.link, found.rssi_dbm, found.stored) == (700, "ble+serial", -71, True)
    assert found.stages == {"stored": 1020, "accepted": 1500}
    assert (found.took_ms, found.shown) == (400, "accepted")


def test_what_is_no_test_is_no_press() -> None:
    seen = Presses()
    assert seen.take(heard(1000, **{"class": "emergency"})) is None
    assert seen.take({"saw": "stored", "at_ms": 1, "wearable": WEARABLE, "number": 5}) is None
    assert seen.take({"saw": "fault", "at_ms": 1, "kind": "mains_lost"}) is None
    assert seen.all == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_chart_is_no_wider_than_a_terminal_and_in_columns(lang: str) -> None:
    words = Messages(lang)
    rooms = []
    for name, made in {
        "厨房": [{}] * 3,
        "a room with far too long a name": [{"rssi_dbm": -85}] * 3,
        "cellar": [],
        "bath": [{"took_ms": 20_000}] * 12,
    }.items():
        found = presses(*made)
        rooms.append(Room(name, found, judge(found)))
    chart = plot.chart(rooms, words)
    lines = [*chart, *(plot.press_line(room.name, CODE, each, words) for room in rooms for each in room.presses)]
    assert max(map(cell_len, lines)) <= plot.WIDTH
    bars = [line for line in chart if "dBm" in line and "|" in line][:3]
    assert len({cell_len(line[: line.index("dBm")]) for line in bars}) == 1


def test_a_bar_is_as_long_as_its_signal_and_has_a_mark_where_good_begins() -> None:
    assert plot.bar(None).count("#") == 0
    assert plot.bar(-40).count("#") == 19
    assert plot.bar(-40).index("|") == plot.bar(-99).index("|")
    assert [plot.bar(dbm).count("#") for dbm in (-95, -80, -60)] == sorted(
        plot.bar(dbm).count("#") for dbm in (-95, -80, -60)
    )
