"""The ledger on littlefs over flash that loses power, fails or is full of rubbish (started by test_on_micropython.py).

Every operation that writes is cut after every single byte it programs and at eight points of every erase, torn writes
left as they are. After each cut the flash is mounted anew, and what was must be wholly old or wholly new.
"""

from sos.counter import RESERVE, Counter
from sos.ledger import slot_at
from torn_flash import Chip, PowerCut, formatted, mount, state, unmount

from protocol import codes


def cut_everywhere(chip, operation):
    """Do `operation(ledger, outbox)` with every possible cut; return how many there were. Leaves it done."""
    before = bytes(chip.data)
    ledger, outbox = mount(chip)
    old = state(ledger, outbox)
    chip.programmed = 0
    operation(ledger, outbox)
    new = state(ledger, outbox)
    unmount()
    done = bytes(chip.data)
    whole = chip.programmed
    seen = set()
    for cut in range(whole):
        chip.data[:] = before
        chip.left = None
        ledger, outbox = mount(chip)
        chip.left = cut
        try:
            operation(ledger, outbox)
            raise AssertionError("power was to be cut")
        except PowerCut:
            pass
        unmount()
        chip.left = None
        found = state(*mount(chip))
        unmount()
        assert found in (old, new), (cut, old, new, found)
        seen.add(found == new)
    assert whole > 100 and False in seen
    chip.data[:] = done
    return whole


def press(_, outbox):
    outbox.add(codes.SOS, codes.PRESS, 1000, True)


def hold(ledger, outbox):
    alarm = outbox.newest_emergency()
    alarm.pending = False
    alarm.detail = codes.HOLD
    outbox.keep(alarm)
    ledger.commit()


def cancel(_, outbox):
    outbox.forget(outbox.newest_emergency())
    outbox.add(codes.SOS_CANCELLED, 1, 2000, False)


def stored(ledger, outbox):
    outbox.told(outbox.newest_emergency().number, codes.STORED)
    ledger.commit()


def closed(ledger, outbox):
    outbox.told(outbox.newest_emergency().number, codes.CLOSED)
    ledger.commit()


def reserve(ledger, _):
    Counter(ledger).start()


def test_a_cut_at_any_byte_leaves_the_old_or_the_new():
    chip = formatted()
    cuts = cut_everywhere(chip, reserve)
    for operation in (press, hold, stored, press, cancel, closed, reserve):
        cuts += cut_everywhere(chip, operation)
    print("cuts:", cuts)


def test_a_cut_while_the_first_ledger_is_made_leaves_none_or_a_whole_one():
    empty = bytes(formatted().data)
    chip = Chip()
    chip.data[:] = empty
    chip.programmed = 0
    mount(chip)
    unmount()
    # Each of the two is written sixteen times at its birth: every byte of that would be the same again and again.
    for cut in range(0, chip.programmed, 23):
        chip.data[:] = empty
        chip.left = cut
        try:
            mount(chip)
        except PowerCut:
            pass
        unmount()
        chip.left = None
        assert state(*mount(chip)) == (1, 0, []), cut
        unmount()


def test_no_counter_and_no_number_is_used_twice_over_any_cut():
    """Presses and frames between cuts at points that wander through every phase of a write."""
    chip = formatted()
    used_counters, used_numbers = set(), set()
    highest = -1
    for life in range(400):
        chip.left = None
        ledger, outbox = mount(chip)
        for alarm in outbox.alarms:
            outbox.forget(alarm)  # else a full outbox makes new ones one with old ones
        chip.left = life * 37 % 2500
        try:
            counter = Counter(ledger)
            counter.start()
            for _ in range(1 + life % 50):
                taken = counter.take()
                assert taken not in used_counters and taken > highest, (life, taken)
                used_counters.add(taken)
                highest = taken
                counter.refill()
                alarm = outbox.add(codes.SOS, codes.HOLD, 0, False)
                assert alarm.number not in used_numbers, (life, alarm.number)
                used_numbers.add(alarm.number)
                outbox.told(alarm.number, codes.CLOSED)
        except PowerCut:
            pass
        unmount()
    assert len(used_numbers) > 200 and len(used_counters) > 200
    # A cut costs at most what was reserved: that is what the gateway's window has to bear.
    assert highest < 400 * (RESERVE + 50)


def test_failing_flash_is_told_and_mended_with_everything_that_came_meanwhile():
    chip = formatted()
    ledger, outbox = mount(chip)
    first = outbox.add(codes.SOS, codes.HOLD, 0, False).number
    chip.failing = True
    second = outbox.add(codes.SOS, codes.HOLD, 0, False).number
    assert ledger.failed
    assert not ledger.reopen(None) and ledger.failed
    chip.failing = False
    assert ledger.reopen(None) and not ledger.failed
    unmount()
    _, again = mount(chip)
    assert sorted(a.number for a in again.alarms if a.used) == [first, second]
    unmount()


def test_a_write_that_failed_is_made_good_by_the_next():
    chip = formatted()
    ledger, outbox = mount(chip)
    chip.failing = True
    outbox.add(codes.SOS, codes.HOLD, 0, False)
    chip.failing = False
    assert ledger.failed and ledger.commit() and not ledger.failed
    unmount()
    _, again = mount(chip)
    assert [a.number for a in again.alarms if a.used] == [1]
    unmount()


def test_flash_that_fails_at_the_start_makes_counters_jump():
    chip = formatted()
    ledger, _ = mount(chip)
    counter = Counter(ledger)
    counter.start()
    reserved = ledger.reserved
    unmount()
    ledger, _ = mount(chip)
    chip.failing = True
    counter = Counter(ledger)
    counter.start()
    assert ledger.failed and counter.take() >= reserved + 4096
    unmount()


def test_rotten_records_are_dropped_and_the_others_kept():
    chip = formatted()
    ledger, outbox = mount(chip)
    for _ in range(3):
        outbox.add(codes.SOS, codes.HOLD, 0, False)
    ledger.image[slot_at(1) + 5] ^= 1  # a bit of the second
    ledger.commit()
    ledger.mirror()
    unmount()
    ledger, outbox = mount(chip)
    assert [a.number for a in outbox.alarms if a.used] == [1, 3]
    assert ledger.next_number == 4 and not ledger.lost_count
    ledger.image[9] ^= 1
    for file in ledger._copies._files:
        file.seek(0)
        file.write(ledger.image)
        file.flush()
    unmount()
    ledger, outbox = mount(chip)
    assert ledger.lost_count and [a.number for a in outbox.alarms if a.used] == [1, 3]
    assert ledger.next_number == 4  # above what is there, whatever the header said
    unmount()


def test_rubbish_is_never_formatted():
    chip = Chip()
    for i in range(len(chip.data)):
        chip.data[i] = i * 7 & 0xFF
    before = bytes(chip.data)
    try:
        mount(chip)
        raise AssertionError("mounted rubbish")
    except OSError:
        pass
    assert bytes(chip.data) == before


def test_an_image_fits_where_rewriting_is_one_append():
    """512 bytes: the cache, and an eighth of a block, which is what littlefs keeps inside a directory block."""
    chip = formatted()
    ledger, _ = mount(chip)
    assert len(ledger.image) <= 512
    ledger.commit()
    chip.programmed = 0
    for _ in range(14):
        ledger.commit()
    # An erase costs 8 here; a file outside of the directory block would be erased and copied each time.
    assert chip.programmed < 14 * 1100, chip.programmed
    unmount()
