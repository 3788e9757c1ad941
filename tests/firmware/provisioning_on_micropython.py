"""Provisioning on a chip that loses power in every operation and every way, and what else must be so.

Runs on MicroPython (started by test_provisioning.py). Here the other half is a few lines of its own; what the tool
really does is tested over a cable (tests/tools/provision).
"""

import os
import random

import vfs
from nor_chip import Chip, Port, cut, do, ways
from provisioning_bench import (
    SALT,
    Bench,
    Visit,
    close_all,
    keys_of,
    lives,
    new_ledger,
    provisioned,
    rolling_id,
    sealed,
)
from sos import identity, provisioning
from sos.outbox import Outbox
from virtual_board import Body

from protocol import codes
from protocol.frame import BODY_AT, DownSealer
from protocol.keys import derive

BLOCKS = 10
# Some of them: all take minutes. PINGAN_CUTS=100000 makes all of them.
CUTS_OF_EACH = int(os.getenv("PINGAN_CUTS") or 150)


def _ends_well(chip, old, new, proved):
    """What the next visit finds, and that it ends with one identity, whatever the last one had done."""
    if random.getrandbits(1):
        lives(chip)
    visit = Visit(chip)
    found = visit.of_device.handle
    assert found in (old, "", new.handle.hex()), found
    assert found != new.handle.hex() or proved, "not proved, and active"
    if found == new.handle.hex():
        visit.of_device.resume()
        assert visit.prove(new)
        assert visit.of_device.activate() == found
        wanted = new
    else:
        wanted = derive(os.urandom(16))
        visit.give(wanted)
    visit.over()
    assert lives(chip) == wanted.handle.hex()
    visit = Visit(chip)
    assert visit.of_device.handle == wanted.handle.hex()
    visit.over()


def _cut_everywhere(begin, old, name):
    """Cut the visit that gives new keys, which begins with the chip as begin() leaves it."""
    sealed.clear()
    before = Chip(BLOCKS)
    begin(before)
    chip = Chip(BLOCKS, before.data)
    new = keys_of(77)
    visits = []
    chip.done, chip.note = [], lambda: (bool(visits) and visits[0].of_device._proved, dict(sealed))
    visit = Visit(chip)
    visits.append(visit)
    visit.give(new)
    visit.over()
    operations = chip.done
    every = [(n, way) for n, operation in enumerate(operations) for way in range(len(ways(operation)))]
    chosen = {random.choice(every) for _ in range(CUTS_OF_EACH)} if len(every) > CUTS_OF_EACH else set(every)
    cuts = 0
    for n, operation in enumerate(operations):
        for way in range(len(ways(operation))):
            if (n, way) in chosen:
                hurt = Chip(before.blocks, before.data, before.weak)
                cut(hurt, operation, way)
                cuts += 1
                proved, history = operation[3]
                sealed.clear()
                sealed.update(history)
                try:
                    _ends_well(hurt, old, new, proved)
                except Exception:
                    print("cut in operation", n, ways(operation)[way])
                    raise
        do(before, operation)
    print(f"cuts of {name}: {cuts} of {len(every)} ways in {len(operations)} operations")
    assert cuts >= 20


def test_a_cut_anywhere_in_a_blank_boards_first_visit_ends_well():
    _cut_everywhere(lambda chip: None, "", "blank")


def test_a_cut_anywhere_in_a_replacing_visit_ends_well():
    old = keys_of(1).handle.hex()
    _cut_everywhere(lambda chip: provisioned(chip, 1), old, "replace")


def test_a_new_board_counts_from_nought_and_a_replaced_one_again():
    chip = Chip(BLOCKS)
    for number in (5, 6):
        visit = Visit(chip)
        visit.of_device.write(identity.pack(keys_of(number)))
        frame = visit.of_device.question(bytes(16))
        assert frame[1:BODY_AT] == rolling_id(keys_of(number), 0)
        visit.over()


def test_what_is_proved_later_goes_on_counting():
    chip = Chip(BLOCKS)
    provisioned(chip, 7)
    visit = Visit(chip)
    visit.of_device.resume()
    assert visit.prove(keys_of(7))
    assert visit.of_device.activate() == keys_of(7).handle.hex()
    visit.over()
    assert lives(chip) == keys_of(7).handle.hex()


def test_nothing_is_activated_that_was_not_answered_under_its_own_key():
    chip = Chip(BLOCKS)
    visit = Visit(chip)
    keys, other = keys_of(8), keys_of(9)
    visit.of_device.write(identity.pack(keys))
    assert visit.of_device.activate() == ""
    challenge = os.urandom(16)
    visit.of_device.question(challenge)
    for wrong in (
        DownSealer(other.down).seal(codes.ANSWER, 0, SALT, challenge),
        DownSealer(keys.down).seal(codes.ANSWER, 1, SALT, challenge),
        DownSealer(keys.down).seal(codes.ANSWER, 0, SALT, bytes(16)),
        b"",
    ):
        assert not visit.of_device.answer(wrong)
        assert visit.of_device.activate() == ""
    visit.over()
    assert lives(chip) == ""


def test_a_record_that_the_cable_spoilt_changes_nothing():
    chip = Chip(BLOCKS)
    provisioned(chip, 10)
    visit = Visit(chip)
    good = identity.pack(keys_of(11))
    for at in range(0, len(good), 7):
        spoilt = bytearray(good)
        spoilt[at] ^= 1
        for bad in (bytes(spoilt), good[:at]):
            try:
                visit.of_device.write(bad)
            except identity.NotProvisioned:
                continue
            raise AssertionError("taken")
    visit.over()
    assert lives(chip) == keys_of(10).handle.hex()


def test_an_old_identity_does_not_come_back_from_rtc_memory():
    chip = Chip(BLOCKS)
    provisioned(chip, 12)
    visit = Visit(chip)
    visit._board.rtc_store(b"PAS1" + bytes(600))
    visit.of_device.write(identity.pack(keys_of(13)))
    assert visit._board.rtc_load() == b""
    visit.over()


def test_events_of_the_old_identity_are_told_and_go_with_it():
    chip = Chip(BLOCKS)
    provisioned(chip, 14)
    board = Bench(Body(chip, keys_of(14), None))
    ledger = new_ledger()
    ledger.load(board.mount_flash())
    Outbox(ledger, 1, 0).add(codes.SOS, codes.HOLD, 0, 0)
    board.unmount()
    close_all()
    visit = Visit(chip)
    assert visit.of_device.waiting() == 1
    visit.give(keys_of(15))
    assert visit.of_device.waiting() == 0
    visit.over()


def _content(chip):
    return bytes(chip.data)


def test_only_a_blank_partition_is_formatted():
    """One bit anywhere but in the last block: it is left as it is, and the visit fails."""
    for at in [random.getrandbits(20) % (4096 * (BLOCKS - 1)) for _ in range(20)] + [0, 4096 * (BLOCKS - 1) - 1]:
        chip = Chip(BLOCKS)
        chip.data[at] = 0xFE
        before = _content(chip)
        try:
            Visit(chip)
        except OSError:
            assert _content(chip) == before
            continue
        raise AssertionError("formatted")


def test_a_file_system_that_can_be_mounted_is_never_formatted_whatever_its_last_block_says():
    chip = Chip(BLOCKS)
    provisioned(chip, 16)
    at = 4096 * (BLOCKS - 1)
    chip.data[at : at + len(provisioning._MARK)] = provisioning._MARK
    visit = Visit(chip)
    assert visit.of_device.handle == keys_of(16).handle.hex()
    visit.over()
    assert bytes(chip.data[at : at + len(provisioning._MARK)]) == b"\xff" * len(provisioning._MARK), (
        "or it would be believed one day"
    )


def test_a_spoilt_file_system_is_left_alone():
    chip = Chip(BLOCKS)
    provisioned(chip, 17)
    chip.data[: 2 * 4096] = bytes(2 * 4096)
    before = _content(chip)
    try:
        Visit(chip)
    except OSError:
        assert _content(chip) == before
        return
    raise AssertionError("it was taken")


def test_flash_that_takes_nothing_fails_the_visit():
    for worn in ([0, 1], [2, 3], range(BLOCKS)):
        chip = Chip(BLOCKS, worn=worn)
        try:
            visit = Visit(chip)
            visit.give(keys_of(18))
        except OSError:
            close_all()
            continue
        # littlefs went round the worn blocks.
        assert visit.of_device.handle == keys_of(18).handle.hex()
        visit.over()
        assert lives(chip) == keys_of(18).handle.hex()


def test_an_identity_that_is_not_whole_is_told_as_one():
    chip = Chip(BLOCKS)
    provisioned(chip, 19)
    vfs.mount(vfs.VfsLfs2(Port(chip), readsize=32, progsize=128), "/flash")
    with open("/flash/identity", "wb") as file:
        file.write(b"PAT1 and no more")
    vfs.umount("/flash")
    visit = Visit(chip)
    assert visit.of_device.handle == "?"
    visit.over()


_seed = int.from_bytes(os.urandom(3), "big")
print("seed", _seed)
random.seed(_seed)
