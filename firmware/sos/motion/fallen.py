"""What is done about a fall: countdown, SOS, and what is seen of the wearer after it.

Owns these three states. Must not know how a fall is found (falls.py), nor how a countdown runs: that is the alarm
path's, which sends the SOS though all of this should fail, and whose flash has it before the wearer feels anything.
"""

from protocol import codes

from .. import falls as countdown

NONE = 0
COUNTING = 1
SENT = 2

# After the SOS: so many seconds without any motion are told, once.
NO_MOTION_SECONDS = 60
# So long after the SOS it is still worth knowing how the wearer does.
_WATCHED_MS = 10 * 60 * 1000


class Fallen:
    """One fall at a time. `state`: NONE, COUNTING or SENT."""

    def __init__(self, reach, sensing):
        self._reach = reach
        self._sensing = sensing
        self.state = NONE
        self._until_ms = 0
        self._quiet = 0
        self._told = False

    def fell(self, now_ms):
        """The detector has found a fall. One that comes while another counts is the same."""
        if self.state == COUNTING:
            return
        self._sensing.fallen(True)
        if self._reach.fall(self._reach.settings.countdown_s):
            self.state = COUNTING
        else:  # it has become one with an SOS that is open
            self._sent(now_ms)

    def turn(self, now_ms):
        """Look what has become of it."""
        if self.state == COUNTING:
            if self._reach.falling_ms() >= 0:
                if self._sensing.walked() and self._reach.recovered():
                    self._end()
            elif self._reach.fall_state == countdown.SENT:
                self._sent(now_ms)
            else:  # a press took it back
                self._end()
        elif self.state == SENT:
            if self._sensing.walked():
                self._reach.raise_event(codes.FALL_RECOVERED, codes.GOT_UP)
                self._end()
            elif now_ms >= self._until_ms:
                self._end()

    def second(self, moved):
        """One second, with motion or without, in which the wearable itself was still."""
        if self.state != SENT:
            return
        self._quiet = 0 if moved else self._quiet + 1
        if self._quiet >= NO_MOTION_SECONDS and not self._told:
            self._told = True
            self._reach.raise_event(codes.NO_MOTION_AFTER_FALL)

    def _sent(self, now_ms):
        self.state = SENT
        self._until_ms = now_ms + _WATCHED_MS
        self._quiet = 0
        self._told = False

    def _end(self):
        self.state = NONE
        self._sensing.fallen(False)
