"""ST7789 colour display (Sitronix): a canvas of 16 colours, or the whole screen in one, as a large lamp.

Owns the controller's commands. Must not know the backlight (the board's) nor what a page says (the application's).
Source: ST7789V datasheet V1.6, section 9. As a lamp all 240 x 320 pixels of the controller's memory are painted, so a
glass of 240 x 240 is filled wherever in that memory it sits; a canvas is sent to where the board says that it sits.
Painting takes no heap. Sending is cut into strips of 20 lines, and what runs by interrupt comes between any two.
"""

import time

import framebuf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from machine import SPI, Pin

_WIDTH = 240
_HEIGHT = 320
_CANVAS_HEIGHT = 240
# 20 lines to a transfer: 16 transfers, 9,600 bytes of RAM.
_LINES = 20
_COLOURS = 16

_SOFT_RESET = 0x01
_SLEEP_IN = 0x10
_SLEEP_OUT = 0x11
_INVERT = 0x21
_DISPLAY_ON = 0x29
_COLUMNS = 0x2A
_ROWS = 0x2B
_WRITE = 0x2C
_ORDER = 0x36
_PIXEL_FORMAT = 0x3A
_RGB565 = b"\x55"
# Section 9.1.2 and 9.1.12: 5 ms before the next command after a reset, 120 ms before sleep is left; 5 ms after that.
_AFTER_RESET_MS = 120
_AFTER_SLEEP_OUT_MS = 5


class St7789:
    """The display on `spi` (write) with pins `select` and `data` (called with 0 or 1). Takes 125 ms to start.

    `order`: which way round the glass sits, and whether blue comes first (MADCTL, section 9.1.28). `top`: the first
    row of the memory that it shows.
    """

    def __init__(self, spi: "SPI", select: "Pin", data: "Pin", order: int = 0, top: int = 0) -> None:
        self._spi = spi
        self._select = select
        self._data = data
        self._strip = bytearray(2 * _WIDTH * _LINES)
        self._canvas = framebuf.FrameBuffer(self._strip, _WIDTH, _LINES, framebuf.RGB565)
        self._inks = framebuf.FrameBuffer(bytearray(2 * _COLOURS), _COLOURS, 1, framebuf.RGB565)
        self._all = _rows(0, _HEIGHT)
        self._glass = _rows(top, _CANVAS_HEIGHT)
        self._one = bytearray(1)
        self._colour = -1
        select(1)
        self._command(_SOFT_RESET)
        time.sleep_ms(_AFTER_RESET_MS)
        self._command(_SLEEP_OUT)
        time.sleep_ms(_AFTER_SLEEP_OUT_MS)
        self._command(_PIXEL_FORMAT, _RGB565)
        self._command(_ORDER, bytes([order]))
        # The panel is an IPS one: without inversion white is black.
        self._command(_INVERT)
        self._command(_COLUMNS, bytes([0, 0, 0, _WIDTH - 1]))
        self._command(_DISPLAY_ON)

    def paint(self, rgb: int) -> None:
        """The whole screen in the colour 0xRRGGBB; nothing is sent when it has that colour already. Takes no heap."""
        if rgb == self._colour:
            return
        self._canvas.fill(_swapped(rgb))
        self._command(_ROWS, self._all)
        self._command(_WRITE)
        self._data(1)
        self._select(0)
        for _ in range(_HEIGHT // _LINES):
            self._spi.write(self._strip)
        self._select(1)
        self._colour = rgb

    def show(self, canvas: "framebuf.FrameBuffer", palette: "Sequence[int]") -> None:
        """A canvas of 240 x 240 in GS4_HMSB, each pixel as its colour 0xRRGGBB of `palette`."""
        for i in range(_COLOURS):
            self._inks.pixel(i, 0, _swapped(palette[i]))
        self._command(_ROWS, self._glass)
        self._command(_WRITE)
        self._data(1)
        self._select(0)
        for y in range(0, _CANVAS_HEIGHT, _LINES):
            self._canvas.blit(canvas, 0, -y, -1, self._inks)  # type: ignore[arg-type]  # the stubs' slip
            self._spi.write(self._strip)
        self._select(1)
        self._colour = -1

    def sleep(self) -> None:
        """A few microamperes; the next `St7789(...)` wakes it."""
        self._command(_SLEEP_IN)

    def _command(self, command: int, data: "bytes | None" = None) -> None:
        self._one[0] = command
        self._data(0)
        self._select(0)
        self._spi.write(self._one)
        if data is not None:
            self._data(1)
            self._spi.write(data)
        self._select(1)


def _rows(first: int, count: int) -> bytes:
    """Arguments of _ROWS."""
    last = first + count - 1
    return bytes([first >> 8, first & 0xFF, last >> 8, last & 0xFF])


def _swapped(rgb: int) -> int:
    """As 16 bits, high byte first as the controller wants it; framebuf stores the low byte first."""
    rgb565 = (rgb >> 8) & 0xF800 | (rgb >> 5) & 0x07E0 | (rgb >> 3) & 0x001F
    return (rgb565 & 0xFF) << 8 | rgb565 >> 8
