"""The label: a QR code with the wearable's code and nothing else, and the same code in large type beside it.

Owns its shape, 40 mm x 20 mm, as a picture for thermal printers (203 dpi, black or white, nothing in between) and as
PDF, one to a page or a sheet of A4. The same codes give the same bytes. Must not know whose code it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import reportlab  # type: ignore[import-untyped]
import segno
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

WIDTH_MM, HEIGHT_MM = 40.0, 20.0
DOTS_PER_MM = 8

# The code's first group, which is the same on all, stands with the name: the rest gets the room.
_NAME = "PingAnTong"
# White around a QR code that scanners rely on (ISO/IEC 18004: 4 modules).
_QUIET = 4
_QR_MM = 18.0
_TEXT_AT_MM = 17.5
_RIGHT_MM = 0.5
_NAME_AT_MM = 1.4
_NAME_MM = 2.1
_LINE_MM = (4.4, 9.2, 14.0)
_LETTER_MM = 4.4
_FONT = Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf"
_PDF_FONT = "Courier-Bold"
_POINTS_PER_MM = 72 / 25.4
_A4_MM = (210.0, 297.0)
_COLUMNS, _ROWS = 4, 13
_SHEET_MARGIN_MM = (19.0, 14.0)
_GAP_MM = (4.0, 0.7)


def modules(code: str) -> list[list[bool]]:
    """The QR code of a label code, dark is True, without the white around it. Error correction M."""
    made = segno.make_qr(code, error="m", boost_error=False)
    return [[bool(module) for module in line] for line in made.matrix]


def picture(code: str) -> bytes:
    """A PNG of one label, a dot for each dot of a 203 dpi printer."""
    image = Image.new("1", (_dots(WIDTH_MM), _dots(HEIGHT_MM)), 1)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"
    matrix = modules(code)
    across = len(matrix) + 2 * _QUIET
    size = _dots(_QR_MM) // across
    at = (_dots(HEIGHT_MM) - size * len(matrix)) // 2
    for x, y in _dark(matrix):
        left, top = size * (_QUIET + x), at + size * y
        draw.rectangle((left, top, left + size - 1, top + size - 1), fill=0)
    for text, top_mm, size_mm in _texts(code):
        draw.text((_dots(_TEXT_AT_MM), _dots(top_mm)), text, font=_fitting(text, _dots(size_mm)), fill=0, anchor="lt")
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DOTS_PER_MM * 25.4, DOTS_PER_MM * 25.4))
    return out.getvalue()


def roll(codes: list[str]) -> bytes:
    """A PDF with a page of the label's size for each code, for a label printer."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(_points(WIDTH_MM), _points(HEIGHT_MM)), invariant=1, pageCompression=0)
    for code in codes:
        _draw(canvas, code, 0.0, 0.0)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def sheet(codes: list[str]) -> bytes:
    """A PDF of A4 pages, 52 labels each, by rows from the top left."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=tuple(_points(side) for side in _A4_MM), invariant=1, pageCompression=0)
    for number, code in enumerate(codes):
        place = number % (_COLUMNS * _ROWS)
        if number and not place:
            canvas.showPage()
        column, line = place % _COLUMNS, place // _COLUMNS
        left = _SHEET_MARGIN_MM[0] + column * (WIDTH_MM + _GAP_MM[0])
        top = _SHEET_MARGIN_MM[1] + line * (HEIGHT_MM + _GAP_MM[1])
        _draw(canvas, code, left, _A4_MM[1] - top - HEIGHT_MM)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, code: str, left_mm: float, bottom_mm: float) -> None:
    """One label with its lower left corner there."""
    matrix = modules(code)
    side = _QR_MM / (len(matrix) + 2 * _QUIET)
    top_mm = bottom_mm + (HEIGHT_MM + side * len(matrix)) / 2
    for x, y in _dark(matrix):
        # A little larger than it is, for viewers that leave hairlines between rectangles.
        at = _points(left_mm + side * (_QUIET + x)), _points(top_mm - side * (y + 1))
        canvas.rect(*at, _points(side) + 0.05, _points(side) + 0.05, stroke=0, fill=1)
    for text, down_mm, size_mm in _texts(code):
        canvas.setFont(_PDF_FONT, _points(size_mm))
        # Capitals stand on the line and are some seven tenths of the font's size.
        bottom_mm_of_text = bottom_mm + HEIGHT_MM - down_mm - 0.7 * size_mm
        canvas.drawString(_points(left_mm + _TEXT_AT_MM), _points(bottom_mm_of_text), text)


def _texts(code: str) -> Iterator[tuple[str, float, float]]:
    """What stands beside the QR code: text, top and size in mm. Dashes at the ends say that the code goes on."""
    prefix, first, second, third, check = code.split("-")
    yield f"{_NAME} {prefix}-", _NAME_AT_MM, _NAME_MM
    for text, top_mm in zip((f"{first}-", f"{second}-", f"{third}-{check}"), _LINE_MM, strict=True):
        yield text, top_mm, _LETTER_MM


def _dark(matrix: list[list[bool]]) -> Iterator[tuple[int, int]]:
    return ((x, y) for y, line in enumerate(matrix) for x, module in enumerate(line) if module)


def _dots(millimetres: float) -> int:
    return round(millimetres * DOTS_PER_MM)


def _points(millimetres: float) -> float:
    return millimetres * _POINTS_PER_MM


def _fitting(text: str, dots: int) -> ImageFont.FreeTypeFont:
    """The largest letters, `dots` at most, with which a line fits: W is twice as wide as 1."""
    room = _dots(WIDTH_MM - _TEXT_AT_MM - _RIGHT_MM)
    while _font(dots).getlength(text) > room:
        dots -= 1
    return _font(dots)


@cache
def _font(dots: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), dots)
