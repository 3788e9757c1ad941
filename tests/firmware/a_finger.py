"""A finger on a button in front of Gestures, for tests under both Pythons. Owns their time; knows no test."""

from firmware.sos import gestures as g


class Finger:
    """Presses a button in front of Gestures, with a tick every 20 ms; `said`: (ms, action) in order."""

    def __init__(self, debounce_ms=g.DEBOUNCE_MS):
        self.gestures = g.Gestures(debounce_ms)
        self.now_ms = 960
        self.down = False
        self.said = []
        self.wait(40)

    def edge(self, pressed, at_ms):
        self.down = pressed
        self.gestures.edge(pressed, at_ms)

    def wait(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += 20
            self.gestures.look(self.down, self.now_ms)
            action = self.gestures.tick(self.now_ms)
            while action != g.NOTHING:
                self.said.append(action)
                action = self.gestures.tick(self.now_ms)
        return self

    def press(self, ms=100, rest_ms=200):
        self.edge(True, self.now_ms)
        self.wait(ms)
        self.edge(False, self.now_ms)
        return self.wait(rest_ms)
