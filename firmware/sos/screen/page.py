"""One page: what is to be drawn, in which order, and what may be tapped. Pure.

Owns the grid. The screen is 240 pixels each way, 0.115 mm apart; a finger of 85 years needs 9 mm, so nothing that can
be tapped is smaller than 80 pixels. The lowest 80 are the same everywhere: the red SOS bar, and the way on beside it.
"""

from . import palette
from .. import stages

SIZE = 240
CELL = 80
ICON = 64
# The height of a line of text; of it, what capitals stand in, which is what lies in the middle of a row; from one line
# to the next. Where text begins beside an icon.
LINE = 46
CAPITALS = 37
PITCH = 44
BESIDE_ICON = 70
BAR_TOP = 160
BAR_WIDTH = 160

BOX = 0
TEXT = 1
ICON_OF = 2
CLOCK = 3

# Stages that are of no event.
OWN = (stages.LOCATING, stages.ARMED)
# On each page, in each language.
SOS_WORD = "SOS"

# What a tap does. Beyond these: kinds of services.
SOS = 0x100
SEND_SOS = 0x101
MENU = 0x102
NEXT = 0x103
HOME = 0x104
YES = 0x105
ANSWER = 0x106
FINE = 0x107
TOLD = 0x108


class Page:
    """`items`: (what, x, y, width, height, detail, colour underneath); `targets`: (x, y, width, height, action)."""

    def __init__(self, colour=palette.BLACK):
        self.items = []
        self.targets = []
        self.box(0, 0, SIZE, SIZE, colour)

    def box(self, x, y, width, height, colour):
        """A filled rectangle."""
        self.items.append((BOX, x, y, width, height, None, colour))

    def text(self, x, y, width, text, colour):
        """A line, in the middle of `width`; of `colour` is what lies underneath."""
        self.items.append((TEXT, x, y, width, LINE, text, colour))

    def lines(self, y, height, text, colour):
        """A text of one or two lines across the page, in the middle of `height`."""
        lines = text.split("\n")
        tall = CAPITALS if len(lines) == 1 else PITCH + LINE
        top = y + (height - tall) // 2
        for line in lines:
            self.text(0, top, SIZE, line, colour)
            top += PITCH

    def clock(self, y, text, colour):
        """Large digits across the page."""
        self.items.append((CLOCK, 0, y, SIZE, CELL, text, colour))

    def icon(self, x, y, name, colour):
        """An icon of ICON by ICON."""
        self.items.append((ICON_OF, x, y, ICON, ICON, name, colour))

    def target(self, x, y, width, height, action):
        """What a tap there means."""
        self.targets.append((x, y, width, height, action))

    def row(self, y, icon, text, colour, action=None):
        """A whole row of one cell's height: an icon and its word."""
        self.box(0, y, SIZE, CELL, colour)
        self.icon(4, y + (CELL - ICON) // 2, icon, colour)
        self.text(BESIDE_ICON, y + (CELL - CAPITALS) // 2, SIZE - BESIDE_ICON, text, colour)
        if action is not None:
            self.target(0, y, SIZE, CELL, action)

    def bar(self, icon, action):
        """The SOS bar, and what lies beside it."""
        self.box(0, BAR_TOP, SIZE, CELL, palette.RED)
        self.text(0, BAR_TOP + (CELL - CAPITALS) // 2, BAR_WIDTH, SOS_WORD, palette.RED)
        self.target(0, BAR_TOP, BAR_WIDTH, CELL, SOS)
        self.box(BAR_WIDTH, BAR_TOP, CELL, CELL, palette.GREY)
        self.icon(BAR_WIDTH + (CELL - ICON) // 2, BAR_TOP + (CELL - ICON) // 2, icon, palette.GREY)
        self.target(BAR_WIDTH, BAR_TOP, CELL, CELL, action)

    def hit(self, x, y):
        """What a tap at this pixel means; None nothing."""
        for left, top, width, height, action in self.targets:
            if left <= x < left + width and top <= y < top + height:
                return action
        return None
