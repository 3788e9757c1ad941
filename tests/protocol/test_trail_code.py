"""Trails: what goes in comes out, in few bytes; what is none is refused. Runs under both Pythons."""

import random

from protocol import trail_code
from protocol.messages import NotUnderstood
from protocol.trail_code import Position, Writer

SEED = 20261128
# A Sunday morning in Shenzhen.
BEGAN_S = 1795917600
NORTH, EAST = 2254321, 11394238


def told(position):
    """All of a position that a trail tells."""
    place = (position.latitude_e5, position.longitude_e5, position.accuracy) if position.found else None
    return position.unix_s, place, position.moving, position.sos


def refused(data):
    try:
        trail_code.unpack(data)
    except NotUnderstood:
        return True
    return False


def written(positions, step_s=300):
    """Trails of these positions, as many as it takes."""
    trails = []
    writer = Writer(step_s)
    for position in positions:
        if not writer.add(position):
            trails.append(writer.data)
            writer = Writer(step_s)
            assert writer.add(position)
    trails.append(writer.data)
    return trails


def any_position(rng, unix_s):
    if rng(4) == 0:
        return Position(unix_s, found=False, moving=bool(rng(2)), sos=bool(rng(2)))
    north, east = rng(18_000_001) - 9_000_000, rng(36_000_001) - 18_000_000
    return Position(unix_s, north, east, rng(8), moving=bool(rng(2)), sos=bool(rng(2)))


def dice(seed):
    random.seed(seed)
    return lambda below: random.getrandbits(30) % below


def test_positions_come_back_as_they_went_with_any_steps_and_places():
    rng = dice(SEED)
    for _ in range(300):
        now_s = rng(1 << 30) * 3
        positions = []
        for _ in range(1 + rng(60)):
            now_s += (0, 1, 300, rng(100_000))[rng(4)]
            positions.append(any_position(rng, now_s))
        trails = written(positions, (0, 60, 300, 65535)[rng(4)])
        back = [told(position) for trail in trails for position in trail_code.unpack(trail)]
        assert back == [told(position) for position in positions]
        assert all(len(trail) <= trail_code.SIZE_MOST for trail in trails)


def test_a_trail_that_is_taken_up_again_goes_on_as_if_it_had_not_been_put_down():
    rng = dice(SEED)
    at_once, again = Writer(300), b""
    now_s = BEGAN_S
    while True:
        now_s += 290 + rng(20)
        position = any_position(rng, now_s)
        taken_up = Writer(7 if again else 300, again)
        assert taken_up.count == at_once.count
        room = at_once.add(position)
        assert taken_up.add(position) == room
        if not room:
            return
        again = taken_up.data
        assert again == at_once.data


def test_what_has_no_room_or_is_older_leaves_the_trail_as_it_was():
    writer = Writer(300)
    while writer.add(Position(BEGAN_S + writer.count * 1000, (-1) ** writer.count * NORTH, EAST)):
        pass
    whole = writer.data
    assert trail_code.SIZE_MOST - 14 < len(whole) <= trail_code.SIZE_MOST
    writer = Writer(300)
    assert writer.add(Position(BEGAN_S, NORTH, EAST))
    before = writer.data
    assert not writer.add(Position(BEGAN_S - 1, NORTH, EAST)) and writer.data == before
    assert writer.add(Position(BEGAN_S, NORTH, EAST)), "two in one second are two"


def test_what_is_no_place_on_earth_is_not_written():
    for bad in (
        Position(-1, NORTH, EAST),
        Position(1 << 32, NORTH, EAST),
        Position(BEGAN_S, 9_000_001, EAST),
        Position(BEGAN_S, NORTH, -18_000_001),
    ):
        try:
            Writer(300).add(bad)
            raise AssertionError("taken")
        except ValueError:
            pass
    for north, east in ((9_000_000, 18_000_000), (-9_000_000, -18_000_000)):
        writer = Writer(300)
        assert writer.add(Position(BEGAN_S, north, east))
        assert writer.add(Position(BEGAN_S + 1, -north, -east)), "over pole and date line"
        assert [(p.latitude_e5, p.longitude_e5) for p in trail_code.unpack(writer.data)] == [
            (north, east),
            (-north, -east),
        ]


def test_any_bytes_are_read_or_refused_and_never_more_than_that():
    rng = dice(SEED)
    whole = bytearray(written([any_position(rng, BEGAN_S + 300 * n) for n in range(20)])[0])
    read = 0
    for _ in range(6000):
        data = bytearray(whole[: rng(len(whole) + 1)])
        for _ in range(rng(4)):
            if data:
                data[rng(len(data))] = rng(256)
        if not refused(bytes(data)):
            read += 1
            for position in trail_code.unpack(bytes(data)):
                assert 0 <= position.unix_s < 1 << 32
                assert abs(position.latitude_e5) <= 9_000_000 and abs(position.longitude_e5) <= 18_000_000
    assert 100 < read < 5900


def test_what_is_empty_cut_or_of_another_version_is_no_trail():
    writer = Writer(300)
    assert writer.add(Position(BEGAN_S, NORTH, EAST))
    for size in range(len(writer.data)):
        assert refused(writer.data[:size])
    assert refused(b"\x02" + writer.data[1:])
    assert refused(writer.data[:7] + b"\xc7" + b"\xff" * 9), "a number that does not end"


def test_a_hundred_years_between_two_are_told_and_a_time_before_the_first_counts_for_nothing():
    writer = Writer(300)
    assert writer.add(Position(0, NORTH, EAST)) and writer.add(Position((1 << 32) - 1, NORTH, EAST))
    assert [position.unix_s for position in trail_code.unpack(writer.data)] == [0, (1 << 32) - 1]
    one = Writer(300)
    assert one.add(Position(BEGAN_S, NORTH, EAST))
    late = one.data[:7] + b"\xc7\x0a" + one.data[7:]
    assert [position.unix_s for position in trail_code.unpack(late)] == [BEGAN_S, BEGAN_S + 300]


def test_accuracy_has_a_class_for_each_metre():
    classes = [trail_code.accuracy_class(metres) for metres in range(300)]
    assert classes == sorted(classes) and classes[0] == 0 and classes[-1] == trail_code.CLASS_WORSE
    for accuracy, within_m in enumerate(trail_code.WITHIN_M):
        assert (classes[within_m], classes[within_m + 1]) == (accuracy, accuracy + 1)
    assert trail_code.accuracy_class(-1) == trail_code.CLASS_UNKNOWN


def walk(rng, count, step_s, metres, noise):
    """Positions of somebody who walks so many metres a step, turning as he likes, seen with so much noise (e5)."""
    north, east, heading = NORTH, EAST, rng(8)
    now_s = BEGAN_S
    for _ in range(count):
        now_s += step_s + rng(9) - 4
        heading += rng(3) - 1
        far = metres * 90 // 100 + rng(metres // 5 + 1)
        north += (0, 7, 10, 7, 0, -7, -10, -7)[heading % 8] * far // 11
        east += (10, 7, 0, -7, -10, -7, 0, 7)[heading % 8] * far // 10
        jitter_n, jitter_e = rng(2 * noise + 1) - noise, rng(2 * noise + 1) - noise
        yield Position(now_s, north + jitter_n, east + jitter_e, 1 + rng(3), moving=metres > 0)


# Who, seconds between two, metres between two, noise in e5: most bytes a position may take, trails' heads included.
WALKS = (
    ("still, open sky", 300, 0, 4, 3.3),
    ("still, among houses", 300, 0, 15, 4.1),
    ("a child at play", 300, 60, 8, 4.5),
    ("an old man's walk", 300, 200, 8, 6.0),
    ("a walk, each minute", 60, 75, 8, 4.8),
    ("a bus", 300, 2500, 8, 6.0),
    ("a train", 300, 15000, 8, 7.6),
    ("SOS, each 10 s", 10, 12, 5, 4.1),
)


def test_a_position_takes_the_few_bytes_that_the_readme_says():
    for name, step_s, metres, noise, most in WALKS:
        rng = dice(SEED)
        count = 2016
        trails = written(list(walk(rng, count, step_s, metres, noise)), step_s)
        each = sum(len(trail) for trail in trails) / count
        print(f"bytes {name}: {each:.2f} in {len(trails)} boxes")
        assert each <= most, (name, each)
