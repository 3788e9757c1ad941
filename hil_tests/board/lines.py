"""What DTR and RTS do to a board: two ways of wiring, each as the chip's manual has it.

Owns when the chip is reset and whether into its loader. Must not know how the lines arrive. Levels as pyserial's: True
is asserted.
"""

from __future__ import annotations

from collections.abc import Callable

Reset = Callable[[bool], None]


class UsbJtag:
    """The chip's own USB: it watches the pair. (RTS, DTR) = (0, 1) marks the loader, (1, 0) resets, (0, 0) unmarks."""

    settle_s = 0.0

    def __init__(self, reset: Reset) -> None:
        self._reset = reset
        self._was = (False, False)
        self._download = False

    def change(self, dtr: bool, rts: bool) -> None:
        """The host has set the lines."""
        if (rts, dtr) == (True, False) != self._was:
            self._reset(self._download)
        elif not rts:
            self._download = dtr
        self._was = (rts, dtr)

    def settled(self) -> None:
        """Nothing here takes time."""


class Bridge:
    """A USB-to-UART bridge and two transistors: RTS alone holds EN low, DTR alone holds IO0 low.

    EN has a capacitor: the chip samples IO0 `settle_s` after EN went high.
    """

    settle_s = 0.01

    def __init__(self, reset: Reset) -> None:
        self._reset = reset
        self._held = False
        self._rising = False
        self._io0_low = False

    def change(self, dtr: bool, rts: bool) -> None:
        """The host has set the lines."""
        held = rts and not dtr
        self._io0_low = dtr and not rts
        self._rising = (self._rising or self._held) and not held
        self._held = held

    def settled(self) -> None:
        """The lines have not changed for `settle_s`."""
        if self._rising:
            self._rising = False
            self._reset(self._io0_low)
