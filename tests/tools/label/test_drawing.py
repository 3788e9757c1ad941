"""Labels: read back from the picture itself, the same bytes each time, nothing but the code on them."""

from __future__ import annotations

import io
import random
import re

from PIL import Image

from tests.tools.label import qr_reader
from tools.label import code, drawing

CODES = [code.of_handle(handle) for handle in ("f0f8871521dda5de", "0" * 16, "f" * 16, "0000000000000021")]


def _bars(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_what_the_picture_says_is_the_code_and_nothing_else() -> None:
    chance = random.Random(6)
    for text in CODES + [code.of_handle(chance.randbytes(8).hex()) for _ in range(100)]:
        modules = qr_reader.grid(drawing.picture(text))
        assert qr_reader.text(modules) == text
        assert modules == drawing.modules(text)


def test_a_label_fits_a_small_thermal_printer() -> None:
    image = _bars(drawing.picture(CODES[0]))
    assert image.mode == "1", "black or white, nothing in between"
    assert image.size == (320, 160)
    assert round(image.info["dpi"][0]) == 203


def test_no_letter_leaves_the_label_and_all_are_large() -> None:
    for symbols in ("WWWWWMMMMMWMW", "1111111111111", "MWMWMWMWMWMWM"):
        text = f"PAT-{symbols[:5]}-{symbols[5:10]}-{symbols[10:]}-U"
        image = _bars(drawing.picture(text)).convert("L").point(lambda grey: 255 - grey)
        right = image.crop((138, 0, 320, 160)).getbbox()
        assert right is not None
        assert right[2] <= 320 - 138 - 2, "white at the right edge"
        assert right[3] <= 158
        last = image.crop((138, 112, 320, 160)).getbbox()
        assert last is not None
        assert last[3] - last[1] >= 20, "2.5 mm at least, to be read at arm's length"


def test_the_same_codes_give_the_same_bytes() -> None:
    for make in (drawing.roll, drawing.sheet):
        assert make(CODES) == make(CODES)
        assert make(CODES) != make(CODES[:1])
    assert drawing.picture(CODES[0]) == drawing.picture(CODES[0])


def _texts(pdf: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"\(([^)]*)\) Tj", pdf)]


def test_a_roll_has_a_page_for_each_label() -> None:
    pdf = drawing.roll(CODES)
    assert len(re.findall(rb"/MediaBox \[ 0 0 113\.38\d* 56\.69\d* \]", pdf)) == len(CODES)
    said = "".join(_texts(pdf)).replace("PingAnTong ", "")
    assert said == "".join(CODES)


def test_a_sheet_has_52_labels_on_a_page_none_over_its_edge_nor_over_another() -> None:
    codes = [code.of_handle(f"{number:016x}") for number in range(53)]
    pdf = drawing.sheet(codes)
    assert len(re.findall(rb"/MediaBox", pdf)) == 2
    assert "".join(_texts(pdf)).replace("PingAnTong ", "") == "".join(codes)
    first = pdf[: pdf.index(b"endstream")]
    rects = re.findall(rb"n ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", first)
    assert len(rects) == sum(sum(map(sum, drawing.modules(text))) for text in codes[:52])
    corners = {(float(x), float(y)) for x, y, _, _ in rects}
    assert len(corners) == len(rects), "no two at one place"
    assert all(0 < x < 595 - 60 and 0 < y < 842 - 4 for x, y in corners)
