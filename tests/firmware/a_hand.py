"""A hand on a button, and the ticks that look at it, for tests under both Pythons. Owns their time; knows no test."""

TICK_MS = 20
_LOOKED_MS = 40


class Hand:
    """On the button of `gestures`. After every look comes turn(), which is whose hand it is."""

    def __init__(self, gestures):
        self._felt = gestures
        self._down = False
        # It has been looked at for a while when the test begins.
        self.now_ms = 1000 - _LOOKED_MS
        self.wait(_LOOKED_MS)

    def edge(self, pressed, at_ms):
        self._down = pressed
        self._felt.edge(pressed, at_ms)

    def holds_already(self, pressed):
        """So it is, and no edge has said it: the press that woke the wearable."""
        self._down = pressed

    def wait(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += TICK_MS
            self._felt.look(self._down, self.now_ms)
            self.turn()
        return self

    def press(self, ms=100, rest_ms=200):
        self.edge(True, self.now_ms)
        self.wait(ms)
        self.edge(False, self.now_ms)
        return self.wait(rest_ms)
