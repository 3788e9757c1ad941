"""The screen as a part of the application: taps in, pages out. Owns which page is shown, and when there is light.

Runs in the main loop only. What it says of an event is what the light says (feedback.stage), never more. It draws a
few items a turn and flushes when all are drawn, so that neither alarms nor other parts wait for it; it draws only what
has changed, and goes dark by itself.
"""

from protocol import codes
from protocol.settings import WORKER

from . import page
from .. import gestures, stages
from ..parts import Part
from ..schedule import NEVER

# For so long there is light after a tap, after news, after a start.
LIT_MS = 15000
# After a page has changed, for so long no tap counts: it was meant for the page before.
GUARD_MS = 600
# One turn draws for so long, and at least one item.
SLICE_MS = 15
# Who is at something is not interrupted by news that can wait.
_AT_IT_MS = 10000

# What is shown.
HOME = 0
SERVICES = 1
CONFIRM = 2
SOS = 3
TOLD = 4
PROMPT = 5
FALL = 6
NOT_TAKEN = 7

# Which function of pages.py draws each, and which taps lead to some of them.
_PAGES = {
    HOME: "home",
    SERVICES: "services",
    CONFIRM: "confirm",
    SOS: "sos",
    TOLD: "told",
    PROMPT: "prompt",
    FALL: "fall",
    NOT_TAKEN: "not_taken",
}
_GOES = {page.SOS: SOS, page.MENU: SERVICES, page.HOME: HOME, page.TOLD: TOLD}
_BY_HAND = (SERVICES, CONFIRM, SOS, NOT_TAKEN)
# News that cannot wait.
_URGENT = (stages.PRESSED, stages.COUNTING, stages.FALLING)
# What is told again so that it is seen again.
_AGAIN = (stages.NO_PATH, stages.PRESSED, stages.COUNTING, stages.LOCATING, stages.PROMPTED)
_DAY_S = 86400
_WAKE_TOUCH = 4
_NO_EVENT = (stages.IDLE, stages.PROMPTED, stages.FALLING)


def make(reach):
    """The part for this board."""
    return Screen(reach)


class Screen(Part):
    """See ../parts.py for the hooks."""

    def __init__(self, reach):
        super().__init__(reach)
        # Made with the first light: a watch that wakes in the dark loads neither letters nor canvas.
        self._brush = self._pages = None
        self._view = HOME
        # Page of the services, kind to be confirmed.
        self._detail = 0
        self._lit = self._resumed = False
        self._lit_until_ms = 0
        self._tapped_ms = self._changed_ms = -_AT_IT_MS
        # An SOS has gone out by a tap, and taps have not rested since: they are the same panic, and the same alarm.
        self._spent = False
        # What is told: the kind of event, its stage; and what was heard last: stage, number, since when.
        self._told = (0, stages.IDLE)
        self._heard = None
        # What is on the glass and its page; what is being drawn, and how much of it is.
        self._shown_key = self._shown = None
        self._key = self._page = None
        self._drawn = 0

    # ---- hooks ----

    def resume(self, data):  # noqa: ARG002  # there is nothing to remember but that it slept
        """After a sleep, what is told is not news."""
        self._resumed = True

    def keep(self):
        """So that resume() comes."""
        return b"\x01"

    def awake(self, now_ms):  # noqa: ARG002
        """No sleep while there is light."""
        return self._lit

    def next_ms(self, now_ms):  # noqa: ARG002
        """The light goes out."""
        return self._lit_until_ms if self._lit else NEVER

    def turn(self, now_ms):
        """Listen, look, draw."""
        if self._heard is None:
            self._start(now_ms)
        self._listen(now_ms)
        self._look(now_ms)
        self._light(now_ms)
        if self._lit:
            self._draw(now_ms)

    def _start(self, now_ms):
        feedback = self.reach.feedback
        self._heard = (stages.IDLE, 0, 0)
        if self._resumed:
            self._heard = (feedback.stage, feedback.number, feedback.began_ms)
            self._note()
        # The finger that woke it may be gone by now.
        if not self._resumed or self.reach.board.touches() or self.reach.board.wake_cause == _WAKE_TOUCH:
            self._on(now_ms)
        if self._lit:
            self._view = self._first()

    # ---- taps ----

    def _listen(self, now_ms):
        for x, y in self.reach.board.touches():
            if now_ms - self._tapped_ms >= gestures.REST_MS:
                self._spent = False
            if not self._lit:
                self._go(self._first(), now_ms)
            elif self._spent:
                pass
            elif self._shown is not None and now_ms - self._changed_ms >= GUARD_MS:
                self._tap(self._shown.hit(x, y), now_ms)
            self._on(now_ms)
            self._tapped_ms = now_ms

    def _tap(self, action, now_ms):
        if action is None:
            return
        if action in _GOES:
            self._go(_GOES[action], now_ms)
        elif action == page.NEXT:
            self._go(SERVICES, now_ms, self._detail + 1)
        elif action == page.SEND_SOS:
            self._spent = True
            self.reach.sos(codes.SCREEN)
            self._go(TOLD, now_ms)
        elif action == page.YES:
            self._go(NOT_TAKEN if self.reach.request(self._detail) is None else TOLD, now_ms)
        elif action == page.ANSWER:
            self._go(NOT_TAKEN if self.reach.answer() is None else TOLD, now_ms)
        elif action == page.FINE:
            # Too late: it is an SOS, and the page says so.
            self._go(HOME if self.reach.recovered(codes.PRESSED_AWAY) else TOLD, now_ms)
        else:
            self._go(CONFIRM, now_ms, action)

    def _go(self, view, now_ms, detail=0):
        if (view, detail) != (self._view, self._detail):
            self._changed_ms = now_ms
        self._view, self._detail = view, detail

    # ---- what there is to tell ----

    def _look(self, now_ms):
        """News, by what the light tells."""
        feedback = self.reach.feedback
        before, self._heard = self._heard, (feedback.stage, feedback.number, feedback.began_ms)
        if self._heard == before:
            return
        again = self._heard[:2] == before[:2]
        if feedback.stage == stages.IDLE or (again and feedback.stage not in _AGAIN):
            return
        if again and not feedback.urgent:
            return
        self._note()
        self._on(now_ms)
        by_hand = self._view in _BY_HAND and now_ms - self._tapped_ms < _AT_IT_MS
        if not by_hand or feedback.stage in _URGENT:
            self._go(self._natural(), now_ms)

    def _note(self):
        """What is told stays on the page when the light has told it."""
        feedback = self.reach.feedback
        if feedback.stage not in _NO_EVENT:
            alarm = self._event(feedback.number)
            if alarm is not None:
                self._told = (alarm.kind, feedback.stage)
            elif feedback.stage in page.OWN or self._told[1] in page.OWN:
                self._told = (0, feedback.stage)
            else:
                self._told = (self._told[0], feedback.stage)

    def _event(self, number):
        """Its slot, used or not: what is over keeps its kind until another needs the room."""
        found = None
        for alarm in self.reach.alarms:
            if alarm.number == number and number:
                found = alarm
        return found

    def _first(self):
        """What the wearer should see who has just made light: a question waits, whatever was told since."""
        view = self._natural()
        return PROMPT if self.reach.prompt.kind and view != FALL else view

    def _natural(self):
        """What the wearer should see who does nothing."""
        if self.reach.falling_ms() >= 0:
            return FALL
        if self.reach.prompt.kind and self.reach.feedback.stage in _NO_EVENT:
            return PROMPT
        return HOME if self.reach.feedback.stage in _NO_EVENT else TOLD

    # ---- light ----

    def _on(self, now_ms):
        self._lit = True
        self._lit_until_ms = now_ms + LIT_MS

    def _light(self, now_ms):
        """On while somebody may look; what has ended is not shown any longer than that."""
        if self.reach.falling_ms() >= 0:
            self._on(now_ms)
            if self._view not in _BY_HAND or now_ms - self._tapped_ms >= _AT_IT_MS:
                self._go(FALL, now_ms)
        elif self._view == FALL or (self._view == PROMPT and not self.reach.prompt.kind):
            self._go(self._natural(), now_ms)
        if self._lit and now_ms >= self._lit_until_ms:
            self._lit = False
            self._go(HOME, now_ms)
            self._key = self._shown_key = self._shown = self._page = None
            self.reach.board.flush(None)

    # ---- drawing ----

    def _open(self):
        from . import pages
        from .paint import Brush

        self._pages = pages
        self._brush = Brush(self.reach.board.canvas())

    def _draw(self, now_ms):
        if self._brush is None:
            self._open()
        key = self._what(now_ms)
        if key == self._shown_key:
            self._key = None
            return
        if key != self._key:
            self._key = key
            self._page = getattr(self._pages, _PAGES[key[0]])(*key[2:], key[1])
            self._drawn = 0
            self._brush.begin(key[1])
        items = self._page.items
        while self._drawn < len(items):
            self._brush.draw(items[self._drawn])
            self._drawn += 1
            if self.reach.board.now_ms() - now_ms >= SLICE_MS:
                break
        if self._drawn == len(items):
            self.reach.board.flush(self._brush.colours())
            self._shown_key, self._shown = key, self._page
            self._key = None

    def _what(self, now_ms):
        """All that a page depends on."""
        view, language = self._view, self.reach.settings.language
        if view == HOME:
            told = self._told if self.reach.feedback.stage not in _NO_EVENT else (0, stages.IDLE)
            return (view, language, self._minute(), self.reach.battery_percent) + told  # noqa: RUF005
        if view == TOLD:
            return (view, language) + self._told + (self._seconds(now_ms),)  # noqa: RUF005
        if view == PROMPT:
            return (view, language, self.reach.prompt.kind)
        if view == FALL:
            return (view, language, (max(0, self.reach.falling_ms()) + 999) // 1000)
        if view == SERVICES:
            return (view, language, self._detail, self.reach.settings.kind == WORKER)
        return (view, language, self._detail) if view == CONFIRM else (view, language)

    def _minute(self):
        unix_s = self.reach.unix_s()
        return (unix_s + 60 * self.reach.offset_minutes()) % _DAY_S // 60 if unix_s else -1

    def _seconds(self, now_ms):
        """Until what counts goes out; -1 when nothing counts."""
        alarm = self._event(self.reach.feedback.number)
        if self._told[1] != stages.COUNTING or alarm is None:
            return -1
        return max(0, alarm.raised_ms + gestures.WINDOW_MS - now_ms + 999) // 1000
