"""The screen's colours, and which ink is read on each. Owns them; tests hold them to WCAG contrast and to three eyes.

Each pair of them can be told by eyes without red, without green and without blue (tests/firmware/test_screen_reading.py
computes it, as the 16-bit screen shows them); and nothing is ever told by a colour alone.
"""

BLACK = 0x000000
WHITE = 0xFFFFFF
RED = 0xB40000
AMBER = 0xFDB90E
BLUE = 0x273CB1
GREEN = 0x217F51
GREY = 0x504756
VIOLET = 0xAA8CFB
CYAN = 0xA7D2FA

ALL = (BLACK, WHITE, RED, AMBER, BLUE, GREEN, GREY, VIOLET, CYAN)
_LIGHT = (WHITE, AMBER, VIOLET, CYAN)


def ink(colour):
    """What text and icons on this colour are drawn with."""
    return BLACK if colour in _LIGHT else WHITE


def between(colour, other, third):
    """The colour at `third` thirds of the way from the one to the other: the edges of letters."""
    mixed = 0
    for shift in (16, 8, 0):
        a, b = colour >> shift & 0xFF, other >> shift & 0xFF
        mixed |= (a + (b - a) * third // 3) << shift
    return mixed
