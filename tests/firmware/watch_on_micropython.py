"""The T-Watch's board file over a fake chip, on MicroPython (started by test_boards.py)."""

from array import array

import esp32
import fake_power
import machine
import micropython
from boards import contract, watch_t_watch_s3
from fake_power import INTERRUPT, MOTION, TOUCH, finger, key, listening, power_on, slept
from machine import State


def test_watch_tells_every_edge_of_its_key():
    board = power_on(watch_t_watch_s3)
    heard = listening(board)
    key(0x02)
    assert board.button_pressed()
    key(0x01)
    key(0x03)  # down and up before anybody looked
    assert heard == [True, False, True, False]
    key(0x02)
    key(0x03)  # up and down again
    assert heard[4:] == [True, False, True]
    assert board.button_pressed()
    assert State.levels[INTERRUPT] == 1, "the line was let go"


def test_watch_held_key_does_not_cut_the_power():
    power_on(watch_t_watch_s3)
    assert State.chips[0x34].registers[0x22] & 0x02 == 0


def test_watch_passes_an_edge_on_without_heap():
    board = power_on(watch_t_watch_s3)
    heard = [0, 0]

    def note(pressed):
        heard[pressed] += 1

    board.on_button(note)
    State.chips[0x34].registers[0x49] = 0x02
    micropython.heap_lock()
    try:
        board._on_interrupt(None)
        board.now_ms()
        board.led(0xFF8000)
        board.motor(1)
        board.show(17, 1)
        board.button_pressed()
    finally:
        micropython.heap_unlock()
    assert heard == [0, 1]
    assert State.chips[0x5A].registers[0x02] == 0xFF


def test_watch_cable_is_no_press():
    board = power_on(watch_t_watch_s3)
    heard = listening(board)
    key(0x80)
    assert heard == []
    assert State.levels[INTERRUPT] == 1


def test_watch_a_key_that_cannot_be_read_is_a_press_told_once():
    board = power_on(watch_t_watch_s3)
    heard = listening(board)
    chip = State.chips[0x34]
    chip.broken = True
    key(0x02)
    assert heard == [True, False]
    for _ in range(5):
        board.wait(1)
    assert heard == [True, False], "one edge is one press, however long the bus is dead"
    chip.broken = False
    chip.registers[0x49] = 0x02
    board.wait(1)
    assert heard == [True, False, True], "and once the bus works the key is heard again"


def test_watch_an_edge_whose_interrupt_was_lost_is_found_in_wait():
    board = power_on(watch_t_watch_s3)
    heard = listening(board)
    State.chips[0x34].registers[0x49] = 0x02
    State.levels[INTERRUPT] = 0
    board.wait(1)
    assert heard == [True]


def test_watch_screen_is_dark_at_once_and_painted_in_wait():
    board = power_on(watch_t_watch_s3)
    spi = State.spi
    spi.keep = False
    assert State.levels[45] == 0, "dark at power-on"
    spi.count = 0
    board.led(0x00FF00)
    assert State.levels[45] == 0
    assert spi.count == 0, "nothing is painted in scheduler context"
    board.wait(1)
    assert State.levels[45] == 1
    assert spi.count > 240 * 240 * 2
    board.led(0)
    assert State.levels[45] == 0
    spi.count = 0
    board.led(0x00FF00)
    assert State.levels[45] == 1, "the colour is there already"
    board.wait(1)
    assert spi.count == 0
    board.led(0xFF0000)
    assert State.levels[45] == 0, "rather dark than the wrong colour"


def test_watch_shows_a_page_where_the_glass_sits():
    board = power_on(watch_t_watch_s3)
    canvas = board.canvas()
    assert board.canvas() is canvas
    canvas.fill(0)
    canvas.pixel(0, 0, 1)
    canvas.pixel(239, 239, 15)
    palette = [0x0000FF] + [0xFF0000] * 14 + [0x00FF00]
    State.spi.log = []
    board.flush(palette)
    commands = [data for level, data in State.spi.log if level == 0]
    assert commands == [b"\x2b", b"\x2c"]
    data = [data for level, data in State.spi.log if level == 1]
    assert data[0] == bytes([0, 80, 319 >> 8, 319 & 0xFF]), "the last 240 of the controller's 320 rows"
    pixels = b"".join(data[1:])
    assert len(pixels) == 2 * 240 * 240
    assert pixels[:4] == b"\xf8\x00\x00\x1f" and pixels[-4:] == b"\x00\x1f\x07\xe0"
    assert pixels[4:-2] == b"\x00\x1f" * (240 * 240 - 3)
    assert max(len(part) for part in data) <= 2 * 240 * 20, "no transfer keeps ticks out for longer than a strip"


def test_watch_page_beats_between_dim_and_bright_and_goes_dark():
    board = power_on(watch_t_watch_s3)
    board.flush([0] * 16)
    dim = State.duties[45]
    board.led(0x00FF00)
    assert State.duties[45] > 3 * dim > 0
    State.spi.count = 0
    State.spi.keep = False
    board.wait(1)
    assert State.spi.count == 0, "the page is not painted over"
    board.led(0)
    assert State.duties[45] == dim
    board.flush(None)
    assert State.duties[45] == 0
    board.led(0x00FF00)
    assert State.duties[45] == 0, "rather dark than an old page"
    board.wait(1)
    assert State.duties[45] == 65535 and State.spi.count > 2 * 240 * 240, "without a page it is the lamp"


def test_watch_a_finger_is_one_tap_however_long_it_stays():
    board = power_on(watch_t_watch_s3)
    assert board.touches() == []
    finger(17, 239)
    assert board.touches() == [(17, 239)]
    finger(20, 230, event=2)
    assert board.touches() == []
    finger(20, 230, event=1, fingers=0)
    assert board.touches() == []
    finger(0, 160)
    assert board.touches() == [(0, 160)]


def test_watch_a_finger_that_is_gone_before_anybody_looked_is_a_tap():
    board = power_on(watch_t_watch_s3)
    finger(100, 200)
    finger(100, 200, event=1, fingers=0)
    assert board.touches() == [(100, 200)]
    assert board.touches() == []
    finger(1, 2)
    assert board.touches() == [(1, 2)]


def test_watch_asks_the_touch_chip_only_where_its_line_says_so():
    board = power_on(watch_t_watch_s3)
    State.chips[0x38].broken = True
    assert board.touches() == []
    finger(1, 2)
    assert board.touches() == [], "a dead bus is no tap, and no fault"
    State.chips[0x38].broken = False
    assert board.touches() == [(1, 2)]


def test_watch_without_its_touch_or_accelerometer_says_so():
    def board_without(address):
        real = fake_power.Chip
        fake_power.Chip = lambda values, clears=(): real({0x00: 0, 0xA3: 0} if values in without else values, clears)
        without = ({0xA3: 0x64},) if address == 0x38 else ({0x00: 0x13},)
        try:
            return power_on(watch_t_watch_s3)
        finally:
            fake_power.Chip = real

    board = board_without(0x38)
    assert not board.has_touch and board.touches() == [] and board.has_accelerometer
    board = board_without(0x19)
    assert not board.has_accelerometer and board.samples(array("h", [0] * 30)) == 0 and board.has_touch


def test_watch_works_without_its_motor():
    board = power_on(watch_t_watch_s3)
    State.chips[0x5A].broken = True
    board.motor(1)
    board.motor(0)
    heard = listening(board)
    key(0x02)
    assert heard == [True]


def test_watch_supplies_screen_and_motor_and_not_the_second_radio():
    power_on(watch_t_watch_s3)
    registers = State.chips[0x34].registers
    assert registers[0x90] == 0x02 | 0x04 | 0x20
    assert [registers[n] for n in (0x93, 0x94, 0x97)] == [28, 28, 28]


def test_watch_tells_battery_and_cable_and_survives_a_dead_bus():
    board = power_on(watch_t_watch_s3)
    assert board.battery_mv() == 0xFA0
    assert not board.external_power()
    State.chips[0x34].registers[0] = 0x20
    assert board.battery_mv() == 0
    assert board.external_power()
    State.chips[0x34].broken = True
    assert board.battery_mv() == 0
    assert not board.external_power()


def test_watch_sleeps_with_the_interrupt_line_to_wake_it():
    board = power_on(watch_t_watch_s3)
    board.led(0xFF0000)
    board.wait(1)
    assert slept(board) == 60000
    lines = [([pin.number for pin in pins], level) for pins, level in esp32.wakes]
    assert sorted(lines) == [([TOUCH], esp32.WAKEUP_ALL_LOW), ([INTERRUPT], esp32.WAKEUP_ALL_LOW)]
    assert State.levels[45] == 0
    assert State.chips[0x34].registers[0x90] & 0x26 == 0x04, "light and motor are off, the touch has power"
    assert State.chips[0x38].registers[0xA5] == 1, "and looks seldom"


def test_watch_sleeps_though_its_touch_is_dead_and_cuts_its_power_then():
    board = power_on(watch_t_watch_s3)
    State.chips[0x38].broken = True
    assert slept(board) == 60000
    ((pins, _),) = esp32.wakes
    assert [pin.number for pin in pins] == [INTERRUPT], "the key is never the price"
    assert State.chips[0x34].registers[0x90] & 0x26 == 0


def test_watch_wakes_by_its_accelerometer_where_somebody_asked_for_that():
    board = power_on(watch_t_watch_s3)
    board.watch_motion(True)
    assert slept(board) == 60000
    lines = [[pin.number for pin in pins] for pins, _ in esp32.wakes]
    assert sorted(lines) == [[TOUCH, MOTION], [INTERRUPT]]


def test_watch_knows_a_touch_from_its_accelerometer():
    for held, wake in ((1, contract.WAKE_TOUCH), (0, contract.WAKE_MOTION)):
        board = power_on(watch_t_watch_s3, machine.DEEPSLEEP_RESET, machine.EXT1_WAKE, levels={MOTION: held})
        assert board.wake_cause == wake
    board = power_on(watch_t_watch_s3, machine.DEEPSLEEP_RESET, machine.EXT1_WAKE, key=0x02)
    assert board.wake_cause == contract.WAKE_BUTTON, "the key before all"


def test_watch_stays_awake_while_the_key_is_held():
    board = power_on(watch_t_watch_s3)
    key(0x02)
    assert slept(board) is None
    key(0x01)
    assert slept(board) == 60000


def test_watch_knows_what_woke_it_and_where_the_key_is():
    rows = (
        (0x02, 2, contract.WAKE_BUTTON, True),
        (0x03, 2, contract.WAKE_BUTTON, False),
        (0x80, 2, contract.WAKE_SERIAL, False),
        (0x82, 2, contract.WAKE_BUTTON, True),
        (0x00, 4, contract.WAKE_TIMER, False),
    )
    for flags, reason, wake, down in rows:
        board = power_on(watch_t_watch_s3, machine.DEEPSLEEP_RESET, reason, key=flags)
        assert board.wake_cause == wake, flags
        assert board.button_pressed() == down, flags


def test_watch_has_no_serial_line():
    board = power_on(watch_t_watch_s3)
    assert board.serial_read(bytearray(4)) == 0
    assert board.serial_write(bytearray(4), 4) is False
