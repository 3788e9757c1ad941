"""A receiver of satellites at a UART: its power, and the bytes that it says. Which receiver does not matter: NMEA 0183.

Owns the UART while the receiver has power, and no longer: a line that is held high would feed a receiver that is off
through its input. Must not know sentences, nor what a rail is. Nothing is said to it: what it does by itself will do.
"""

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A second of sentences, and then some, while the main loop is at something else.
_WAITING_MOST = 2048


class GnssUart:
    """`supply(on)` is the board's switch; it may raise OSError, then the receiver stays silent. `baud` as it speaks."""

    def __init__(self, supply: "Callable[[bool], None]", number: int, baud: int, rx: int, tx: int) -> None:
        self._supply = supply
        self._number = number
        self._baud = baud
        self._rx = rx
        self._tx = tx
        self._uart: "machine.UART | None" = None

    def power(self, on: bool) -> None:
        """On or off; again is nothing. Never raises: without positions an alarm goes out all the same."""
        if on == (self._uart is not None):
            return
        try:
            if on:
                self._supply(True)
                self._uart = machine.UART(
                    self._number, self._baud, rx=self._rx, tx=self._tx, rxbuf=_WAITING_MOST, timeout=0
                )
            else:
                uart, self._uart = self._uart, None
                uart.deinit()
                self._supply(False)
        except OSError:
            pass

    def read(self, buf: bytearray) -> int:
        """What waits, at most len(buf) bytes; 0 without power. Never blocks."""
        if self._uart is None or not self._uart.any():
            return 0
        return self._uart.readinto(buf) or 0
