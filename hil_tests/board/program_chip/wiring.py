"""What the pins of the bench's board are wired to, from the pendant's wiring table (firmware/boards, docstring).

Owns the translation between pins and body. Must not know the chip. Written from the table, not from the driver's code:
a pin that the firmware takes for another is seen in what the body shows.
"""

import os

# What is broken on this board: button (shorted), led, red, green, blue, motor, motor_on (never stops).
_BROKEN = (os.getenv("PINGAN_BROKEN") or "").split(",")

_BUTTON = 3
_CELL = 4
_CABLE = 5
_MOTOR = 7
_RED, _GREEN, _BLUE = 10, 6, 8


def inputs(body):
    """The levels the world holds pins at: [(number, level)]."""
    pressed = body.get("button") == "down" or "button" in _BROKEN
    return [(_BUTTON, 1 if pressed else 0), (_CABLE, 1 if body.get("usb") == "1" else 0)]


def microvolts(number, body):
    """Two equal resistors in front of the cell's pin; nothing at the others."""
    return int(body["battery"]) * 500 if number == _CELL else 0


def outputs(levels):
    """What can be seen and felt: [(word, value)] as the body's lines have them. The lamp is lit by low levels."""
    rgb = ""
    for number, name in ((_RED, "red"), (_GREEN, "green"), (_BLUE, "blue")):
        rgb += "00" if levels.get(number, 1) or name in _BROKEN or "led" in _BROKEN else "ff"
    shakes = "motor_on" in _BROKEN or (levels.get(_MOTOR, 0) and "motor" not in _BROKEN)
    return [("led", rgb), ("motor", "1" if shakes else "0")]
