"""The watch's glyphs are what the command makes of the texts, the font and our drawings, byte for byte."""

from __future__ import annotations

import ast
import importlib
import itertools

import pytest
from PIL import Image

from firmware.sos.screen import glyphs_icons, texts
from tools.glyphs import __main__ as command
from tools.glyphs import letters, module
from tools.glyphs.icons import ICONS
from tools.glyphs.pencil import UNITS, Pencil

MODULES = ("both", "zh", "en", "clock")


def committed(name: str) -> str:
    return (command.TARGET / f"glyphs_{name}.py").read_text(encoding="utf-8")


def rows(glyph: bytes) -> list[list[int]]:
    """Levels 0 to 3, as the wearable's framebuf reads them."""
    width, height = glyph[3], glyph[4]
    stride = (width + 3) // 4
    assert len(glyph) == 5 + stride * height
    return [
        [glyph[5 + y * stride + x // 4] >> 2 * (x % 4) & 3 for x in range(width)] for y in range(height)
    ]  # fmt: skip


def test_icons_are_what_their_drawings_make() -> None:
    assert command.icons() == committed("icons")


@pytest.mark.parametrize("name", MODULES)
def test_letters_are_what_the_font_makes(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(committed(name)))
    assert docstring is not None and "SIL" in docstring and "LICENSE-FONT.md" in docstring
    try:
        digest = command.font_digest()
    except OSError as error:
        pytest.skip(f"the font is not installed: {error}")
    if digest not in docstring:
        pytest.skip(f"another version of the font is installed ({digest[:12]}…)")
    assert command.letters()[name] == committed(name)


def test_only_what_the_texts_need_is_made() -> None:
    made = {name: set(importlib.import_module(f"firmware.sos.screen.glyphs_{name}").GLYPHS) for name in MODULES}
    assert made == command.characters()
    assert made["both"] >= set(texts.DIGITS)
    assert not made["both"] & made["zh"] and not made["both"] & made["en"]


def test_each_icon_is_told_from_every_other() -> None:
    """By four tenths of the ink of the smaller one at least."""
    shapes = {}
    for name, glyph in glyphs_icons.GLYPHS.items():
        left, top = glyph[1], glyph[2]
        ink = ((x, y) for y, row in enumerate(rows(glyph)) for x, level in enumerate(row) if level > 1)
        shapes[name] = {(left + x, top + y) for x, y in ink}
    assert set(shapes) == set(ICONS)
    for one, other in itertools.combinations(shapes, 2):
        apart = len(shapes[one] ^ shapes[other])
        assert apart > 0.4 * min(len(shapes[one]), len(shapes[other])), f"{one} is like {other}"


def test_a_glyph_has_the_leftmost_pixel_lowest_and_whole_bytes_a_row() -> None:
    picture = Image.new("L", (5, 2), 0)
    picture.putpixel((0, 0), 255)
    picture.putpixel((4, 1), 128)
    glyph = module.glyph(picture, -1, 3, 7)
    assert glyph == bytes([7, 0xFF, 3, 5, 2, 0b00000011, 0, 0, 0b00000010])
    assert rows(glyph) == [[3, 0, 0, 0, 0], [0, 0, 0, 0, 2]]


def test_an_empty_drawing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        module.cropped(Pencil().picture(), UNITS)


def test_chinese_punctuation_counts_as_chinese() -> None:
    assert [letters.is_han(character) for character in "好？A5%"] == [True, True, False, False, False]
