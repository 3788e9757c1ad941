"""A finger on a button in front of Gestures, for tests under both Pythons. Owns what they say; knows no test."""

from firmware.sos import gestures as g
from tests.firmware.a_hand import Hand


class Finger(Hand):
    """`said`: the actions in their order."""

    def __init__(self, debounce_ms=g.DEBOUNCE_MS):
        self.gestures = g.Gestures(debounce_ms)
        self.said = []
        super().__init__(self.gestures)

    def turn(self):
        action = self.gestures.tick(self.now_ms)
        while action != g.NOTHING:
            self.said.append(action)
            action = self.gestures.tick(self.now_ms)
