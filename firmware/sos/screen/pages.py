"""Every page of the watch. Pure: what is known comes in, a Page goes out.

Owns what the wearer is shown for each state, and that it is true: words, icon and colour say the same. Must not know
how it is drawn (paint.py) nor when it is shown (part.py).
"""

from protocol import codes

from . import page as p
from . import palette, texts
from .. import stages

_ICONS = {
    codes.SERVICE_MEDICAL: "medical",
    codes.SERVICE_CARE: "care",
    codes.SERVICE_INFORMATION: "information",
    codes.SERVICE_COUNSELLING: "counselling",
    codes.SERVICE_HOUSEHOLD: "household",
    codes.SERVICE_CALL_ME: "call_me",
    codes.CHECKIN_ANSWERED: "checkin",
    codes.VISIT_ARRIVED: "home",
    codes.VISIT_DONE: "leave",
    codes.TEST_BY_HAND: "armed",
}
# Icon and colour of each stage.
_STAGES = {
    stages.PRESSED: ("sending", palette.AMBER),
    stages.COUNTING: ("counting", palette.AMBER),
    stages.STORED: ("stored", palette.BLUE),
    stages.ACCEPTED: ("accepted", palette.GREEN),
    stages.ANSWERED: ("answered", palette.GREEN),
    stages.CLOSED: ("closed", palette.GREEN),
    stages.NO_PATH: ("no_path", palette.WHITE),
    stages.BUSY: ("busy", palette.AMBER),
    stages.REFUSED: ("refused", palette.WHITE),
    stages.CANCELLED: ("no", palette.GREY),
    stages.LOCATING: ("locating", palette.VIOLET),
    stages.ARMED: ("armed", palette.CYAN),
}
_PROMPTS = {codes.PROMPT_CHECKIN: "checkin", codes.PROMPT_MEDICINE: "medicine", codes.PROMPT_LOOK: "look"}
_ORDER = (
    (codes.SERVICE_MEDICAL, codes.SERVICE_CARE),
    (codes.SERVICE_INFORMATION, codes.SERVICE_COUNSELLING),
    (codes.SERVICE_HOUSEHOLD, codes.SERVICE_CALL_ME),
)
# A worker's badge says first of all where the visit stands; a service is then what it is for.
_VISITS = (codes.VISIT_ARRIVED, codes.VISIT_DONE)
_NAMES = dict(texts.SERVICES)
_NAMES.update(texts.VISITS)
_LOW_PERCENT = 20
_TOP = 68
_TOLD_WIDTH = 140


def home(minute, percent, kind, stage_now, language):  # noqa: ARG001  # numbers are the same in both
    """The time (`minute` of the day, -1 unknown) and the battery (-1 unknown). A tap above the bar opens the menu.

    `kind`, `stage_now`: what is under way, in small; a tap on it shows it.
    """
    page = p.Page()
    told = stage_now in _STAGES
    if told:
        icon, colour = _STAGES[stage_now]
        page.box(0, 0, _TOLD_WIDTH, _TOP, colour)
        page.icon(4, 2, _ICONS.get(kind, "sending"), colour)
        page.icon(p.ICON + 8, 2, icon, colour)
        page.target(0, 0, _TOLD_WIDTH, p.CELL, p.TOLD)
    if percent >= 0:
        _battery(page, percent, 154 if told else 14)
    if percent >= 0 and not told:
        page.text(100, 14, p.SIZE - 100, texts.PERCENT % percent, palette.BLACK)
    page.clock(_TOP + 8, texts.TIME % (minute // 60, minute % 60) if minute >= 0 else texts.NO_TIME, palette.BLACK)
    page.target(0, 0, p.SIZE, p.BAR_TOP, p.MENU)
    page.bar("menu", p.MENU)
    return page


def _battery(page, percent, left):
    """A cell that empties."""
    full = palette.AMBER if percent <= _LOW_PERCENT else palette.WHITE
    top, width, height = 14, 70, 40
    page.box(left, top, width, height, palette.WHITE)
    page.box(left + width, top + 12, 6, height - 24, palette.WHITE)
    page.box(left + 4, top + 4, width - 8, height - 8, palette.BLACK)
    page.box(left + 7, top + 7, max(2, (width - 14) * percent // 100), height - 14, full)


def services(number, worker, language):
    """Page `number` of what can be asked for, or said of a visit: two of them, each a row.

    Who is a worker no more while the last page is shown has one page less: then it is the first.
    """
    order = (_VISITS,) + _ORDER if worker else _ORDER  # noqa: RUF005  # MicroPython
    number %= len(order)
    page = p.Page()
    for place, kind in enumerate(order[number]):
        page.row(place * p.CELL, _ICONS[kind], _NAMES[kind][language], palette.BLACK, kind)
    page.box(0, p.CELL - 1, p.SIZE, 2, palette.GREY)
    if number + 1 < len(order):
        page.bar("next", p.NEXT)
    else:
        page.bar("home", p.HOME)
    return page


def confirm(kind, language):
    """Whether it was meant: what it is in blue, no in grey on the left, send in green on the right."""
    page = p.Page()
    page.row(0, _ICONS[kind], _NAMES[kind][language], palette.BLUE)
    half = p.SIZE // 2
    for left, words, colour, action in (
        (0, texts.NO, palette.GREY, p.HOME),
        (half, texts.YES, palette.GREEN, p.YES),
    ):
        page.box(left, p.CELL, half, p.CELL, colour)
        page.text(left, p.CELL + (p.CELL - p.CAPITALS) // 2, half, words[language], colour)
        page.target(left, p.CELL, half, p.CELL, action)
    page.box(half - 1, p.CELL, 2, p.CELL, palette.BLACK)
    page.bar("home", p.HOME)
    return page


def sos(language):
    """All red: one tap sends. Where the bar was it sends, too: whoever taps and taps in panic has sent."""
    page = p.Page(palette.RED)
    page.row(0, "no", texts.BACK[language], palette.GREY, p.HOME)
    page.clock(p.CELL + 4, p.SOS_WORD, palette.RED)
    page.lines(p.BAR_TOP, p.CELL, texts.SEND_SOS[language], palette.RED)
    page.target(0, p.CELL, p.SIZE, p.SIZE - p.CELL, p.SEND_SOS)
    return page


def told(kind, stage_now, seconds, language):
    """How it stands with an event of this kind (0 unknown). `seconds`: of the count, -1 not known."""
    icon, colour = _STAGES[stage_now]
    page = p.Page(colour)
    if stage_now not in p.OWN:
        if kind in _ICONS:
            page.icon(8, 3, _ICONS[kind], colour)
        else:
            page.text(4, 16, 90, p.SOS_WORD, colour)
    page.icon(p.SIZE - p.ICON - 8, 3, icon, colour)
    page.lines(_TOP, p.BAR_TOP - _TOP, words(kind, stage_now, seconds)[language], colour)
    page.bar("home", p.HOME)
    return page


def words(kind, stage_now, seconds):
    """What is said of it, in both languages."""
    if stage_now == stages.PRESSED and kind in _ICONS:
        return texts.SENDING
    if kind in (codes.CHECKIN_ANSWERED, codes.VISIT_ARRIVED, codes.VISIT_DONE) and stage_now == stages.ACCEPTED:
        return texts.NOTED
    if stage_now == stages.COUNTING:
        return texts.COUNTING if seconds < 0 else tuple(text % seconds for text in texts.COUNTING_DOWN)
    return texts.STAGES[stage_now]


def not_taken(language):
    """What was asked for could not be kept: say so."""
    page = p.Page(palette.WHITE)
    page.icon(p.SIZE - p.ICON - 8, 3, "refused", palette.WHITE)
    page.lines(_TOP, p.BAR_TOP - _TOP, texts.NOT_TAKEN[language], palette.WHITE)
    page.bar("home", p.HOME)
    return page


def prompt(kind, language):
    """A question, and one answer to tap."""
    question, answer = texts.PROMPTS[kind][language]
    page = p.Page()
    page.row(0, _PROMPTS[kind], question, palette.BLACK)
    page.row(p.CELL, "yes", answer, palette.GREEN, p.ANSWER)
    page.bar("home", p.HOME)
    return page


def fall(seconds, language):
    """The seconds until an SOS goes out, and the way to say that all is well."""
    question, answer = texts.FALL[language]
    page = p.Page(palette.AMBER)
    page.lines(0, p.CELL, question % seconds, palette.AMBER)
    page.row(p.CELL, "yes", answer, palette.GREEN, p.FINE)
    page.bar("fall", p.SOS)
    return page
