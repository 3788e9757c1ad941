"""Distances against the great circle, and fences: left and entered once each, whatever the sky does.

Runs under both Pythons.
"""

import math
import random

from firmware.sos.positions import earth
from firmware.sos.positions.fences import INSIDE, OUTSIDE, Fences
from firmware.sos.positions.nmea import Fix
from protocol.settings import FENCE_SCHOOL, Fence

SEED = 20261128
SCHOOL = Fence(3, FENCE_SCHOOL, 22543210, 114057868, 150)


def dice():
    random.seed(SEED)
    return lambda below: random.getrandbits(30) % below


def haversine(north, east, other_north, other_east):
    """Metres on the globe, in the host's doubles, from degrees."""
    a, b = math.radians(north), math.radians(other_north)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_east - east) / 2) ** 2
    return 2 * 6371008.8 * math.asin(math.sqrt(half))


# Latitude, longitude, those of another place (all e6), and metres between by the haversine: a board's floats are too
# short to work that out, so the table has it, and is held to it where floats are long.
PLACES = (
    (22543210, 114057868, 22543210, 114059326, 149.7),
    (22543210, 114057868, 22544559, 114057868, 150.0),
    (22543210, 114057868, 22943210, 114457868, 60505.4),
    (22543210, 114057868, 22542310, 114056868, 143.4),
    (0, 0, 450000, 370000, 64779.8),
    (0, 179999500, 0, -179999500, 111.2),
    (51500000, -179990000, 51490000, 179980000, 2355.8),
    (60000000, 24900000, 60100000, 25900000, 56615.6),
    (-33859990, 151210999, -33869990, 151220999, 1445.3),
    (80000000, 15000000, 80300000, 17500000, 58081.1),
)


def test_the_table_is_the_great_circle():
    if 1.0 + 1e-12 == 1.0:
        return  # single floats
    for *places, metres in PLACES:
        reference = haversine(*(place / 1e6 for place in places))
        assert abs(reference - metres) < 0.06, (places, reference)


def test_distances_are_the_great_circles_within_a_hundredth_and_a_metre():
    for row in PLACES:
        told = earth.metres(row[0], row[1], row[2], row[3])
        assert abs(told - row[4]) <= row[4] / 100 + 1, (row, told)
        assert abs(earth.metres(row[2], row[3], row[0], row[1]) - told) <= 1
        # At home, where fences are, much better.
        if abs(row[0]) <= 60000000:
            assert abs(told - row[4]) <= row[4] / 1000 + 1.1, (row, told)


def test_it_is_sane_at_the_poles_the_date_line_and_the_other_side_of_the_earth():
    assert earth.metres(90000000, 0, 90000000, 180000000) < 10
    assert earth.metres(89999000, 0, 89999000, 90000000) < 300
    assert earth.metres(0, -180000000, 0, 180000000) == 0
    rng = dice()
    for _ in range(500):
        places = [rng(180000001) - 90000000, rng(360000001) - 180000000] * 2
        places[2], places[3] = rng(180000001) - 90000000, rng(360000001) - 180000000
        assert 0 <= earth.metres(*places) <= 30000000


def at(metres_east, unix_s, accuracy_m=8, fence=SCHOOL):
    """A position so far east of a fence's middle."""
    fix = Fix(fence.latitude_e6, fence.longitude_e6 + int(metres_east / 0.1027), unix_s, 0)
    fix.accuracy_m = accuracy_m
    return fix


def walk(steps, fences=None):
    """Numbers of fences and their new sides, as they become sure along (metres, seconds, accuracy)."""
    fences = fences or Fences()
    told = []
    for metres, unix_s, accuracy_m in steps:
        told += [
            (fences.sides[fence.number], was) for fence, was in fences.look([SCHOOL], at(metres, unix_s, accuracy_m))
        ]
    return told


def test_a_fence_is_left_and_entered_when_two_positions_say_so():
    day = [(0, 0, 8), (10, 20, 8), (400, 300, 8), (420, 320, 8), (900, 600, 8), (20, 900, 8), (15, 915, 8)]
    assert walk(day) == [(INSIDE, 0), (OUTSIDE, INSIDE), (INSIDE, OUTSIDE)]


def test_one_jump_leaves_nothing():
    fences = Fences()
    walk([(0, 0, 8), (0, 20, 8)], fences)
    assert walk([(5000, 300, 8), (10, 310, 8), (5000, 600, 8), (-20, 640, 8)], fences) == []
    assert not fences.doubts
    assert walk([(5000, 900, 8)], fences) == [] and fences.doubts


def test_what_is_not_exact_enough_or_too_near_the_edge_says_nothing():
    fences = Fences()
    walk([(0, 0, 8), (0, 20, 8)], fences)
    edge = [(160, 300 + 20 * n, 8) for n in range(10)]
    coarse = [(230, 600 + 20 * n, 120) for n in range(10)]
    unsaid = [(190, 900 + 20 * n, -1) for n in range(10)]
    assert walk(edge + coarse + unsaid, fences) == []
    walk([(400, 1200, 8), (400, 1220, 8)], fences)
    assert walk([(140, 1300 + 20 * n, 30) for n in range(10)], fences) == [], "not yet surely inside"
    assert walk([(100, 1600 + 20 * n, 300) for n in range(10)], fences) == []


def test_the_second_comes_some_seconds_later_and_not_a_quarter_of_an_hour():
    fences = Fences()
    walk([(0, 0, 8), (0, 20, 8)], fences)
    assert walk([(400, 300, 8), (400, 301, 8), (400, 305, 8)], fences) == []
    assert walk([(400, 2000, 8)], fences) == [], "another one's first"
    assert walk([(400, 1990, 8)], fences) == [], "time went back: again a first"
    assert walk([(400, 2000, 8)], fences) == [(OUTSIDE, INSIDE)]


def test_somebody_at_the_edge_in_a_street_of_tall_houses_is_told_seldom():
    rng = dice()
    fences = Fences()
    walk([(0, 0, 8), (0, 20, 8)], fences)
    told = walk([(130 + rng(80) - 40, 300 + 30 * n, 5 + rng(40)) for n in range(2000)], fences)
    print("told", len(told), "of 2000 at the edge")
    assert len(told) <= 2


def test_fences_that_are_no_more_are_forgotten():
    fences = Fences()
    walk([(0, 0, 8), (0, 20, 8), (400, 300, 8)], fences)
    fences.settled([Fence(4, 0, 0, 0, 100)])
    assert fences.sides == {} and not fences.doubts


def test_a_fence_as_wide_as_can_be_and_one_without_width():
    wide, none = Fence(1, 0, 22543210, 114057868, 65535), Fence(2, 0, 22543210, 114057868, 0)
    fences = Fences()
    for unix_s, metres in ((0, 65000), (20, 65000), (40, 66000), (60, 66000)):
        fences.look([wide, none], at(metres, unix_s))
    assert fences.sides == {1: OUTSIDE, 2: OUTSIDE}
