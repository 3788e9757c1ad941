"""Characters as pictures, from Debian's Noto Sans CJK SC Bold. Owns the font, its sizes and where a baseline lies.

Sizes are pixels of a screen of 0.115 mm each: capitals, digits and Chinese characters stand 31 of them tall, which is
20 minutes of arc at 60 cm (tests/firmware/test_screen_reading.py computes it).
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc")
_FACE = "Noto Sans CJK SC"
_FACES_MOST = 10
# Of the latin and of the Chinese characters in a line, and of the clock's large digits.
LATIN_SIZE = 42
HAN_SIZE = 36
LARGE_SIZE = 84
# Below a line's top edge: its baseline; the top edge of a Chinese character's square.
_BASELINE = 34
_HAN_BASELINE = 32
_LARGE_BASELINE = 66
_CANVAS = 128
_LEFT = 16


def is_han(character: str) -> bool:
    """Whether it takes a square: a Chinese character, or their punctuation."""
    return ord(character) >= 0x2E80


class Letters:
    """Raises OSError where the font is not installed."""

    def __init__(self) -> None:
        self._latin = _open(LATIN_SIZE)
        self._han = _open(HAN_SIZE)
        self._large = _open(LARGE_SIZE)

    def letter(self, character: str) -> tuple[Image.Image, int, int, int]:
        """A character of a line: its ink, how far right and below it lies, and how far the next one is."""
        if is_han(character):
            return _draw(character, self._han, _HAN_BASELINE)
        return _draw(character, self._latin, _BASELINE)

    def large(self, character: str) -> tuple[Image.Image, int, int, int]:
        """A character of the clock; digits are equally wide in this font."""
        return _draw(character, self._large, _LARGE_BASELINE)


def _draw(character: str, font: ImageFont.FreeTypeFont, baseline: int) -> tuple[Image.Image, int, int, int]:
    canvas = Image.new("L", (_CANVAS, _CANVAS), 0)
    ImageDraw.Draw(canvas).text((_LEFT, baseline + _LEFT), character, fill=255, font=font, anchor="ls")
    box = canvas.getbbox()
    advance = round(font.getlength(character))
    if box is None:
        return Image.new("L", (0, 0)), 0, 0, advance
    return canvas.crop(box), box[0] - _LEFT, box[1] - _LEFT, advance


def _open(size: int) -> ImageFont.FreeTypeFont:
    for index in range(_FACES_MOST):
        font = ImageFont.truetype(str(FONT), size, index=index, layout_engine=ImageFont.Layout.BASIC)
        if font.getname()[0] == _FACE:
            return font
    raise OSError(f"{FONT} has no {_FACE}")
