"""When a heartbeat is due, and whether it came. Pure.

Owns the rhythm: right after a start, then as often as the settings say, twice more when unanswered. Must not know
links. Lost heartbeats are lost: the next one tells as much.
"""

AGAIN_MS = 10000
TRIES = 3


class Heartbeat:
    """`waits`: it is due and has not come yet. `due_ms`: when it is to be sent (again). `every_ms`: between two."""

    def __init__(self, every_ms):
        self.every_ms = every_ms
        self.due_ms = 0
        self.waits = False
        self._tries = 0
        self._first_ms = 0
        self._counter = -1

    def begin(self, now_ms):
        """Whether it is to be sent now (by serial at once, on the air by a hello)."""
        if now_ms < self.due_ms:
            return False
        if self._tries >= TRIES:
            self._rest()
            return False
        if not self._tries:
            self._first_ms = now_ms
        self._tries += 1
        self.waits = True
        self.due_ms = now_ms + AGAIN_MS
        return True

    def every(self, every_ms, now_ms):
        """From now on so often; one that is due later than that comes sooner."""
        self.every_ms = every_ms
        self.due_ms = min(self.due_ms, now_ms + every_ms)

    def anew(self, now_ms):
        """There is news: due now, and no answer to an earlier one is one to this."""
        self._rest()
        self.due_ms = now_ms

    @property
    def first_try(self):
        """Whether the present heartbeat has been tried only once."""
        return self._tries == 1

    def sent(self, counter):
        """It went out under this counter: an answer to that says that it came."""
        self._counter = counter

    def answered(self, counter):
        """A genuine answer to this question came."""
        if self.waits and counter == self._counter:
            self._rest()

    def _rest(self):
        self.waits = False
        self._tries = 0
        self._counter = -1
        self.due_ms = self._first_ms + self.every_ms
