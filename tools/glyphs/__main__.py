"""`python -m tools.glyphs`: write firmware/sos/screen/glyphs_*.py. `--check`: exit 1 when they would be others.

Owns which characters and icons there are: those of the screen's texts in Chinese, those in English, the digits of
both, the clock's, the icons. The letters are Debian's fonts-noto-cjk, the icons our own.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any

from protocol.settings import CHINESE, ENGLISH
from tools.glyphs import module
from tools.glyphs.icons import ICONS
from tools.glyphs.letters import FONT, Letters
from tools.glyphs.pencil import UNITS, Pencil

# The firmware's own file, whose types are checked with the firmware (tools/firmware_types.py).
texts: Any = importlib.import_module("firmware.sos.screen.texts")

TARGET = Path(__file__).resolve().parents[2] / "firmware/sos/screen"
_MADE = "Made by `python -m tools.glyphs`: two bits a pixel (tools/glyphs/module.py).\n\n"
_LETTERS = """{what} {made}Letters: Noto Sans CJK SC Bold, Copyright 2014-2021 Adobe (http://www.adobe.com/), under the
SIL Open Font License 1.1 (LICENSE-FONT.md beside this file). From Debian's fonts-noto-cjk: {file},
SHA-256 {digest}.
"""
_CLOCK = "0123456789:-SO"


def icons() -> str:
    """Source of glyphs_icons.py."""
    drawn = {}
    for name, drawing in ICONS.items():
        pencil = Pencil()
        drawing(pencil)
        drawn[name] = module.cropped(pencil.picture(), UNITS)
    return module.text(f"Icons. {_MADE}Drawn by tools/glyphs/icons.py.\n", drawn)


def characters() -> dict[str, set[str]]:
    """Which characters each module of letters has: module -> characters."""
    both = set(texts.DIGITS)
    chinese = {c for text in texts.all_texts(CHINESE) for c in text} - {"\n"}
    english = {c for text in texts.all_texts(ENGLISH) for c in text} - {"\n"}
    both |= chinese & english
    return {"both": both, "zh": chinese - both, "en": english - both, "clock": set(_CLOCK)}


def letters() -> dict[str, str]:
    """Source of each module of letters, by the end of its name. Raises OSError without the font."""
    hand = Letters()
    wanted = characters()
    pictures = {name: {c: module.glyph(*hand.letter(c)) for c in wanted[name]} for name in ("both", "zh", "en")}
    pictures["clock"] = {c: module.glyph(*hand.large(c)) for c in wanted["clock"]}
    what = {
        "both": "Characters of both languages.",
        "zh": "Chinese characters.",
        "en": "English letters.",
        "clock": "The clock's digits.",
    }
    digest = font_digest()
    return {
        name: module.text(_LETTERS.format(what=what[name], made=_MADE, file=FONT.name, digest=digest), glyphs)
        for name, glyphs in pictures.items()
    }


def font_digest() -> str:
    """Of the font that is installed. Raises OSError."""
    return hashlib.sha256(FONT.read_bytes()).hexdigest()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tools.glyphs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something would change")
    check = parser.parse_args().check
    try:
        made = {**letters(), "icons": icons()}
    except OSError as error:
        print(f"fonts-noto-cjk is needed: {error}", file=sys.stderr)
        return 1
    stale = 0
    for name, source in made.items():
        file = TARGET / f"glyphs_{name}.py"
        if check and (not file.exists() or file.read_text(encoding="utf-8") != source):
            print(f"{file} is not what would be made")
            stale += 1
        elif not check:
            file.write_text(source, encoding="utf-8")
            print(f"{file.stat().st_size:7} {file.name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
