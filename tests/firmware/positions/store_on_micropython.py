"""The trail in flash: a week of it, flash that fails, is full or rots, order and numbers (test_trail_in_flash.py)."""

import os
import random

import trail_life as life
import vfs
from nor_chip import BLOCK, Chip, Port
from sos.positions import files
from sos.positions.store import FILES_MOST, Store
from sos.positions.trail import Trail

from protocol.trail_code import Position, unpack

SEED = 20261128
WEEK = 2016
# `records` of each board (boards/partitions_*.csv).
BOARD_BLOCKS = 64


def handed_over(store):
    """All that a gateway gets, in that order."""
    found = []
    while True:
        record = store.next(())
        if record is None:
            return found
        found.append(record)
        store.taken(record.sequence)


def mounted(chip):
    port = Port(chip)
    vfs.mount(vfs.VfsLfs2(port, readsize=32, progsize=128), "/flash")
    return port


def unmount(port):
    port.cut()
    vfs.umount("/flash")


def position(n, step_s=300):
    """The n-th of a walk about a town, each a few hundred metres from the last."""
    return Position(life.NOW_S + n * step_s + n % 7, 2254321 + n * 211 % 1999, 11394238 - n * 173 % 1777, n % 4)


def test_a_week_is_there_after_thirty_power_cuts_in_order_and_each_position_once():
    random.seed(SEED)
    chip = Chip(BOARD_BLOCKS)
    vfs.VfsLfs2.mkfs(Port(chip), readsize=32, progsize=128)
    run = life.Run(chip, life.Promises())
    run.store._most = FILES_MOST
    for n in range(WEEK):
        assert run.trail.add(position(n), 0, 300)
        if n % 12 == 0:
            run.ledger.commit()  # counters, and what an event now and then writes
        run.promises.ledger = run.ledger.written
        power = random.getrandbits(16) % (WEEK // 30) == 0
        if power or n % 16 == 0:
            # By a loss of power, or out of the sleep that each is followed by.
            sequence = run.store.open.sequence
            run.end()
            run = life.Run(chip, run.promises, None if power else sequence)
            run.store._most = FILES_MOST
    files_there = len(run.store._files)
    run.store.close()
    erases = sum(chip.erases.values())
    found = handed_over(run.store)
    run.store.settle()
    run.end()
    times = [record.sequence for record in found]
    assert times == sorted(times, reverse=True), "the newest first"
    positions = [told for record in reversed(found) for told in unpack(record.trail)]
    assert [(p.unix_s, p.latitude_e5, p.longitude_e5) for p in positions] == [
        (p.unix_s, p.latitude_e5, p.longitude_e5) for p in (position(n) for n in range(WEEK))
    ]
    size = sum(len(record.trail) for record in found)
    assert files_there <= FILES_MOST
    worst = max(chip.erases.values())
    print(f"week: bytes a position {size / WEEK:.2f}, trails {len(found)}, files {files_there}")
    print(f"week: erases a day {erases / 7:.1f}, most of one block {worst / 7:.2f}")
    assert erases / 7 < 60


def test_more_than_a_week_of_the_widest_steps_costs_no_more_than_its_files():
    chip = Chip(BOARD_BLOCKS)
    vfs.VfsLfs2.mkfs(Port(chip), readsize=32, progsize=128)
    port = mounted(chip)
    store = Store("/flash")
    trail = Trail(store)
    # A train that turns each time: 8 bytes a position; eleven days of them.
    count = 3300
    for n in range(count):
        there = Position(life.NOW_S + 301 * n + n % 2, (-1) ** n * 9000 + 2254321, (-1) ** n * 9000 + 11394238, 2)
        assert trail.add(there, 0, 300)
    store.close()
    found = handed_over(store)
    unmount(port)
    kept = sum(len(unpack(record.trail)) for record in found)
    assert WEEK < kept < count, kept
    newest = unpack(found[0].trail)[-1].unix_s
    assert newest == life.NOW_S + 301 * (count - 1) + (count - 1) % 2, "and the oldest went"
    print("widest: kept", kept)


def test_what_was_taken_is_gone_for_good_and_the_numbers_go_on():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    for number in (0, 3, 0):
        run.add(number)
    run.hand_over(9)
    highest = max(run.promises.ended)
    assert len(run.promises.ended) == 3 and not run.store.waits
    run = life.again(chip, run)
    assert run.there() == {} and not run.store.waits and run.store._files == []
    run.add(0, 1)
    assert run.store.open.sequence > highest
    run.end()


def test_those_of_an_event_go_first_then_the_newest():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    for number in (0, 0, 7, 0, 7, 9, 0):
        run.add(number)
        run.close()
    found = handed_over(run.store)
    assert [record.number for record in found] == [9, 7, 7, 0, 0, 0, 0]
    for kind in ((9, 7), (0,)):
        sequences = [record.sequence for record in found if record.number in kind]
        assert sequences == sorted(sequences, reverse=True)
    run.end()


def test_what_has_been_handed_over_while_flash_took_nothing_is_not_written_on_after_a_restart():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    run.add()
    first = run.store.open.sequence
    chip.worn = range(chip.blocks)
    assert not run.add() and run.store.failed
    run.store.close()
    (record,) = handed_over(run.store)
    assert record.sequence == first and len(unpack(record.trail)) == 2, "RAM has it"
    chip.worn = ()
    run = life.again(chip, run)
    run.add()
    assert run.store.open.sequence > first
    (old,) = handed_over(run.store)
    assert old.sequence == first and len(unpack(old.trail)) == 1
    run.end()


def test_flash_that_takes_nothing_leaves_the_newest_trails_in_ram():
    store = Store("")
    trail = Trail(store)
    for n in range(6):
        assert not trail.add(position(n), n + 1, 300)
    assert store.failed and store.waits
    store.close()
    assert [record.number for record in handed_over(store)] == [6, 5, 4, 3]
    assert not store.waits and store.next(()) is None
    store.settle()


def test_a_failure_that_passes_loses_nothing_that_was_told_as_kept():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    for n in range(40):
        chip.worn = range(chip.blocks) if n % 5 == 4 else ()
        run.add(n // 3)
    chip.worn = ()
    run = life.again(chip, run)
    run.check()
    run.end()


def test_where_the_folder_cannot_be_listed_the_numbers_go_on_and_what_is_now_is_there():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    for n in range(3):
        run.add(n)
    newest = run.store.open.sequence
    listed = files.ilistdir
    files.ilistdir = fails
    try:
        run = life.again(chip, run)
    finally:
        files.ilistdir = listed
    assert run.store.failed
    assert run.store.open.sequence == newest and len(unpack(run.store.open.trail)) > 0
    run.store.begin(0, 0)
    assert run.store.open.sequence == newest + 1
    run.end()


def fails(*_):
    raise OSError(5)


def test_the_ledgers_room_is_left_free():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    with open("/flash/other", "wb") as other:
        other.write(bytes(BLOCK * (life.BLOCKS - 22)))
    for n in range(200):
        run.add(n)
        run.alarm()
        # One block more is taken when a file grows, and given back when the old one is gone.
        assert free_blocks() >= files._FREE_LEAST - 2
    assert run.store._files and not run.store.failed
    run.end()
    run = life.Run(chip, run.promises)
    assert run.ledger.written == run.promises.ledger
    run.end()


def free_blocks():
    return os.statvfs("/flash")[3]


def test_a_rotten_record_is_passed_over_and_the_others_are_there():
    chip = life.fresh()
    run = life.Run(chip, life.Promises())
    for number in range(1, 5):
        run.add(number)
        run.close()
    name = "/flash/trail/" + files.name_of(run.store._files[-1])
    with open(name, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 4 + 12] ^= 4
    with open(name, "wb") as file:
        file.write(data)
    run = life.again(chip, run)
    assert [record.number for record in handed_over(run.store)] == [4, 3, 1]
    run.end()


def test_any_bytes_in_any_file_leave_a_store_that_works():
    random.seed(SEED)
    for _ in range(60):
        chip = life.fresh()
        run = life.Run(chip, life.Promises())
        run.add(1)
        run.close()
        run.add(2)
        for name in ("now", files.name_of(run.store._files[-1]), "00000007", "strange", "0000000g"):
            if random.getrandbits(1):
                with open("/flash/trail/" + name, "wb") as file:
                    file.write(bytes(random.getrandbits(8) for _ in range(random.getrandbits(9))))
        run = life.again(chip, run)
        run.promises.kept.clear()
        highest = run.store._newest
        assert run.add(3) and run.store.open.sequence > highest
        run.hand_over(200)
        run.end()
