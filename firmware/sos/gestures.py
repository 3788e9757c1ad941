"""From the level of one button to what the wearer means. Pure: time comes in as `now_ms`; takes no heap.

Owns debouncing, hold, the cancel window and its gesture; README.md gives the table and the reasons. Must not know
events, flash or feedback. Whatever is unclear is an SOS: the only ways not to send one are the one exact cancel gesture
and a press that was short, and for which something else was offered from before its beginning to its end.
"""

from array import array

# A contact settles in under 5 ms; 20 ms is far below the shortest deliberate tap (about 50 ms).
DEBOUNCE_MS = 20
# Where nobody has looked for as long as the shortest deliberate tap, one may have come, and gone, meanwhile.
_BLIND_MS = 50
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
TESTED = 8  # short, while armed: what this press began is a test
RAISED = 9  # pressed again and again after a test: a new SOS, to be sent at once
TEST_CANCELLED = 10  # a test taken back; only where that is being practised
MEANT = 11  # once or twice, short, while something else was offered: it is that

# What a short press is. All but SOS are offered; of several the alarm path offers one, and a test goes before it.
SOS = 0
TEST = 1
SERVICE = 2
ANSWER = 3
FINE = 4

# Changes of level that wait for a tick: enough for a panicking hand during a tick that comes seconds late.
_WAITING_MOST = 16


class Gestures:
    """Feed edges with edge(), the level with look(), ask tick() until it says NOTHING.

    However late tick() comes, edges keep their times. Where the edges themselves come late (a flash that erases, a
    screen that is filled, the collector), a press counts from when somebody last looked: two edges told in one breath
    are a press that has come and gone, and no bounce.

    `debounce_ms`: how long a level must hold to be one; the board's to say. `meant`: what the present series began as.
    `taps`: how many presses the last whole series had.
    """

    def __init__(self, debounce_ms=DEBOUNCE_MS):
        self.debounce_ms = debounce_ms
        # The level as it bounces, since when; the level that has settled; its changes (alternating) not yet acted on.
        self._raw = False
        self._raw_ms = 0
        self._settled = False
        # When somebody last looked; and the look before that, where that one came late.
        self._looked_ms = self._unseen_ms = 0
        self._waiting = array("i", [0] * _WAITING_MOST)
        self._first = 0
        self._count = 0
        # The level acted on.
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
        # Armed for a test from when until when, and whether a test may be taken back.
        self._armed_from_ms = self._armed_until_ms = 0
        self._cancels = False
        # What else is offered, since when; what the window began as, offered since when. One that is no SOS's sends
        # nothing when it ends.
        self._offered = SOS
        self._offered_from_ms = 0
        self.meant = SOS
        self._meant_from_ms = 0
        self.taps = 0

    def edge(self, pressed, now_ms):
        """A change of level, bouncing or not."""
        since_ms = now_ms
        if now_ms - self._looked_ms >= _BLIND_MS:
            since_ms = self._looked_ms
        elif self._unseen_ms < self._looked_ms:  # the look itself was late, and this is told right after it
            since_ms = self._unseen_ms
        self._looked_ms = self._unseen_ms = now_ms
        self._change(pressed, since_ms, now_ms)

    def look(self, pressed, now_ms):
        """The level as it is, changed or not: at each tick, for an edge may never be told."""
        self._unseen_ms = self._looked_ms if now_ms - self._looked_ms >= _BLIND_MS else now_ms
        self._looked_ms = now_ms
        self._change(pressed, self._unseen_ms, now_ms)

    def _change(self, pressed, since_ms, now_ms):
        """It is so at the latest now, at the earliest since then: a press is as long as it may have been."""
        if pressed == self._raw:
            return
        self._settle(now_ms)
        self._raw = pressed
        self._raw_ms = since_ms if pressed else now_ms

    def woke_by_press(self, pressed, now_ms):
        """The press that ended a deep sleep, which nobody saw begin; `pressed`: it is still held. Returns BEGAN."""
        self._raw = self._settled = self._down = True
        self._raw_ms = now_ms
        action = self._press(now_ms)
        self.edge(pressed, now_ms)
        return action

    def arm(self, now_ms, for_ms, cancels):
        """For so long a short press is a test, if it begins from now on; `cancels`: which may be taken back as one.

        A hold, and three presses or more in a row, are an SOS all the same.
        """
        if not self.armed(now_ms):
            self._armed_from_ms = now_ms
        self._armed_until_ms = now_ms + for_ms
        self._cancels = cancels

    def disarm(self):
        """From now on each press is meant."""
        self._armed_until_ms = self._armed_from_ms

    def armed(self, at_ms):
        """Whether a press at this time may be a test."""
        return self._armed_from_ms <= at_ms < self._armed_until_ms

    def offer(self, meaning, from_ms):
        """From then on a short press is this: SERVICE, ANSWER or FINE; or SOS again. No heap."""
        self._offered = meaning
        self._offered_from_ms = from_ms

    @property
    def testing(self):
        """Whether the present series began as a test."""
        return self.meant == TEST

    @property
    def counting(self):
        """Whether an SOS can be taken back."""
        return self._window and self.meant == SOS

    def sent(self):
        """What began here has gone out by another way: the window is over, further taps of the series are the same."""
        self._window = False
        self.meant = SOS
        self._spent = self._presses > 0

    @property
    def busy(self):
        """Whether a gesture is under way: no deep sleep now."""
        return self._window or self._raw or self._settled or self._down or self._count > 0

    def tick(self, now_ms):
        """What has been meant since the last call: one of the numbers above. Call again until NOTHING."""
        self._settle(now_ms)
        if self._count:
            until_ms = self._waiting[self._first]
        else:
            until_ms = now_ms if self._raw == self._settled else self._raw_ms
        action = self._passed(until_ms)
        if action != NOTHING or not self._count:
            return action
        self._first = (self._first + 1) % _WAITING_MOST
        self._count -= 1
        self._down = not self._down
        return self._press(until_ms) if self._down else self._release(until_ms)

    def _settle(self, now_ms):
        """Take a level that has held for long enough. When too many wait, the last pair is left out."""
        if self._raw == self._settled or now_ms - self._raw_ms < self.debounce_ms:
            return
        self._settled = self._raw
        if self._count == _WAITING_MOST:
            self._count -= 1
            return
        self._waiting[(self._first + self._count) % _WAITING_MOST] = self._raw_ms
        self._count += 1

    def _passed(self, until_ms):
        """What the mere passing of time means, up to the next change of level."""
        if self._down:
            if not self._held and until_ms - self._down_ms >= HOLD_MS:
                return self._hold()
            return NOTHING
        if self._presses and until_ms - self._up_ms >= REST_MS:
            action = self._end_series()
            if action != NOTHING:
                return action
        if self._window and not self._presses and until_ms - self._began_ms >= WINDOW_MS:
            self._window = False
            return EXPIRED if self._was() == SOS else NOTHING
        return NOTHING

    def _press(self, at_ms):
        self._down_ms = at_ms
        self._held = False
        self._presses += 1
        if self._spent:
            return AGAIN
        # Where test mode has ended, nothing that it left open may take a press for itself.
        if not self._window or (self.meant == TEST and not self.armed(at_ms)):
            self._window = True
            self._began_ms = at_ms
            self._opening = True
            self._mean(at_ms)
            return BEGAN
        if self._presses >= CANCEL_PRESSES + (0 if self._opening else 1):
            raised = self.meant == TEST
            self._send()
            return RAISED if raised else INSISTED
        return AGAIN

    def _mean(self, at_ms):
        """What a press that begins now is, if it proves short."""
        if self.armed(at_ms):
            self.meant = TEST
            self._meant_from_ms = self._armed_from_ms
        else:
            self.meant = self._offered if at_ms >= self._offered_from_ms else SOS
            self._meant_from_ms = self._offered_from_ms

    def _holds(self, at_ms):
        """Whether it is offered still, and all the time since the press began."""
        if self.meant == TEST:
            return self.armed(at_ms)
        return self.meant == self._offered and self._meant_from_ms == self._offered_from_ms and not self.armed(at_ms)

    def _release(self, at_ms):
        self._up_ms = at_ms
        if not self._window:
            return NOTHING
        if self.meant != SOS and self._opening and self._presses == 1:
            if not self._holds(at_ms):
                self.meant = SOS  # begun as one thing, ended as another: unclear
            elif self.meant == TEST:
                return TESTED
        return RELEASED if self.meant <= TEST else NOTHING

    def _hold(self):
        self._send()
        return HELD

    def _send(self):
        self._held = True
        self._window = False
        self.meant = SOS
        self._spent = True

    def _end_series(self):
        cancelled = self._window and not self._opening and self._presses == CANCEL_PRESSES
        self.taps = self._presses
        self._presses = 0
        self._opening = False
        self._spent = False
        if self.meant != SOS and not (self.meant == TEST and self._cancels):
            self._window = False
            return NOTHING if self._was() == TEST else MEANT
        if cancelled:
            self._window = False
            return CANCELLED if self._was() == SOS else TEST_CANCELLED
        return NOTHING

    def _was(self):
        """What the window that has ended was for."""
        meant, self.meant = self.meant, SOS
        return meant
