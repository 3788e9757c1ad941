"""The T-Watch's board file over a fake chip, on MicroPython (started by test_boards.py)."""

import esp32
import machine
import micropython
from boards import contract, watch_t_watch_s3
from fake_power import INTERRUPT, key, listening, power_on, slept
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
    ((pins, level),) = esp32.wakes
    assert [pin.number for pin in pins] == [INTERRUPT]
    assert level == esp32.WAKEUP_ALL_LOW
    assert State.levels[45] == 0
    assert State.chips[0x34].registers[0x90] & 0x26 == 0, "screen and motor are off"


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
