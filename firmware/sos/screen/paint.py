"""Draws a page, one item after another, on a canvas of 16 colours. Owns glyphs, and which 16 colours a page has.

Each item takes a few milliseconds at most; the caller decides how many it draws before it lets others turn. A page's
colours, and the two thirds between ink and ground at the edges of letters, come into the palette as they are needed.
"""

import framebuf

from protocol.settings import CHINESE

from . import glyphs_both, glyphs_clock, glyphs_icons, page, palette

COLOURS = 16


class Brush:
    """`palette`: of what has been drawn since begin(). Raises IndexError for a page of more than 16 colours."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._letters = None
        self._language = -1
        self.palette = []
        self._inks = {}

    def begin(self, language):
        """A new page, in this language."""
        if language != self._language:
            self._language = language
            # Only what is shown lies in memory.
            if language == CHINESE:
                from .glyphs_zh import GLYPHS
            else:
                from .glyphs_en import GLYPHS
            self._letters = GLYPHS
        self.palette = []
        self._inks = {}

    def colours(self):
        """The 16 of what has been drawn since begin()."""
        return self.palette + [palette.BLACK] * (COLOURS - len(self.palette))

    def draw(self, item):
        """One item of a page."""
        what, x, y, width, height, detail, colour = item
        if what == page.BOX:
            self._canvas.fill_rect(x, y, width, height, self._index(colour))
        elif what == page.ICON_OF:
            self._glyph(glyphs_icons.GLYPHS[detail], x, y, colour)
        else:
            self._line(detail, x, y, width, colour, what == page.CLOCK)

    def width(self, text, large=False):
        """How wide a line is."""
        return sum(self._find(character, large)[0] for character in text)

    def _line(self, text, x, y, width, colour, large):
        x += (width - self.width(text, large)) // 2
        for character in text:
            glyph = self._find(character, large)
            self._glyph(glyph, x, y, colour)
            x += glyph[0]

    def _find(self, character, large):
        if large:
            return glyphs_clock.GLYPHS[character]
        return glyphs_both.GLYPHS.get(character) or self._letters[character]

    def _glyph(self, glyph, x, y, colour):
        """See tools/glyphs/module.py for what a glyph is."""
        width, height = glyph[3], glyph[4]
        if not width:
            return
        left, top = (value - 256 if value & 0x80 else value for value in glyph[1:3])
        # MicroPython 1.25 draws from memory that can be written, and from no other: a copy, of a glyph only.
        rows = memoryview(bytearray(glyph))[5:]
        picture = framebuf.FrameBuffer(rows, width, height, framebuf.GS2_HMSB, (width + 3) & ~3)
        inks = self._inks_on(colour)
        self._canvas.blit(picture, x + left, y + top, self._index(colour), inks)

    def _inks_on(self, colour):
        """The four steps from ground to ink, as a palette for blit()."""
        inks = self._inks.get(colour)
        if inks is None:
            ink = palette.ink(colour)
            steps = [self._index(palette.between(colour, ink, third)) for third in range(4)]
            inks = framebuf.FrameBuffer(bytearray(2), 4, 1, framebuf.GS4_HMSB)
            for i in range(4):
                inks.pixel(i, 0, steps[i])
            self._inks[colour] = inks
        return inks

    def _index(self, colour):
        if colour not in self.palette:
            if len(self.palette) == COLOURS:
                raise IndexError("a page of more than 16 colours")
            self.palette.append(colour)
        return self.palette.index(colour)
