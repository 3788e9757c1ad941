"""The XIAO pendant's board file over a fake chip, on MicroPython (started by test_boards.py)."""

import esp32
import machine
import micropython
from boards import contract, pendant_xiao_esp32c3
from fake_power import BUTTON, CABLE, clock, listening, power_on, slept
from machine import Pin, State


def test_pendant_tells_every_edge_of_its_button():
    board = power_on(pendant_xiao_esp32c3)
    heard = listening(board)
    pin = Pin.made[BUTTON]
    for level in (1, 0, 1, 0):
        pin.drive(level)
        assert board.button_pressed() == bool(level)
    assert heard == [True, False, True, False]
    assert board._edges == 4


def test_pendant_passes_an_edge_on_without_heap():
    board = power_on(pendant_xiao_esp32c3)
    heard = [0, 0]

    def note(pressed):
        heard[pressed] += 1

    board.on_button(note)
    pin = Pin.made[BUTTON]
    State.levels[BUTTON] = 1
    micropython.heap_lock()
    try:
        board._on_edge(pin)
        board.now_ms()
        board.led(0xFF8000)
        board.motor(1)
        board.show(17, 1)
        board.button_pressed()
        board.external_power()
    finally:
        micropython.heap_unlock()
    assert heard == [0, 1]


def test_pendant_lamp_is_lit_by_low_levels():
    board = power_on(pendant_xiao_esp32c3)
    red_green_blue = (10, 6, 8)
    assert [State.levels[n] for n in red_green_blue] == [1, 1, 1], "dark at power-on"
    for rgb, levels in ((0xFF8000, [0, 0, 1]), (0x0000FF, [1, 1, 0]), (0xFFFFFF, [0, 0, 0]), (0, [1, 1, 1])):
        board.led(rgb)
        assert [State.levels[n] for n in red_green_blue] == levels, hex(rgb)


def test_pendant_motor_is_still_at_power_on():
    board = power_on(pendant_xiao_esp32c3)
    assert State.levels[7] == 0
    board.motor(1)
    assert State.levels[7] == 1
    board.motor(0)
    assert State.levels[7] == 0


def test_pendant_battery_is_twice_what_the_pin_has():
    board = power_on(pendant_xiao_esp32c3)
    State.adc_uv = [1850000]
    assert board.battery_mv() == 3700


def test_pendant_serial_line_works_on_the_cable_and_takes_no_heap_to_write():
    board = power_on(pendant_xiao_esp32c3)
    frame = bytearray(b"frame and more")
    assert board.serial_write(frame, 5) is False, "nobody is there to read"
    Pin.made[CABLE].drive(1)
    micropython.heap_lock()
    try:
        took = board.serial_write(frame, 5)
    finally:
        micropython.heap_unlock()
    assert took is True
    assert bytes(State.uart.written[: State.uart.size]) == b"frame"
    buf = bytearray(4)
    assert board.serial_read(buf) == 0
    State.uart.waiting = b"answer"
    assert board.serial_read(buf) == 4
    assert board.serial_read(buf) == 2
    assert bytes(buf[:2]) == b"er"


def test_pendant_never_sleeps_where_its_button_could_not_wake_it():
    esp32.can_wake_on_gpio(False)
    board = power_on(pendant_xiao_esp32c3)
    began = clock().ms
    assert slept(board, 3000) is None
    assert clock().ms - began >= 3000, "it must not spin instead"


def test_pendant_sleeps_with_button_and_cable_to_wake_it():
    esp32.can_wake_on_gpio(True)
    board = power_on(pendant_xiao_esp32c3)
    board.led(0xFFFFFF)
    assert slept(board) == 60000
    ((pins, level),) = esp32.wakes
    assert [pin.number for pin in pins] == [BUTTON, CABLE]
    assert level == esp32.WAKEUP_ANY_HIGH
    assert State.levels[10] == 1, "the lamp is dark"


def test_pendant_stays_awake_while_the_button_is_held_or_an_edge_comes():
    esp32.can_wake_on_gpio(True)
    board = power_on(pendant_xiao_esp32c3)
    heard = listening(board)
    Pin.made[BUTTON].drive(1)
    assert slept(board) is None
    Pin.made[BUTTON].drive(0)

    def tap():
        Pin.made[BUTTON].drive(1)
        Pin.made[BUTTON].drive(0)

    clock().meanwhile = tap
    assert slept(board) is None
    assert heard == [True, False, True, False]
    assert slept(board) == 60000


def test_pendant_knows_what_woke_it():
    rows = (
        (4, 0, 0, contract.WAKE_TIMER),
        (7, 1, 0, contract.WAKE_BUTTON),
        (7, 0, 0, contract.WAKE_BUTTON),  # let go before we looked
        (7, 1, 1, contract.WAKE_BUTTON),
        (7, 0, 1, contract.WAKE_SERIAL),
    )
    for reason, button, cable, wake in rows:
        levels = {BUTTON: button, CABLE: cable}
        board = power_on(pendant_xiao_esp32c3, machine.DEEPSLEEP_RESET, reason, levels)
        assert board.wake_cause == wake, (reason, button, cable)
    assert power_on(pendant_xiao_esp32c3, machine.PWRON_RESET, 7).wake_cause == contract.WAKE_NONE
