"""Every page once, as files: for people to look at, and for tests to measure. In no image: nothing imports it.

`write(folder)` writes NAME.zh and NAME.en, each the 16 colours and then the pixels, as the simulator's screen does.
"""

import framebuf

from protocol import codes
from protocol.settings import CHINESE, ENGLISH

from . import pages, texts
from .. import stages
from .paint import Brush

LANGUAGES = (("zh", CHINESE), ("en", ENGLISH))
_SIZE = 240


def all_pages(language):
    """Yields (name, page)."""
    yield "home", pages.home(8 * 60 + 27, 85, 0, stages.IDLE, language)
    yield "home-low", pages.home(23 * 60 + 58, 12, 0, stages.IDLE, language)
    yield "home-told", pages.home(8 * 60 + 27, 100, codes.SERVICE_CARE, stages.ACCEPTED, language)
    yield "home-unknown", pages.home(-1, -1, 0, stages.IDLE, language)
    for number in range(3):
        yield "services-%d" % (number + 1), pages.services(number, False, language)
    yield "visits", pages.services(0, True, language)
    for kind in sorted(texts.SERVICES) + sorted(texts.VISITS):
        yield "confirm-%02x" % kind, pages.confirm(kind, language)
    yield "sos", pages.sos(language)
    for stage in sorted(texts.STAGES):
        yield "stage-" + stages.NAMES[stage], pages.told(codes.SOS, stage, 8, language)
    yield "stage-COUNTING", pages.told(codes.SOS, stages.COUNTING, 8, language)
    yield "stage-COUNTING-unknown", pages.told(codes.SOS, stages.COUNTING, -1, language)
    for kind in sorted(texts.SERVICES):
        yield "request-%02x" % kind, pages.told(kind, stages.PRESSED, -1, language)
        yield "request-%02x-ACCEPTED" % kind, pages.told(kind, stages.ACCEPTED, -1, language)
    yield "visit-ACCEPTED", pages.told(codes.VISIT_DONE, stages.ACCEPTED, -1, language)
    yield "answer-ACCEPTED", pages.told(codes.CHECKIN_ANSWERED, stages.ACCEPTED, -1, language)
    yield "not-taken", pages.not_taken(language)
    for kind in sorted(texts.PROMPTS):
        yield "prompt-%d" % kind, pages.prompt(kind, language)
    yield "fall", pages.fall(28, language)


def write(folder):
    """All of them, in both languages; returns how many."""
    pixels = bytearray(_SIZE * _SIZE // 2)
    brush = Brush(framebuf.FrameBuffer(pixels, _SIZE, _SIZE, framebuf.GS4_HMSB))
    count = 0
    for suffix, language in LANGUAGES:
        for name, page in all_pages(language):
            brush.begin(language)
            for item in page.items:
                brush.draw(item)
            with open("%s/%s.%s" % (folder, name, suffix), "wb") as file:
                for rgb in brush.colours():
                    file.write(rgb.to_bytes(3, "big"))
                file.write(pixels)
            count += 1
    return count
