"""Presses that are looked at late, or not before they are over. Runs under both Pythons."""

from firmware.sos import gestures as g
from tests.firmware.a_finger import Finger


def late(edges, end_ms, gestures=None):
    """All edges, (ms, level), and a look every 20 ms, before a single late tick; what it then says."""
    gestures = gestures or g.Gestures(g.DEBOUNCE_MS)
    edges = list(edges)
    down = False
    for now_ms in range(edges[0][0] - 100, end_ms + 1):
        if now_ms % 20 == 0:
            gestures.look(down, now_ms)
        while edges and edges[0][0] == now_ms:
            down = edges.pop(0)[1]
            gestures.edge(down, now_ms)
    said = [gestures.tick(end_ms) for _ in range(60)]
    return [action for action in said if action != g.NOTHING]


def test_what_was_pressed_between_ticks_counts_from_when_it_was_pressed():
    assert late([(1000, True), (1100, False)], 1200) == [g.BEGAN, g.RELEASED]
    assert late([(1000, True), (2300, False)], 5000) == [g.BEGAN, g.HELD]
    assert late([(1000, True), (1100, False)], 12000) == [g.BEGAN, g.RELEASED, g.EXPIRED]
    presses = [(1000, True), (1100, False)]
    for start_ms in (2600, 2900, 3200):
        presses += [(start_ms, True), (start_ms + 100, False)]
    assert late(presses, 9000)[-1] == g.CANCELLED
    mash = [(1000 + 100 * i, i % 2 == 0) for i in range(60)]
    assert late(mash, 20000).count(g.INSISTED) == 1


def test_a_press_that_is_over_before_a_late_tick_is_no_hold():
    assert late([(1000, True), (1990, False)], 2005) == [g.BEGAN]


def blind(for_ms, *edges, looked_first=False):
    """Nobody looks for so long, and is then told these levels in one breath; what it came to."""
    finger = Finger().wait(100)
    finger.now_ms += for_ms
    if looked_first:
        finger.gestures.look(edges[-1], finger.now_ms)
    for level in edges:
        finger.edge(level, finger.now_ms)
    return finger.wait(300)


def test_a_press_that_came_and_went_while_nobody_could_look_is_one():
    for looked_first in (False, True):
        assert blind(60, True, False, looked_first=looked_first).said == [g.BEGAN, g.RELEASED]
        assert blind(1010, True, False, looked_first=looked_first).said == [g.BEGAN, g.HELD], "it may have been held"
        assert blind(400, True, False, True, False, looked_first=looked_first).said == [g.BEGAN, g.RELEASED]
        assert blind(45, True, False, looked_first=looked_first).said == [], "nobody can tap so fast: a spike"


def test_what_a_chip_has_debounced_is_a_press_however_late_it_is_read():
    for debounce_ms, said in ((0, [g.BEGAN, g.RELEASED]), (g.DEBOUNCE_MS, [])):
        finger = Finger(debounce_ms)
        for level in (True, False):
            finger.edge(level, finger.now_ms)
        assert finger.wait(300).said == said
    finger = Finger(0)
    for level in (True, False, True):
        finger.edge(level, finger.now_ms)
    assert finger.wait(1100).said == [g.BEGAN, g.RELEASED, g.AGAIN, g.HELD]


def test_a_press_that_goes_on_counts_from_when_somebody_last_looked():
    for looked_first in (False, True):
        assert blind(600, True, looked_first=looked_first).wait(120).said == [g.BEGAN, g.HELD]
        assert blind(600, True, False, True, looked_first=looked_first).wait(120).said == [g.BEGAN, g.HELD]


def test_a_pause_that_nobody_saw_ends_no_hold_before_its_end():
    finger = Finger()
    finger.edge(True, finger.now_ms)
    finger.wait(900)
    finger.now_ms += 200
    finger.edge(False, finger.now_ms)
    assert finger.wait(100).said == [g.BEGAN, g.HELD]


def test_armed_and_ticked_late_edges_still_count_from_when_they_were():
    gestures = g.Gestures(g.DEBOUNCE_MS)
    gestures.arm(1000, 1000, False)
    presses = ((1500, True), (1600, False), (3000, True), (3100, False))
    assert late(presses, 4500, gestures) == [g.BEGAN, g.TESTED, g.BEGAN, g.RELEASED]
