"""The receiver's driver over a fake UART, on MicroPython (started by test_trail_in_flash.py)."""

import machine
from drivers.gnss_uart import GnssUart
from machine import State

ended = []


def deinit(uart):
    ended.append(uart)


machine.UART.deinit = deinit


def receiver(fails=False):
    switched = []

    def supply(on):
        switched.append(on)
        if fails:
            raise OSError(19)

    del ended[:]
    return GnssUart(supply, 1, 38400, 41, 42), switched


def test_it_is_heard_while_it_has_power_in_pieces_that_fit():
    gnss, switched = receiver()
    buf = bytearray(8)
    assert gnss.read(buf) == 0
    gnss.power(True)
    gnss.power(True)
    assert switched == [True] and gnss.read(buf) == 0
    State.uart.waiting = b"$GNRMC,1\r\n"
    assert gnss.read(buf) == 8 and bytes(buf) == b"$GNRMC,1"
    assert gnss.read(buf) == 2 and gnss.read(buf) == 0


def test_without_power_the_line_is_let_go_first():
    gnss, switched = receiver()
    gnss.power(True)
    State.uart.waiting = b"$GN"
    gnss.power(False)
    gnss.power(False)
    assert switched == [True, False] and ended == [State.uart]
    assert gnss.read(bytearray(8)) == 0


def test_a_switch_that_fails_leaves_it_silent():
    gnss, _ = receiver(fails=True)
    gnss.power(True)
    assert gnss.read(bytearray(8)) == 0
