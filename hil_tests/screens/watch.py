"""`python -m hil_tests.screens.watch [FILE]`: the watch's pages, both languages, as a PNG. `--all`: every one of them.

Owns the sheet: which pages and how they lie. The pixels are the firmware's own, drawn on the wearable's Python by
firmware/sos/screen/gallery.py. Without FILE it is the picture of that folder's README.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from hil_tests import micropython
from tools.demo import picture

ROOT = Path(__file__).resolve().parents[2]
SHEET = ROOT / "firmware/sos/screen/pages.png"
# What a reader sees first: a day with the watch.
SHOWN = (
    "home", "services-1", "services-2", "services-3", "confirm-11", "request-11", "stage-STORED", "request-11-ACCEPTED",
    "stage-ANSWERED", "stage-CLOSED", "sos", "stage-COUNTING", "stage-NO_PATH", "fall", "prompt-1", "prompt-2",
)  # fmt: skip
LANGUAGES = ("zh", "en")
_COLUMNS = 8
_GAP = 8
_PAPER = (221, 225, 231)
_DRAW = "from sos.screen import gallery; gallery.write({folder!r})"
_WITHIN_S = 120


def draw(folder: Path) -> None:
    """Every page into `folder`, NAME.zh and NAME.en. Raises CalledProcessError with what the interpreter printed."""
    subprocess.run(
        [str(micropython.binary()), "-X", "heapsize=8m", "-c", _DRAW.format(folder=str(folder))],
        env={"MICROPYPATH": f".frozen:{ROOT / 'firmware'}:{ROOT}"},
        capture_output=True,
        check=True,
        timeout=_WITHIN_S,
    )


def sheet(folder: Path, names: tuple[str, ...]) -> Image.Image:
    """These pages, first all of one language, then all of the other."""
    rows = -(-len(names) // _COLUMNS)
    step = picture.SIZE + _GAP
    paper = Image.new("RGB", (_COLUMNS * step + _GAP, len(LANGUAGES) * rows * step + _GAP), _PAPER)
    for block, language in enumerate(LANGUAGES):
        for place, name in enumerate(names):
            page = Image.open(io.BytesIO(picture.png((folder / f"{name}.{language}").read_bytes())))
            row, column = block * rows + place // _COLUMNS, place % _COLUMNS
            paper.paste(page.convert("RGB"), (_GAP + column * step, _GAP + row * step))
    return paper


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.screens.watch", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=SHEET)
    parser.add_argument("--all", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw(folder)
        names = tuple(sorted(file.stem for file in folder.glob("*.zh"))) if chosen.all else SHOWN
        sheet(folder, names).quantize(64).save(chosen.file, optimize=True)
    print(chosen.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
