"""Limits at their edges."""

from __future__ import annotations

import pytest

from tools.factory import verdicts


@pytest.mark.parametrize(
    ("edges", "bounce_ms", "state"),
    [
        ([0, 150], 0, "done"),
        ([5, 9, 13, 150], 8, "done"),
        ([5, 150, 155, 170], 20, "done"),
        ([5, 150, 155, 171], 21, "failed"),
        # The first edge may come at once; and a press as short as a bounce is one.
        ([0, 10, 25, 200], 25, "failed"),
        ([0, 39], 39, "failed"),
        ([0, 41], 0, "done"),
    ],
)
def test_a_contact_settles_within_a_tick_or_it_is_broken(edges: list[int], bounce_ms: int, state: str) -> None:
    verdict = verdicts.button({"down_at_start": False, "down_at_end": False, "edges_ms": edges})
    assert (verdict.state, verdict.facts["bounce_ms"]) == (state, bounce_ms)


@pytest.mark.parametrize(
    ("mv", "state"), [(0, "failed"), (3299, "failed"), (3300, "done"), (4300, "done"), (4301, "failed")]
)
def test_a_cell_has_a_healthy_voltage(mv: int, state: str) -> None:
    assert verdicts.battery({"mv": mv}).state == state


@pytest.mark.parametrize(
    ("mg", "state"),
    [([0, 0, 1000], "done"), ([600, -600, 530], "done"), ([0, 0, 0], "failed"), ([0, 0, -849], "failed")],
)
def test_an_accelerometer_at_rest_feels_the_earth_and_nothing_else(mg: list[int], state: str) -> None:
    assert verdicts.accelerometer({"fitted": True, "mg": mg}).state == state


def test_what_is_not_there_is_not_passed() -> None:
    assert verdicts.accelerometer({"fitted": False}) == verdicts.NOT_FITTED
    assert verdicts.radio({"fitted": False}, None, has_ear=True) == verdicts.NOT_FITTED
    assert verdicts.NOT_FITTED.state == "skipped"


@pytest.mark.parametrize(
    ("heard", "has_ear", "state", "reason"),
    [
        (-80, True, "done", ""),
        (-81, True, "failed", "factory.not_heard"),
        (None, True, "failed", "factory.not_heard"),
        (None, False, "done", "factory.no_ear"),
    ],
)
def test_a_radio_is_heard_or_said_not_to_be_proved(heard: int | None, has_ear: bool, state: str, reason: str) -> None:
    verdict = verdicts.radio({"fitted": True, "address": "60:55:F9:00:00:01"}, heard, has_ear=has_ear)
    assert (verdict.state, verdict.reason) == (state, reason)
