# ruff: noqa: ANN001, ANN201, ANN204, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""How long each part of a wearable was on, and how often. Owns the counting alone. Runs on MicroPython.

Times are the story's, ms. What is on when the count is asked for is counted up to then.
"""


class Meter:
    """`turn(name, on, at)` for what lasts, `count(name)` for what happens. Survives restarts: it is the bench's."""

    def __init__(self):
        self._spent = {}
        self._since = {}
        self._counts = {}

    def turn(self, name, on, at_ms):
        """From now on it is on, or off; saying it twice makes no difference."""
        if on:
            if name not in self._since:
                self._since[name] = at_ms
        elif name in self._since:
            self._spent[name] = self._spent.get(name, 0) + at_ms - self._since.pop(name)

    def all_off(self, at_ms):
        """Power is gone, or deep sleep has taken it from everything that does not last through one."""
        for name in list(self._since):
            self.turn(name, False, at_ms)

    def count(self, name, times=1):
        """It happened."""
        self._counts[name] = self._counts.get(name, 0) + times

    def lines(self, at_ms):
        """`spent NAME MS` and `counted NAME TIMES` of everything so far."""
        for name in list(self._since):
            self.turn(name, False, at_ms)
            self.turn(name, True, at_ms)
        spent = ["spent %s %d" % one for one in sorted(self._spent.items())]
        return spent + ["counted %s %d" % one for one in sorted(self._counts.items())]
