"""A stand-in for the application around the screen's part: notes what taps ask for, and tells as feedback does.

Runs on MicroPython. A page is known by its pixels, drawn once more beside the glass.
"""

import framebuf
from sos import stages
from sos.outbox import Alarm
from sos.screen import pages, part
from sos.screen.paint import Brush

from protocol import codes
from protocol.settings import CHINESE, Settings

BAR = (40, 200)
NAV = (200, 200)
UPPER, LOWER = (120, 40), (120, 120)
SEND = (200, 120)
BACK = (120, 20)
TURN_MS = 20


class Board:
    wake_cause = 0

    def __init__(self):
        self.ms = 0
        self.taps = []
        self.pixels = bytearray(240 * 120)
        self._canvas = framebuf.FrameBuffer(self.pixels, 240, 240, framebuf.GS4_HMSB)
        self.flushed = []
        # So long takes each look at the clock: the way to make drawing slow.
        self.slow_ms = 0

    def canvas(self):
        return self._canvas

    def flush(self, palette):
        self.flushed.append(None if palette is None else (tuple(palette), bytes(self.pixels)))

    def touches(self):
        taps, self.taps = self.taps, []
        return taps

    def now_ms(self):
        self.ms += self.slow_ms
        return self.ms


class Light:
    stage, number, began_ms, urgent = stages.IDLE, 0, 0, True


class Prompt:
    kind = number = text = ends_ms = 0


class Reach:
    """The application: notes what it is asked for, and shows it as feedback does."""

    def __init__(self):
        self.board = Board()
        self.feedback = Light()
        self.prompt = Prompt()
        self.settings = Settings()
        self.alarms = [Alarm(slot) for slot in range(3)]
        self.battery_percent = 80
        self.done = []
        self.full = False
        self.fall_ends_ms = -1
        self.unix = 0

    def unix_s(self):
        return self.unix

    def offset_minutes(self):
        return 480

    def falling_ms(self):
        return self.fall_ends_ms - self.board.ms if self.fall_ends_ms > self.board.ms else -1

    def event(self, kind, stage):
        """An event of this kind is told at this stage."""
        number = self.feedback.number + 1
        alarm = self.alarms[number % 3]
        alarm.clear()
        alarm.used, alarm.kind, alarm.number, alarm.raised_ms = True, kind, number, self.board.ms
        self.tell(stage, number)
        return alarm

    def tell(self, stage, number=None, urgent=True):
        self.feedback.stage = stage
        self.feedback.number = self.feedback.number if number is None else number
        self.feedback.began_ms = self.board.ms
        self.feedback.urgent = urgent

    def request(self, kind):
        self.done.append(("request", kind))
        return None if self.full else self.event(kind, stages.PRESSED)

    def sos(self, detail):
        self.done.append(("sos", detail))
        return self.event(codes.SOS, stages.PRESSED)

    def answer(self):
        self.done.append(("answer", self.prompt.kind))
        self.prompt.kind = 0
        return None if self.full else self.event(codes.CHECKIN_ANSWERED, stages.PRESSED)

    def recovered(self, how):
        self.done.append(("recovered", how))
        was, self.fall_ends_ms = self.falling_ms() >= 0, -1
        return was


def watch(resumed=None):
    reach = Reach()
    screen = part.make(reach)
    if resumed is not None:
        screen.resume(resumed)
    return reach, screen


def turns(reach, screen, ms):
    for _ in range(ms // TURN_MS):
        reach.board.ms += TURN_MS
        screen.turn(reach.board.ms)


def tap(reach, screen, *places):
    """Tap each place, each when the last has been looked at for a second."""
    for place in places:
        turns(reach, screen, 1000)
        reach.board.taps.append(place)
        turns(reach, screen, 200)


def glass(reach):
    return reach.board.flushed[-1] if reach.board.flushed else None


def shows(reach, wanted, language=CHINESE):
    """Whether the glass has exactly this page."""
    pixels = bytearray(240 * 120)
    brush = Brush(framebuf.FrameBuffer(pixels, 240, 240, framebuf.GS4_HMSB))
    brush.begin(language)
    for item in wanted.items:
        brush.draw(item)
    return glass(reach) == (tuple(brush.colours()), bytes(pixels))


def home(reach, minute=-1, kind=0, stage=stages.IDLE, language=CHINESE):
    return pages.home(minute, reach.battery_percent, kind, stage, language)
