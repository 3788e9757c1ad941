"""A wearable without identity: it can seal nothing, and says so to whoever presses.

Owns that one behaviour. It looks for an identity again at every start: what could not be read may be readable then.
"""

from . import VERSION, stages
from .feedback import Feedback
from .gestures import BEGAN, NOTHING, Gestures

_WATCHDOG_MS = 15000
_WAKE_BUTTON = 1
_WAIT_MS = 250
_AWAKE_MS = 60000
_SLEEP_MS = 600000


class Unprovisioned:
    """Press: NO_PATH, for there is none."""

    def __init__(self, board):
        self._board = board
        self._feedback = Feedback(board)
        self._gestures = Gestures(board.debounce_ms)
        board.watchdog(_WATCHDOG_MS)

    def run(self):
        """Turn for ever."""
        board = self._board
        board.log("not provisioned")
        if board.wake_cause == _WAKE_BUTTON:
            self._act(self._gestures.woke_by_press(board.button_pressed(), board.now_ms()))
        board.on_button(self._edge)
        board.on_tick(self._tick)
        board.ready("%d.%d.%d" % VERSION)
        while board.now_ms() < _AWAKE_MS or self._gestures.busy or self._feedback.playing:
            board.wait(_WAIT_MS)
            board.feed()
        if not board.external_power():
            board.deep_sleep(_SLEEP_MS)
        board.reset()

    def _edge(self, pressed):
        self._gestures.edge(pressed, self._board.now_ms())

    def _act(self, action):
        if action == BEGAN:
            self._feedback.begin(stages.NO_PATH, 0, self._board.now_ms())

    def _tick(self):
        now_ms = self._board.now_ms()
        self._gestures.look(self._board.button_pressed(), now_ms)
        action = self._gestures.tick(now_ms)
        while action != NOTHING:
            self._act(action)
            action = self._gestures.tick(now_ms)
        self._feedback.tick(now_ms)
