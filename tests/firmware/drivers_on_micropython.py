"""The chip drivers against fake chips, on MicroPython (started by test_boards.py)."""

import framebuf
import machine
import micropython
from drivers import ft6336
from drivers.axp2101 import ALDO2, ALDO4, BLDO2, CABLE, PRESSED, RELEASED, Axp2101, ChipAbsent
from drivers.divider import Divider
from drivers.drv2605 import Drv2605
from drivers.ft6336 import Ft6336
from drivers.st7789 import St7789
from machine import I2C, SPI, Chip, Pin, State


def power_chip(more=()):
    machine.fresh()
    values = {0x00: 0x28, 0x03: 0x4A, 0x22: 0x06, 0x30: 0x02, 0x34: 0xEF, 0x35: 0x3C, 0x90: 0x08, 0x93: 0xA0}
    values.update(more)
    State.chips[0x34] = Chip(values, clears=(0x48, 0x49, 0x4A))
    return State.chips[0x34]


def test_power_another_chip_is_refused():
    power_chip({0x03: 0x47})
    try:
        Axp2101(I2C(0))
    except ChipAbsent:
        return
    raise AssertionError("it took chip 0x47 for an AXP2101")


def test_power_no_chip_is_a_bus_error():
    machine.fresh()
    try:
        Axp2101(I2C(0))
    except OSError:
        return
    raise AssertionError("nothing answered and nobody noticed")


def test_power_a_long_press_no_longer_cuts_the_power_and_nothing_else_changes():
    chip = power_chip({0x22: 0xFF})
    Axp2101(I2C(0)).keep_power_on_long_press()
    assert chip.registers[0x22] == 0xFD


def test_power_only_key_and_cable_pull_the_line():
    chip = power_chip({0x40: 0xFF, 0x41: 0xFF, 0x42: 0xFF})
    Axp2101(I2C(0)).watch()
    assert bytes(chip.registers[0x40:0x43]) == bytes([0, 0x83, 0])


def test_power_forget_clears_all_flags():
    chip = power_chip({0x48: 0xFF, 0x49: 0xFF, 0x4A: 0xFF})
    Axp2101(I2C(0)).forget()
    assert bytes(chip.registers[0x48:0x4B]) == bytes(3)


def test_power_edges_are_taken_once_and_only_those_read_are_cleared():
    chip = power_chip({0x49: 0x02})
    power = Axp2101(I2C(0))
    assert power.take() == PRESSED
    assert power.take() == 0
    chip.registers[0x49] = 0x83 | 0x10  # and a flag that is none of ours
    assert power.take() == PRESSED | RELEASED | CABLE
    assert chip.registers[0x49] == 0x10


def test_power_an_edge_between_reading_and_clearing_stays():
    chip = power_chip({0x49: 0x02})

    class Late(I2C):
        def writeto_mem(self, address, register, buf):
            chip.registers[0x49] |= 0x01
            I2C.writeto_mem(self, address, register, buf)

    power = Axp2101(Late(0))
    assert power.take() == PRESSED
    assert chip.registers[0x49] == 0x01


def test_power_taking_an_edge_takes_no_heap():
    chip = power_chip({0x49: 0x02})
    power = Axp2101(I2C(0))
    micropython.heap_lock()
    try:
        came = power.take()
    finally:
        micropython.heap_unlock()
    assert came == PRESSED
    assert chip.registers[0x49] == 0


def test_power_an_interrupt_between_two_bytes_does_not_spoil_what_the_main_loop_reads():
    power_chip({0x34: 0x0F, 0x35: 0x3C, 0x49: 0x02})

    class Interrupted(I2C):
        def readfrom_mem_into(self, address, register, buf):
            I2C.readfrom_mem_into(self, address, register, buf)
            if register != 0x49:
                power.take()

    power = Axp2101(I2C(0))
    power._i2c = Interrupted(0)
    assert power.battery_mv() == 0xF3C


def test_power_the_battery_is_told_in_mv_and_its_absence():
    chip = power_chip()
    power = Axp2101(I2C(0))
    power.measure_battery()
    assert chip.registers[0x30] == 0x03
    assert power.battery_mv() == 0x0F3C  # 3,900 mV; the upper three bits of 0x34 are not the voltage's
    chip.registers[0] = 0x20
    assert power.battery_mv() == -1


def test_power_the_cable_is_told():
    chip = power_chip()
    assert Axp2101(I2C(0)).usb_present()
    chip.registers[0] = 0x08
    assert not Axp2101(I2C(0)).usb_present()


def test_power_rails():
    chip = power_chip()
    power = Axp2101(I2C(0))
    power.supply(ALDO2, 3300)
    assert chip.registers[0x93] == 0xA0 | 28
    power.supply(BLDO2, 500)
    assert chip.registers[0x97] == 0
    assert chip.registers[0x90] == 0x08 | 0x02 | 0x20
    power.cut(ALDO4 - 1)
    power.cut(ALDO4)
    assert chip.registers[0x90] == 0x02 | 0x20
    for wrong in (400, 3600, 3350):
        try:
            power.supply(ALDO2, wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)


def test_haptic_shakes_at_full_strength_and_stops():
    machine.fresh()
    chip = State.chips[0x5A] = Chip({0x01: 0x40, 0x1A: 0xB6, 0x1D: 0x80})
    haptic = Drv2605(I2C(0))
    assert chip.registers[0x01] == 0x05  # out of standby, real-time playback
    assert chip.registers[0x1A] == 0x36  # eccentric mass, the other bits as they were
    assert chip.registers[0x1D] == 0xA8  # open loop, unsigned
    assert chip.registers[0x02] == 0
    micropython.heap_lock()
    try:
        haptic.shake(True)
        full = chip.registers[0x02]
        haptic.shake(False)
    finally:
        micropython.heap_unlock()
    assert full == 0xFF
    assert chip.registers[0x02] == 0


def screen():
    machine.fresh()
    spi = SPI(2)
    return spi, St7789(spi, Pin(12, Pin.OUT), Pin(38, Pin.OUT))


def test_screen_wakes_in_16_bit_colour_over_all_its_memory():
    spi, _ = screen()
    commands = [written[0] for level, written in spi.log if level == 0]
    assert commands == [0x01, 0x11, 0x3A, 0x36, 0x21, 0x2A, 0x29]
    data = [written for level, written in spi.log if level == 1]
    assert data == [b"\x55", b"\x00", bytes([0, 0, 0, 239])]
    assert State.levels[12] == 1, "deselected between commands"


def test_screen_is_painted_with_the_high_byte_first():
    for rgb, pixel in (
        (0xFF0000, b"\xf8\x00"),
        (0x00FF00, b"\x07\xe0"),
        (0x0000FF, b"\x00\x1f"),
        (0xFF8000, b"\xfc\x00"),
    ):
        spi, display = screen()
        spi.log = []
        display.paint(rgb)
        assert [written for level, written in spi.log if level == 0] == [b"\x2b", b"\x2c"]
        rows, *strips = [written for level, written in spi.log if level == 1]
        assert rows == bytes([0, 0, 1, 63])
        pixels = b"".join(strips)
        assert pixels == pixel * (240 * 320), hex(rgb)


def test_screen_paints_without_heap_and_not_twice():
    spi, display = screen()
    spi.keep = False
    spi.count = 0
    micropython.heap_lock()
    try:
        display.paint(0x00FF00)
        display.paint(0x00FF00)
    finally:
        micropython.heap_unlock()
    assert spi.count == 1 + 4 + 1 + 2 * 240 * 320


def test_screen_after_a_canvas_paints_again():
    spi, display = screen()
    display.paint(0x00FF00)
    canvas = framebuf.FrameBuffer(bytearray(240 * 120), 240, 240, framebuf.GS4_HMSB)
    display.show(canvas, [0] * 16)
    spi.keep = False
    spi.count = 0
    display.paint(0x00FF00)
    assert spi.count > 2 * 240 * 320, "the canvas is on it, not the colour"


def test_screen_shows_a_canvas_line_by_line_in_its_own_colours():
    spi, display = screen()
    canvas = framebuf.FrameBuffer(bytearray(240 * 120), 240, 240, framebuf.GS4_HMSB)
    for y in range(240):
        canvas.hline(0, y, 240, y % 16)
    palette = [i << 19 | i << 11 | i << 4 for i in range(16)]
    spi.log = []
    display.show(canvas, palette)
    pixels = b"".join([written for level, written in spi.log if level == 1][1:])
    for y in range(240):
        i = y % 16
        rgb565 = i << 11 | (i << 1) << 5 | i << 1
        assert pixels[480 * y : 480 * y + 480] == bytes([rgb565 >> 8, rgb565 & 0xFF]) * 240, y


def test_touch_another_chip_is_refused():
    machine.fresh()
    State.chips[0x38] = Chip({0xA3: 0x36})
    try:
        Ft6336(I2C(1))
    except ft6336.ChipAbsent:
        return
    raise AssertionError("it took chip 0x36 for an FT6336U")


def test_touch_holds_its_line_while_touched_and_looks_seldom_by_itself():
    machine.fresh()
    chip = State.chips[0x38] = Chip({0xA3: 0x64, 0xA4: 1})
    touch = Ft6336(I2C(1))
    assert (chip.registers[0xA4], chip.registers[0x86], chip.registers[0x87]) == (0, 1, 2)
    touch.watch()
    assert chip.registers[0xA5] == 1
    chip.registers[0x02:0x07] = bytes([1, 0x80, 0xEF, 0x10, 0xEE])  # the second finger's number does not matter
    assert touch.tap() == (239, 238)
    assert touch.tap() is None
    chip.registers[0x02] = 0x0F  # noise of a start
    assert touch.tap() is None


def test_battery_behind_a_divider_ignores_spikes():
    machine.fresh()
    State.adc_uv = [1950000, 1950000, 3100000, 1950400, 0]
    divider = Divider(machine.ADC(None), 220000, 220000)
    assert divider.battery_mv() == 3900
    State.adc_uv = [1000000]
    assert Divider(machine.ADC(None), 300000, 100000).battery_mv() == 4000


assert framebuf.RGB565 == 1
