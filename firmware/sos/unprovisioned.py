"""A wearable without identity: it can seal nothing, and says so to whoever presses.

Owns that one behaviour. It looks for an identity again at every start, and the technician's tool restarts it.
"""

from . import VERSION, stages
from .feedback import Feedback
from .gestures import BEGAN, NOTHING, Gestures

_WATCHDOG_MS = 15000
_WAIT_MS = 250


class Unprovisioned:
    """Press: NO_PATH, for there is none."""

    def __init__(self, board):
        self._board = board
        self._feedback = Feedback(board)
        self._gestures = Gestures()
        board.watchdog(_WATCHDOG_MS)

    def run(self):
        """Turn for ever."""
        board = self._board
        board.log("not provisioned")
        board.on_button(self._edge)
        board.on_tick(self._tick)
        board.ready("%d.%d.%d" % VERSION)
        while True:
            board.wait(_WAIT_MS)
            board.feed()

    def _edge(self, pressed):
        self._gestures.edge(pressed, self._board.now_ms())

    def _tick(self):
        now_ms = self._board.now_ms()
        action = self._gestures.tick(now_ms)
        while action != NOTHING:
            if action == BEGAN:
                self._feedback.begin(stages.NO_PATH, 0, now_ms)
            action = self._gestures.tick(now_ms)
        self._feedback.tick(now_ms)
