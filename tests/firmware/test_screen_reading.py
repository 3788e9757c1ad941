"""The watch's pages can be read and tapped: by old eyes, by eyes that lack a cone, by a large finger. Computed."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import pytest

from firmware.sos import stages
from firmware.sos.screen import (
    glyphs_both,
    glyphs_clock,
    glyphs_en,
    glyphs_icons,
    glyphs_zh,
    page,
    pages,
    palette,
    texts,
)
from protocol import codes
from protocol.settings import CHINESE, ENGLISH
from tests.firmware import eyes

PIXEL_MM = 0.115  # 27.7 mm of glass over 240 pixels (ST7789 with 1.54 inch of diagonal)
FINGER_MM = 9.0
ARM_MM = 600.0
ARC_MINUTES = 20.0
LETTERS = {
    CHINESE: glyphs_both.GLYPHS | glyphs_zh.GLYPHS,
    ENGLISH: glyphs_both.GLYPHS | glyphs_en.GLYPHS,
}


def everything(language: int) -> dict[str, page.Page]:
    """Every page there is, in every state that draws other items."""
    found = {
        "home": pages.home(0, 100, 0, stages.IDLE, language),
        "home unknown": pages.home(-1, -1, 0, stages.IDLE, language),
        "sos": pages.sos(language),
        "not taken": pages.not_taken(language),
        "fall": pages.fall(255, language),
    }
    for stage in [*texts.STAGES, stages.COUNTING]:
        found[f"home {stages.NAMES[stage]}"] = pages.home(1439, 100, codes.SERVICE_CARE, stage, language)
        for kind in (codes.SOS, codes.SERVICE_MEDICAL, codes.CHECKIN_ANSWERED, codes.VISIT_DONE, codes.TEST_BY_HAND):
            for seconds in (-1, 10):
                found[f"{stages.NAMES[stage]} {kind} {seconds}"] = pages.told(kind, stage, seconds, language)
    for number in range(3):
        found[f"services {number}"] = pages.services(number, False, language)
    for number in range(4):
        found[f"worker's {number}"] = pages.services(number, True, language)
    for kind in [*texts.SERVICES, *texts.VISITS]:
        found[f"confirm {kind}"] = pages.confirm(kind, language)
    for kind in texts.PROMPTS:
        found[f"prompt {kind}"] = pages.prompt(kind, language)
    return found


ALL = [(name, language, one) for language in (CHINESE, ENGLISH) for name, one in everything(language).items()]
NAMES = [f"{name}-{language}" for name, language, _ in ALL]
EACH = pytest.mark.parametrize(("language", "one"), [(language, one) for _, language, one in ALL], ids=NAMES)
ALONE = pytest.mark.parametrize("one", [one for _, _, one in ALL], ids=NAMES)


def arc_minutes(pixels: float) -> float:
    return math.degrees(2 * math.atan(pixels * PIXEL_MM / 2 / ARM_MM)) * 60


def test_letters_are_20_minutes_of_arc_tall_at_arms_length() -> None:
    """By the height of capitals and digits, as ISO 9241-303 measures; of Chinese, by the median's ink."""
    latin = LETTERS[ENGLISH]
    for character in (c for c in latin if c.isupper() or c.isdigit()):
        assert arc_minutes(latin[character][4]) >= ARC_MINUTES, character
    han = [glyph[4] for character, glyph in glyphs_zh.GLYPHS.items() if "一" <= character <= "鿿"]
    assert len(han) > 50
    assert arc_minutes(statistics.median(han)) >= ARC_MINUTES
    assert arc_minutes(min(glyph[4] for c, glyph in glyphs_clock.GLYPHS.items() if c.isdigit())) >= 2 * ARC_MINUTES - 1


@pytest.mark.parametrize("language", [CHINESE, ENGLISH])
def test_each_character_of_each_text_has_its_glyph(language: int) -> None:
    wanted = {character for text in texts.all_texts(language) for character in text} - {"\n"}
    wanted |= set(texts.DIGITS)
    assert wanted - set(LETTERS[language]) == set()


@EACH
def test_every_text_and_icon_lies_in_its_box_and_on_the_glass(language: int, one: page.Page) -> None:
    for what, x, y, width, height, detail, _ in one.items:
        assert min(x, y) >= 0 and x + width <= page.SIZE and y + height <= page.SIZE + page.LINE - page.CAPITALS
        if what == page.ICON_OF:
            assert detail in glyphs_icons.GLYPHS
            _, left, top, ink, rows = glyphs_icons.GLYPHS[detail][:5]
            assert left + ink <= page.ICON and top + rows <= page.ICON
        elif what in (page.TEXT, page.CLOCK):
            letters = LETTERS[language] if what == page.TEXT else glyphs_clock.GLYPHS
            assert sum(letters[character][0] for character in detail) <= width, detail
            lowest = max(
                (letters[c][2] if letters[c][2] < 128 else letters[c][2] - 256) + letters[c][4] for c in detail
            )
            assert y + lowest <= page.SIZE, f"{detail} is cut by the lower edge"


def inked(item: tuple[Any, ...], language: int) -> tuple[int, int, int, int] | None:
    """Where an item has ink: left, top, right, bottom; None for a box."""
    what, x, y, width, _, detail, _ = item
    if what == page.BOX:
        return None
    if what == page.ICON_OF:
        _, left, top, wide, tall = glyphs_icons.GLYPHS[detail][:5]
        return x + left, y + top, x + left + wide, y + top + tall
    letters = LETTERS[language] if what == page.TEXT else glyphs_clock.GLYPHS
    wide = sum(letters[character][0] for character in detail)
    start = x + (width - wide) // 2
    drawn = [letters[character] for character in detail if letters[character][3]]
    tops = [glyph[2] - (256 if glyph[2] & 0x80 else 0) for glyph in drawn]
    bottom = max(top + glyph[4] for top, glyph in zip(tops, drawn, strict=True))
    return start, y + min(tops), start + wide, y + bottom


def overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int]:
    return min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])


@EACH
def test_nothing_is_painted_over_what_is_written(language: int, one: page.Page) -> None:
    for place, item in enumerate(one.items):
        ink = inked(item, language)
        for what, x, y, width, height, *_ in one.items[place + 1 :] if ink else []:
            if what == page.BOX and ink:
                over_x, over_y = overlap(ink, (x, y, x + width, y + height))
                assert over_x <= 0 or over_y <= 0, (item, (x, y, width, height))


@EACH
def test_texts_and_icons_do_not_lie_on_each_other(language: int, one: page.Page) -> None:
    inks = [ink for item in one.items if (ink := inked(item, language)) is not None]
    for a, b in itertools.combinations(inks, 2):
        over_x, over_y = overlap(a, b)
        # Two lines of one text: a g above a d may come within the same row, never more.
        assert over_x <= 0 or over_y <= 4, (a, b)


@ALONE
def test_what_can_be_tapped_is_as_large_as_a_finger(one: page.Page) -> None:
    assert one.targets
    for left, top, width, height, _ in one.targets:
        assert width * PIXEL_MM >= FINGER_MM and height * PIXEL_MM >= FINGER_MM
        assert min(left, top) >= 0 and left + width <= page.SIZE and top + height <= page.SIZE


@ALONE
def test_sos_is_on_every_page_and_in_the_same_place(one: page.Page) -> None:
    for x in (1, 80, page.BAR_WIDTH - 1):
        for y in (page.BAR_TOP + 1, page.SIZE - 1):
            assert one.hit(x, y) in (page.SOS, page.SEND_SOS)


def test_the_red_page_sends_where_the_bar_was() -> None:
    red = pages.sos(CHINESE)
    assert red.hit(10, page.BAR_TOP + 10) == page.SEND_SOS
    assert red.hit(10, 10) == page.HOME


@pytest.mark.parametrize("eye", eyes.EYES)
def test_text_is_told_from_its_ground_by_every_eye(eye: str) -> None:
    for colour in palette.ALL:
        ground, ink = (eyes.seen(eyes.on_16_bits(c), eye) for c in (colour, palette.ink(colour)))
        assert eyes.contrast(ground, ink) >= 4.5, f"{colour:06x} with {eye}"


@pytest.mark.parametrize("eye", eyes.EYES)
def test_every_colour_is_told_from_every_other_by_every_eye(eye: str) -> None:
    """20 is ten times what is just seen side by side, so that it is told apart one after the other, too."""
    for one, other in itertools.combinations(palette.ALL, 2):
        far = eyes.difference(*(eyes.seen(eyes.on_16_bits(c), eye) for c in (one, other)))
        assert far >= 20, f"{one:06x} and {other:06x} are {far:.1f} apart with {eye}"


def test_pages_use_no_colour_beside_those() -> None:
    for _, _, one in ALL:
        assert {item[6] for item in one.items} <= set(palette.ALL)


def test_no_two_stages_have_the_same_icon_nor_the_same_words() -> None:
    """So a stage is told by its icon alone, and by its words alone, without colour."""
    for language in (CHINESE, ENGLISH):
        for kind in (codes.SOS, codes.SERVICE_CARE):
            told = {stage: pages.told(kind, stage, 7, language) for stage in [*texts.STAGES, stages.COUNTING]}
            icons = {stage: [i[5] for i in one.items if i[0] == page.ICON_OF][-2] for stage, one in told.items()}
            words = {stage: tuple(i[5] for i in one.items if i[0] == page.TEXT)[:-1] for stage, one in told.items()}
            assert len(set(icons.values())) == len(icons)
            assert len(set(words.values())) == len(words)


def test_every_stage_that_can_be_told_has_a_page() -> None:
    told = {*texts.STAGES, stages.COUNTING, stages.FALLING, stages.PROMPTED, stages.IDLE}
    assert told == set(stages.NAMES)


def test_every_service_has_a_row_a_confirmation_and_an_icon_of_its_own() -> None:
    rows = [action for n in range(3) for *_, action in pages.services(n, False, CHINESE).targets]
    badge = [action for n in range(4) for *_, action in pages.services(n, True, CHINESE).targets]
    assert {action for action in badge if action < page.SOS} == set(texts.SERVICES) | set(texts.VISITS)
    services = {kind for kind in vars(codes).items() if kind[0].startswith("SERVICE_") and isinstance(kind[1], int)}
    assert {kind for _, kind in services} == set(texts.SERVICES) == {action for action in rows if action < page.SOS}
    both = [*texts.SERVICES, *texts.VISITS]
    icons = [next(i[5] for i in pages.confirm(k, CHINESE).items if i[0] == page.ICON_OF) for k in both]
    assert len(set(icons)) == len(icons)
