"""What a demo knows of its presses: which are over, and whether somebody came."""

from __future__ import annotations

from tools.demo.stages import Presses

HANDLE = "1d4f35debd828018"


def test_a_tap_is_over_when_what_came_of_it_is() -> None:
    presses = Presses()
    presses.tapped("watch", "ble", HANDLE, 0)
    assert presses.unclosed, "nothing has come of it yet"
    presses.shown(HANDLE, "PRESSED", 1, 5)
    assert [press.event for press in presses.unclosed] == [f"{HANDLE}-000001"]
    presses.shown(HANDLE, "CLOSED", 1, 9)
    assert not presses.unclosed and presses.all_answered


def test_a_refused_press_is_over_and_nobody_has_come() -> None:
    presses = Presses()
    presses.pressed("pendant-ble", "ble", HANDLE, 0)
    for at_ms, stage in enumerate(("PRESSED", "STORED", "REFUSED")):
        presses.shown(HANDLE, stage, 1, at_ms)
    assert not presses.unclosed and not presses.all_answered
