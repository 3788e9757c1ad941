"""What the wearer sees and feels for each stage. tick() and begin() take no heap.

Owns the patterns and their play. Must not know why a stage is shown. Every stage differs from every other both in
light alone and in vibration alone, colours left aside, so that it can be told by the deaf, the blind and the
colour-blind (tests/firmware/test_feedback.py compares them all).
"""

from . import stages

_OFF = 0x000000
_WHITE = 0xFFFFFF
_AMBER = 0xFF8000
_BLUE = 0x0000FF
_GREEN = 0x00FF00
_RED = 0xFF0000
_VIOLET = 0x8000FF
_CYAN = 0x00FFFF
_MAGENTA = 0xFF00FF

# A pattern: steps of (ms, light, vibration).
PATTERNS = {
    stages.PRESSED: ((80, _WHITE, 1), (1, _OFF, 0)),
    # Over and over until the window is over: a slow clock.
    stages.COUNTING: ((60, _AMBER, 1), (440, _AMBER, 0), (500, _OFF, 0)),
    stages.STORED: ((400, _BLUE, 1), (300, _OFF, 0)),
    stages.ACCEPTED: ((250, _GREEN, 1), (250, _OFF, 0), (250, _GREEN, 1), (250, _OFF, 0)),
    stages.ANSWERED: ((250, _GREEN, 1), (250, _OFF, 0)) * 3 + ((1500, _GREEN, 0), (1, _OFF, 0)),
    stages.CLOSED: ((1200, _GREEN, 1), (1, _OFF, 0)),
    stages.NO_PATH: ((120, _RED, 1), (120, _OFF, 0)) * 8,
    stages.BUSY: ((500, _AMBER, 1), (500, _OFF, 0)) * 2,
    stages.REFUSED: ((700, _RED, 1), (300, _OFF, 0)) * 4,
    stages.CANCELLED: ((120, _WHITE, 1), (300, _OFF, 0), (700, _WHITE, 1), (1, _OFF, 0)),
    stages.LOCATING: ((200, _VIOLET, 1), (100, _OFF, 0), (200, _VIOLET, 1), (500, _OFF, 0)),
    stages.ARMED: ((100, _CYAN, 1), (300, _OFF, 0)) * 3,
    # A question: long, then short.
    stages.PROMPTED: ((900, _MAGENTA, 1), (300, _OFF, 0), (200, _MAGENTA, 1), (1, _OFF, 0)),
    # Over and over until it is over: for someone who lies there to feel and to end.
    stages.FALLING: ((200, _AMBER, 1), (100, _OFF, 0)) * 3 + ((600, _OFF, 0),),
    stages.IDLE: ((1, _OFF, 0),),
}
_REMINDED = (stages.STORED, stages.ACCEPTED, stages.ANSWERED, stages.BUSY)
_LOOPED = (stages.COUNTING, stages.LOCATING, stages.FALLING)

# No path: said again at least once a minute, light and vibration (DIN VDE V 0825-1).
NO_PATH_AGAIN_MS = 60000
# For someone who waits for help and looks: the light alone, while we are awake anyway.
REMIND_MS = 15000
# Armed for a test: whoever looks must see it before pressing.
ARMED_AGAIN_MS = 4000


class Feedback:
    """`stage` and `number`: what is being told now. `began_ms`: since when. `playing`: a pattern is under way.

    `urgent`: it is of an emergency; of what is none, NO_PATH shakes nobody twice, and wakes nothing.
    `seen`: of the event that is watched, the highest stage whose pattern has been played to its end; HEARD for none.
    """

    def __init__(self, board):
        self._board = board
        self.stage = stages.IDLE
        self.number = 0
        self.playing = False
        self.urgent = True
        self.watched = 0
        self.seen = stages.HEARD
        self._pattern = PATTERNS[stages.IDLE]
        self._step = 0
        self._step_ends_ms = 0
        self.began_ms = 0
        self._ends_ms = 0
        self._silent = False
        # What to go back to after locating.
        self._under_stage = stages.IDLE
        self._under_number = 0
        self._under_urgent = True

    def begin(self, stage, number, now_ms, urgent=True):
        """Tell this stage from now on."""
        self.stage = stage
        self.number = number
        self.urgent = urgent
        self._play(now_ms, False)
        self._board.show(stage, number)

    def watch(self, number):
        """Note from now on what is shown of this event. No heap."""
        self.watched = number
        self.seen = stages.HEARD

    def locate(self, now_ms, for_ms):
        """Be found for so long, unless something more important comes; then tell again what was told."""
        if self.stage != stages.LOCATING:
            self._under_stage = self.stage
            self._under_number = self.number
            self._under_urgent = self.urgent
        self._ends_ms = now_ms + for_ms
        self.begin(stages.LOCATING, 0, now_ms)

    def again_ms(self):
        """How long after its beginning the pattern is due again; 0 never."""
        if self.stage == stages.NO_PATH:
            return NO_PATH_AGAIN_MS
        if self.stage == stages.ARMED:
            return ARMED_AGAIN_MS
        return REMIND_MS if self.stage in _REMINDED else 0

    def tick(self, now_ms):
        """Go on with the pattern; tell again what must be told again."""
        if self.playing:
            if now_ms >= self._step_ends_ms:
                self._next(now_ms)
            return
        again_ms = self.again_ms()
        if again_ms and now_ms - self.began_ms >= again_ms:
            self._play(now_ms, self.stage != stages.NO_PATH or not self.urgent)

    def next_ms(self, now_ms):
        """When something must be told again though the wearable sleeps; a far time when nothing must."""
        if self.playing:
            return now_ms
        wakes = self.stage == stages.NO_PATH and self.urgent
        return self.began_ms + NO_PATH_AGAIN_MS if wakes else now_ms + (1 << 28)

    def resume(self, stage, number, now_ms):
        """After a deep sleep: this is what had been told last. Nothing is played."""
        self.stage = stage
        self.number = number
        self.began_ms = now_ms

    def _play(self, now_ms, silent):
        self._pattern = PATTERNS[self.stage]
        self._silent = silent
        self.began_ms = now_ms
        self._step = 0
        self.playing = True
        self._enter(now_ms)

    def _next(self, now_ms):
        self._step += 1
        if self._step >= len(self._pattern):
            if self.stage == stages.LOCATING and now_ms >= self._ends_ms:
                self.begin(self._under_stage, self._under_number, now_ms, self._under_urgent)
                return
            if self.stage not in _LOOPED:
                self._end()
                return
            self._step = 0
        self._enter(now_ms)

    def _end(self):
        self.playing = False
        if self.number and self.number == self.watched and 0 < stages.rank(self.stage) >= stages.rank(self.seen):
            self.seen = self.stage
        self._board.led(_OFF)
        self._board.motor(False)

    def _enter(self, now_ms):
        step = self._pattern[self._step]
        self._step_ends_ms = now_ms + step[0]
        self._board.led(step[1])
        self._board.motor(bool(step[2]) and not self._silent)
