"""A sheet of A4 as PDF: title, lines, tables, bars. Owns type, columns and page breaks, and letters of both languages.

Chinese is set in STSong-Light, which PDF readers know by name, so no font file is needed; the rest in Helvetica, for
the Latin letters of the other stand too close. Must not know what it says.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import groupby

from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

_CHINESE, _LATIN = "STSong-Light", "Helvetica"
_MARGIN = 50.0
_TITLE, _HEADING, _TEXT = 18.0, 12.0, 9.5
_LINE = 1.5


class Paper:
    """Write from the top down; `bytes` at the end. Widths are parts of the page's width, 0 to 1."""

    def __init__(self, title: str) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
        self._out = io.BytesIO()
        self._canvas = Canvas(self._out, pagesize=A4, invariant=1, pageCompression=0)
        self._canvas.setTitle(title)
        self._width, self._height = A4[0] - 2 * _MARGIN, A4[1]
        self._page = 1
        self._at = self._height - _MARGIN
        self._put([title], [0.0], _TITLE)
        self._down(_TITLE * 0.5)

    def heading(self, text: str) -> None:
        """A heading, with room above it, and never alone at the foot of a page."""
        self._room(_HEADING * 5)
        self._down(_HEADING * 0.8)
        self._put([text], [0.0], _HEADING)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(_MARGIN, self._at + 4, _MARGIN + self._width, self._at + 4)

    def line(self, text: str) -> None:
        """Text, broken where the page ends; between any two Chinese letters, else at spaces."""
        for part in self._broken(text, self._width):
            self._put([part], [0.0], _TEXT)

    def row(self, cells: Sequence[str], at: Sequence[float]) -> None:
        """Cells beside each other, each cut to its own column."""
        ends = [*at[1:], 1.0]
        widths = [(end - begin) * self._width - 4 for begin, end in zip(at, ends, strict=True)]
        self._put([self._cut(cell, width) for cell, width in zip(cells, widths, strict=True)], at, _TEXT)

    def bar(self, label: str, value: str, part: float, mark: float, verdict: str) -> None:
        """A bar of `part` of its room, 0 to 1, a mark at `mark`; the label before it, value and verdict behind it."""
        self._room(_TEXT * _LINE)
        left, width = _MARGIN + 0.22 * self._width, 0.4 * self._width
        top = self._at - _TEXT
        self._canvas.setFillGray(0.55)
        self._canvas.rect(left, top, width * max(0.0, min(1.0, part)), _TEXT * 0.9, stroke=0, fill=1)
        self._canvas.setFillGray(0)
        self._canvas.setLineWidth(0.5)
        self._canvas.rect(left, top, width, _TEXT * 0.9, stroke=1, fill=0)
        self._canvas.line(left + width * mark, top - 2, left + width * mark, top + _TEXT + 1)
        self.row([label, value, verdict], [0.0, 0.64, 0.78])

    def bytes(self) -> bytes:
        """The PDF."""
        self._foot()
        self._canvas.save()
        return self._out.getvalue()

    def _put(self, texts: Sequence[str], at: Sequence[float], size: float) -> None:
        self._room(size * _LINE)
        for text, begin in zip(texts, at, strict=True):
            x = _MARGIN + begin * self._width
            for font, run in _runs(text):
                self._canvas.setFont(font, size)
                self._canvas.drawString(x, self._at - size, run)
                x += pdfmetrics.stringWidth(run, font, size)
        self._down(size * _LINE)

    def _down(self, points: float) -> None:
        self._at -= points

    def _room(self, points: float) -> None:
        if self._at - points < _MARGIN:
            self._foot()
            self._canvas.showPage()
            self._page += 1
            self._at = self._height - _MARGIN

    def _foot(self) -> None:
        self._canvas.setFont(_LATIN, 8)
        self._canvas.drawRightString(_MARGIN + self._width, _MARGIN / 2, str(self._page))

    def _broken(self, text: str, width: float) -> list[str]:
        lines = [""]
        for part in _pieces(text):
            if self._size(lines[-1] + part.rstrip()) > width and lines[-1]:
                lines.append("")
            lines[-1] += part if lines[-1] else part.lstrip()
        return lines

    def _cut(self, text: str, width: float) -> str:
        if self._size(text) <= width:
            return text
        while text and self._size(text + "…") > width:
            text = text[:-1]
        return text + "…"

    def _size(self, text: str) -> float:
        return float(sum(pdfmetrics.stringWidth(run, font, _TEXT) for font, run in _runs(text)))


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces of one font each."""
    for latin, letters in groupby(text, str.isascii):
        yield (_LATIN if latin else _CHINESE), "".join(letters)


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for letter in text:
        if pieces and letter.isascii() and pieces[-1][-1].isascii() and pieces[-1][-1] != " ":
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces
