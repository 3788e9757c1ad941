"""The accelerometer's driver over a fake chip, on MicroPython (started by test_accelerometer.py)."""

from array import array

from accelerometer import Accelerometer
from boards import watch_t_watch_s3
from drivers.bma423 import Bma423, ChipAbsent
from fake_power import power_on
from machine import State

ONE_G = 4096


def samples_of(chip, room=170):
    buf = array("h", [0] * (3 * room))
    count = chip.samples(buf)
    return [tuple(buf[3 * i : 3 * i + 3]) for i in range(count)]


def test_accelerometer_another_chip_is_refused():
    try:
        Bma423(Accelerometer(chip_id=0x11))
    except ChipAbsent:
        return
    raise AssertionError("it took chip 0x11 for a BMA423")


def test_accelerometer_no_chip_is_a_bus_error():
    bus = Accelerometer()
    bus.broken = True
    try:
        Bma423(bus)
    except OSError:
        return
    raise AssertionError("nothing answered and nobody noticed")


def test_accelerometer_samples_at_50_hz_and_8_g_into_a_fifo_without_headers():
    bus = Accelerometer()
    Bma423(bus)
    rate, span, fifo = bus.registers[0x40], bus.registers[0x41], bus.registers[0x49]
    assert rate & 0x0F == 0x07 and span & 0x03 == 0x02 and fifo == 0x40
    assert bus.registers[0x48] & 0x01 == 0, "the newest are kept, not the oldest"
    assert bus.registers[0x45] == 0x80, "filtered, all of them"
    assert not bus.line


def test_accelerometer_gives_mg_oldest_first_and_each_sample_once():
    bus = Accelerometer()
    chip = Bma423(bus)
    bus.feed([(0, 0, ONE_G), (-ONE_G, 2 * ONE_G, 0), (-0x8000, 0x7FF0, 16)])
    assert samples_of(chip) == [(0, 0, 1000), (-1000, 2000, 0), (-8000, 7996, 3)]
    assert samples_of(chip) == []


def test_accelerometer_keeps_the_newest_and_gives_them_in_parts():
    bus = Accelerometer()
    chip = Bma423(bus)
    bus.feed([(16 * i, 0, 0) for i in range(400)])
    first = samples_of(chip, room=50)
    rest = samples_of(chip)
    assert len(first) == 50 and len(rest) == 120
    assert [x for x, _, _ in first + rest] == [16 * i * 125 >> 9 for i in range(230, 400)]


def test_accelerometer_goes_over_a_deep_sleep_with_all_it_kept():
    bus = Accelerometer()
    chip = Bma423(bus)
    chip.sleep(0)
    bus.feed([(0, 0, ONE_G)] * 30)
    written = bus.writes
    chip = Bma423(bus)
    assert bus.writes == written + 1, "awake again and nothing else: a new set-up would empty the FIFO"
    assert len(samples_of(chip)) == 30
    assert bus.asleep_reads == 0


def test_accelerometer_that_lost_power_is_set_up_again():
    bus = Accelerometer()
    Bma423(bus)
    bus.registers[0x40] = 0xA8  # its reset value
    Bma423(bus)
    assert bus.registers[0x40] == 0x27


def test_accelerometer_wakes_by_its_fifo_and_only_when_asked():
    bus = Accelerometer()
    chip = Bma423(bus)
    chip.sleep(0)
    bus.feed([(0, 0, ONE_G)] * 170)
    assert not bus.line
    chip = Bma423(bus)
    samples_of(chip)
    chip.sleep(160)
    bus.feed([(0, 0, ONE_G)] * 159)
    assert not bus.line
    bus.feed([(0, 0, ONE_G)])
    assert bus.line
    assert bus.registers[0x7C] & 0x01, "it saves power meanwhile"
    chip.wake()
    assert len(samples_of(chip)) == 160
    assert not bus.line


def test_accelerometer_that_fails_raises_and_comes_back():
    bus = Accelerometer()
    chip = Bma423(bus)
    bus.broken = True
    try:
        samples_of(chip)
        raise AssertionError("a dead bus gave samples")
    except OSError:
        pass
    bus.broken = False
    bus.feed([(0, 0, ONE_G)])
    assert samples_of(chip) == [(0, 0, 1000)]


def silent(chip, now_ms):
    """Whether it is held to be silent at this time; it gives nothing in any case."""
    try:
        assert chip.taken(array("h", [0] * 30), now_ms) == 0
    except OSError:
        return True
    return False


def test_accelerometer_that_dies_is_not_taken_for_one_that_lies_still():
    for breaks in (True, False):
        bus = Accelerometer()
        chip = Bma423(bus)
        bus.feed([(0, 0, ONE_G)] * 3)
        assert chip.taken(array("h", [0] * 30), 5000) == 3
        # Nothing answers any more; or it answers, and samples no more.
        bus.broken = breaks
        assert not any(silent(chip, now_ms) for now_ms in range(5020, 15000, 20))
        assert silent(chip, 15000)
        bus.broken = False
        bus.feed([(0, 0, ONE_G)])
        assert chip.taken(array("h", [0] * 30), 16000) == 1
        assert not silent(chip, 25999) and silent(chip, 26000)


def test_accelerometer_that_is_asked_late_or_after_a_sleep_is_not_held_to_be_silent():
    bus = Accelerometer()
    chip = Bma423(bus)
    assert not silent(chip, 60000), "nobody has asked before"
    bus.feed([(0, 0, ONE_G)] * 2)
    assert chip.taken(array("h", [0] * 30), 200000) == 2, "what it has kept says that it lives"
    assert not silent(chip, 200020)
    assert not silent(Bma423(bus), 0)


def test_watch_says_that_its_accelerometer_is_silent():
    board = power_on(watch_t_watch_s3)
    State.chips[0x19].broken = True
    asked_ms = board.now_ms()
    assert board.samples(array("h", [0] * 30)) == 0
    board.now_ms = lambda: asked_ms + 20000
    try:
        board.samples(array("h", [0] * 30))
    except OSError:
        return
    raise AssertionError("who lies still and a dead chip are the same to it")
