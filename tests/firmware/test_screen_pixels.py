"""The watch's pages as they are drawn: by the firmware's own brush on the wearable's Python, measured here."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from firmware.sos.screen import palette
from hil_tests.screens import watch
from tests import on_micropython

SIZE = 240
BAR = (160, 160)  # from this row on, up to this column
SCRIPT = "from sos.screen import gallery; print('pages:', gallery.write({folder!r}))"
PATHS = (on_micropython.ROOT / "firmware", on_micropython.ROOT)

Rows = list[list[int]]


def pixels(file: Path) -> Rows:
    """Each pixel's 0xRRGGBB, row by row."""
    data = file.read_bytes()
    colours = [int.from_bytes(data[at : at + 3], "big") for at in range(0, 48, 3)]
    flat = [colours[nibble] for byte in data[48:] for nibble in (byte >> 4, byte & 15)]
    return [flat[at : at + SIZE] for at in range(0, SIZE * SIZE, SIZE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    said = on_micropython.interpreter("-c", SCRIPT.format(folder=str(folder)), paths=PATHS)
    assert f"pages: {len(list(folder.iterdir()))}" in said
    return folder


@pytest.fixture(scope="module")
def drawn(folder: Path) -> dict[str, Rows]:
    return {file.name: pixels(file) for file in sorted(folder.iterdir())}


def test_the_picture_in_the_readme_is_what_the_firmware_draws(folder: Path) -> None:
    made = watch.sheet(folder, watch.SHOWN)
    with Image.open(watch.SHEET) as kept:
        differs = ImageChops.difference(made, kept.convert("RGB")).getbbox()
    assert differs is None, "python -m hil_tests.screens.watch"


def share(rows: Rows, colour: int, top: int, left: int, bottom: int, right: int) -> float:
    area = [pixel for row in rows[top:bottom] for pixel in row[left:right]]
    return area.count(colour) / len(area)


def test_every_page_is_a_whole_screen_and_none_is_like_another(drawn: dict[str, Rows]) -> None:
    assert len(drawn) > 80
    for (name, one), (other, two) in itertools.combinations(drawn.items(), 2):
        if name.split(".")[0] != other.split(".")[0]:
            differ = sum(row != line for row, line in zip(one, two, strict=True))
            assert differ >= 20, f"{name} and {other} differ in {differ} rows of pixels"


def test_the_two_languages_differ_where_there_are_words(drawn: dict[str, Rows]) -> None:
    for name, rows in drawn.items():
        stem, language = name.split(".")
        if language == "zh" and not stem.startswith("home"):
            assert rows != drawn[f"{stem}.en"], stem


def test_the_sos_bar_is_red_with_white_letters_on_every_page(drawn: dict[str, Rows]) -> None:
    top, right = BAR
    for name, rows in drawn.items():
        assert 0.6 < share(rows, palette.RED, top, 0, SIZE, right) < 0.97, name
        assert share(rows, palette.WHITE, top, 0, SIZE, right) > 0.02, name
        if not name.startswith("sos."):
            elsewhere = share(rows, palette.RED, 0, 0, top, SIZE)
            assert elsewhere == 0, f"{name}: red is for SOS alone"


def test_letters_are_drawn_with_their_edges_and_stay_on_the_glass(drawn: dict[str, Rows]) -> None:
    """The edge between ink and ground has both steps in between; and no ink touches the glass's left or right edge."""
    for name, rows in drawn.items():
        edges = {palette.between(palette.RED, palette.WHITE, third) for third in (1, 2)}
        assert edges <= {pixel for row in rows for pixel in row}, name
        for y, column in itertools.product(range(SIZE), (0, SIZE - 1)):
            pixel = rows[y][column]
            assert pixel in palette.ALL, f"{name}: ink at the edge, row {y}"


def test_dark_ink_on_light_ground_and_light_on_dark(drawn: dict[str, Rows]) -> None:
    for stage, ground in (("NO_PATH", palette.WHITE), ("BUSY", palette.AMBER), ("STORED", palette.BLUE)):
        rows = drawn[f"stage-{stage}.zh"]
        assert share(rows, ground, 0, 0, 160, SIZE) > 0.5
        assert share(rows, palette.ink(ground), 0, 0, 160, SIZE) > 0.05


def test_the_battery_empties(drawn: dict[str, Rows]) -> None:
    full, low = drawn["home.zh"], drawn["home-low.zh"]
    assert share(full, palette.WHITE, 20, 20, 48, 80) > 2 * share(low, palette.WHITE, 20, 20, 48, 80)
    assert share(low, palette.AMBER, 20, 20, 48, 80) > 0.02
    assert share(drawn["home-unknown.zh"], palette.WHITE, 0, 0, 60, SIZE) == 0, "what is not known is not shown"
