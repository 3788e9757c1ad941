"""Flash that wears out, fills up, rots or dies under the whole application (started by test_on_micropython.py)."""

import random

# The deepest imports first: a host's stack for them is small, and on 32 bits smaller.
from protocol import frame  # noqa: F401

# isort: split
import flash_life as life
import vfs
from flash_cuts import Tally, cut_everywhere
from nor_chip import BLOCK, Chip, Port
from sos.counter import RANGE, RANGES
from sos.ledger import Ledger
from virtual_board import POWER_CUT, SOFT, WATCHDOG

from protocol import codes

# Before littlefs moves its root away from the first two blocks, and just before it does so in the life.
YOUNG, OLD = 0, 640


def some_presses(body):
    """Four alarms in four states, and a power cut among them."""
    yield 500
    yield from life.closed(body)
    yield from life.held(body)
    yield 1200
    yield from life.short(body)
    yield POWER_CUT
    yield 500
    yield from life.held(body)
    yield from life.answered(body, body.board.app._outbox.newest_emergency().number, codes.STORED, codes.ACCEPTED)
    yield from life.held(body)
    # Longer than until flash is looked after again.
    yield 11000


def failed_flash_is_told(body):
    yield 500
    assert body.board.app._dialogue._heartbeat_body()[16] & 1 == 1, "the heartbeat says that flash is well"


def test_any_one_block_that_takes_nothing_any_more_loses_nothing():
    for age in (YOUNG, OLD):
        for block in range(5 if age == YOUNG else life.BLOCKS):
            chip = life.aged(age)
            chip.worn = (block,)
            promises = life.Promises()
            life.run(chip, life.life, promises)
            life.run(chip, life.still_there, promises)
            if age == YOUNG and block < 2:
                life.run(chip, failed_flash_is_told, life.Promises(promises))


def test_a_block_that_dies_in_the_middle_of_it_all_loses_nothing():
    for age in (YOUNG, OLD):
        for block in range(5 if age == YOUNG else life.BLOCKS):
            chip = life.aged(age)
            promises = life.Promises()
            life.run(chip, some_presses, promises)
            chip.worn = (block,)
            life.run(chip, life.next_press, promises)
            life.run(chip, life.still_there, promises)


def test_a_cut_with_a_worn_block_loses_nothing():
    tally = Tally()
    for block in (0, 1):
        # It has both its files already: who is born with a worn block and without power is beyond help, and says so.
        chip = life.aged(20)
        chip.worn = (block,)
        cut_everywhere(chip, life.life, life.Promises(), tally, stride=61, again=0)
    assert tally.cuts > 20 and not tally.broken, tally.broken


def test_one_bit_that_turns_anywhere_loses_nothing():
    """At rest, after some presses: every used byte in turn, one of its bits."""
    random.seed(5)
    chip = life.aged(YOUNG)
    promises = life.Promises()
    life.run(chip, some_presses, promises)
    assert len(promises.must) == 4, promises.must
    used = [block for block in range(chip.blocks) if chip.data[block * BLOCK : (block + 1) * BLOCK] != b"\xff" * BLOCK]
    assert len(used) == 4, used
    turned = 0
    for block in used:
        for at in range(block * BLOCK, (block + 1) * BLOCK, 47):
            rotten = Chip(chip.blocks, chip.data)
            rotten.data[at] ^= 1 << random.getrandbits(3)
            mine = life.Promises(promises)
            life.run(rotten, life.next_press, mine)
            life.run(rotten, life.still_there, mine)
            turned += 1
    print("bits:", turned)
    assert turned > 300


def test_full_flash_takes_every_alarm():
    """Somebody has put files there until nothing fits any more: a rewrite needs no room."""
    for age in (YOUNG, OLD):
        chip = life.aged(age)
        promises = life.Promises()
        life.run(chip, some_presses, promises)
        port = Port(chip)
        vfs.mount(vfs.VfsLfs2(port, readsize=32, progsize=128), "/flash")
        try:
            with open("/flash/rubbish", "wb") as file:
                while True:
                    file.write(b"x" * 256)
                    file.flush()
        except OSError:
            pass
        vfs.umount("/flash")
        for _ in range(3):
            life.run(chip, life.closed, promises)
        life.run(chip, life.life, promises)


def dies_and_restarts(how):
    def script(body):
        yield 500
        yield from life.held(body)
        body.chip.dead = True
        yield from life.held(body)
        yield 300
        yield how
        yield 500
        body.promises.check(body.board.app)
        yield from life.held(body)
        yield 500
        yield how
        yield 500
        body.promises.check(body.board.app)
        body.chip.dead = False
        yield 11000
        assert not body.board.app._ledger.failed
        yield POWER_CUT
        yield 500
        body.promises.check(body.board.app)
        assert len(body.promises.must) == 3

    return script


def test_alarms_that_flash_did_not_take_outlive_any_restart_while_there_is_power():
    """Two faults at once: flash is dead, and something restarts the application."""
    for how in (WATCHDOG, SOFT):
        life.run(life.aged(YOUNG), dies_and_restarts(how), life.Promises())


def takes_nothing(body):
    for _ in range(4):
        yield 300
        yield from life.held(body)
        # The alarms are in RAM alone and may go.
        body.promises.must.clear()
        yield POWER_CUT
    yield 300


def test_flash_that_reads_and_never_takes_anything_makes_no_life_like_the_last():
    """Counters and event numbers jump at random: in order they cannot be, for nothing remembers."""
    chip = life.aged(YOUNG)
    life.run(chip, some_presses, life.Promises())
    chip.worn = tuple(range(life.BLOCKS))
    promises = life.Promises()
    counters = []
    promises.spoken = counters.append
    numbers = []
    promises.seen = lambda stage, number: numbers.append(number) if stage == life.stages.PRESSED else None
    life.run(chip, takes_nothing, promises)
    assert len(counters) > 8 and len(set(counters)) == len(counters), counters
    assert len(set(numbers)) >= 4, numbers


def count_is_lost(body):
    yield 500
    yield from life.closed(body)
    yield 1200
    yield from life.closed(body)
    counters = list(body.counters)
    lowest = counters[0] % RANGE
    assert 0x10000 <= lowest < RANGE and lowest % RANGES == body.turn == counters[0] // RANGE, counters
    # After the highest range the lowest is next, one further.
    assert counters[1] == (counters[0] + RANGE if body.turn < RANGES - 1 else lowest + 1), counters
    # The second frame was answered.
    assert counters[2] == counters[1] + 1, counters
    yield POWER_CUT
    yield 500
    assert body.counters[-1] > counters[-1] and body.counters[-1] - counters[-1] < 2048, body.counters
    assert body.board.app._dialogue._heartbeat_body()[16] & 1 == 1, "the heartbeat says that flash is well"


def test_a_lost_ledger_begins_anew_in_four_ranges_goes_on_in_the_answered_one_and_is_told():
    drawn = Ledger.begin_anew
    try:
        # Where it begins is drawn, and decides which of the ranges is first: each of them is.
        for turn in range(RANGES):
            Ledger.begin_anew = lambda ledger, number, first, turn=turn: drawn(
                ledger, number, first - first % RANGES + turn
            )
            lose_the_count(turn)
    finally:
        Ledger.begin_anew = drawn


def lose_the_count(turn):
    chip = life.aged(YOUNG)
    life.run(chip, some_presses, life.Promises())
    vfs.mount(vfs.VfsLfs2(Port(chip), readsize=32, progsize=128), "/flash")
    for name in ("/flash/ledger", "/flash/second/ledger"):
        with open(name, "wb") as file:
            file.write(b"rubbish" * 66)
    vfs.umount("/flash")
    promises = life.Promises()
    body = life.Body(chip, life.KEYS, promises.seen)
    body.counters = []
    body.spoken = body.counters.append
    body.promises = promises
    body.turn = turn
    life.live(body, count_is_lost)


def lie(ledger):
    ledger.failed = False
    return True


def test_the_campaign_would_see_an_alarm_that_is_shown_before_it_lies_in_flash():
    honest = Ledger.commit
    Ledger.commit = lambda ledger: honest(ledger) if ledger.next_number == 1 else lie(ledger)
    try:
        tally = Tally()
        cut_everywhere(life.aged(YOUNG), two_presses, life.Promises(), tally, stride=17, again=0)
    finally:
        Ledger.commit = honest
    assert [what for what in tally.broken if "is forgotten" in what], tally.broken


def two_presses(body):
    yield 500
    yield from life.held(body)
    yield 11000
    yield from life.held(body)
    yield 11000
