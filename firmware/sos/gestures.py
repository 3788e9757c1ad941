"""From the level of one button to what the wearer means. Pure: time comes in as `now_ms`; takes no heap.

Owns debouncing, hold, the cancel window and its gesture; README.md gives the table and the reasons. Must not know
events, flash or feedback. Whatever is unclear is an SOS: the only way not to send one is the one exact cancel gesture.
"""

# A contact settles in under 5 ms; 20 ms is far below the shortest deliberate tap (about 50 ms).
DEBOUNCE_MS = 20
# Long enough not to be a tap, short enough to be held by someone who is falling asleep in pain.
HOLD_MS = 1000
# DESIGN section 6: a short press may be taken back for this long.
WINDOW_MS = 10000
# Presses closer together than this are one series; a series ends with this much rest.
REST_MS = 1000
# A cancel is exactly this many presses, in a series of their own.
CANCEL_PRESSES = 3

# What tick() reports.
NOTHING = 0
BEGAN = 1  # a press, and no window was open: this is a new SOS, to be kept at once
RELEASED = 2  # short: the window is open and counts
AGAIN = 3  # a press that changes nothing: show again where things stand
HELD = 4  # held for a second: send at once; without a window it is an SOS of its own
INSISTED = 5  # pressed again and again: send at once
EXPIRED = 6  # the window is over: send
CANCELLED = 7  # taken back


class Gestures:
    """Feed edges with edge(), ask tick() until it says NOTHING."""

    def __init__(self):
        self._raw = False
        self._raw_ms = 0
        self._down = False
        self._down_ms = 0
        self._up_ms = 0
        self._held = False
        self._window = False
        self._began_ms = 0
        # Presses in the present series, and whether it is the one that opened the window.
        self._presses = 0
        self._opening = False
        # A series that has sent its SOS: further taps in it are the same alarm. A hold is always one of its own.
        self._spent = False

    def edge(self, pressed, now_ms):
        """A change of level, bouncing or not."""
        if pressed != self._raw:
            self._raw = pressed
            self._raw_ms = now_ms

    def woke_by_press(self, pressed, now_ms):
        """The press that ended a deep sleep, which nobody saw begin; `pressed`: it is still held. Returns BEGAN."""
        self._raw = self._down = True
        self._raw_ms = now_ms
        action = self._press(now_ms)
        self.edge(pressed, now_ms)
        return action

    @property
    def busy(self):
        """Whether a gesture is under way: no deep sleep now."""
        return self._window or self._raw or self._down

    def tick(self, now_ms):
        """What has been meant since the last call: one of the numbers above. Call again until NOTHING."""
        if self._raw != self._down and now_ms - self._raw_ms >= DEBOUNCE_MS:
            self._down = self._raw
            return self._press(self._raw_ms) if self._down else self._release(self._raw_ms)
        if self._down and self._raw and not self._held and now_ms - self._down_ms >= HOLD_MS:
            return self._hold()
        if not self._down and not self._raw and self._presses and now_ms - self._up_ms >= REST_MS:
            return self._end_series()
        if self._window and not self._presses and now_ms - self._began_ms >= WINDOW_MS:
            self._window = False
            return EXPIRED
        return NOTHING

    def _press(self, at_ms):
        self._down_ms = at_ms
        self._held = False
        self._presses += 1
        if self._spent:
            return AGAIN
        if not self._window:
            self._window = True
            self._began_ms = at_ms
            self._opening = True
            return BEGAN
        if self._presses >= CANCEL_PRESSES + (0 if self._opening else 1):
            self._send()
            return INSISTED
        return AGAIN

    def _release(self, at_ms):
        self._up_ms = at_ms
        if not self._held and at_ms - self._down_ms >= HOLD_MS:
            return self._hold()
        return RELEASED if self._window else NOTHING

    def _hold(self):
        self._send()
        return HELD

    def _send(self):
        self._held = True
        self._window = False
        self._spent = True

    def _end_series(self):
        cancelled = self._window and not self._opening and self._presses == CANCEL_PRESSES
        self._presses = 0
        self._opening = False
        self._spent = False
        if not cancelled:
            return NOTHING
        self._window = False
        return CANCELLED
