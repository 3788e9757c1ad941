# ruff: noqa: ANN001, ANN201, ANN204, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""The board's end of the pipe to the story: words out, one exchange at a time. Runs on MicroPython.

Owns the lines and nothing of what they mean. Whatever the application prints by accident would be a word nobody knows,
and ends the story: there is nothing quiet here.
"""

import sys

from over import THE_END, Over


class Wire:
    """`say` gathers words, `exchange` sends them and returns what the story answers, up to its `go`."""

    def __init__(self):
        self.waiting = []

    def say(self, line):
        """To be told with the next exchange."""
        self.waiting.append(line)

    def read(self):
        """The next line of the story, in words. Raises Over when the story has ended."""
        line = sys.stdin.readline()
        if not line:
            raise Over(THE_END)
        return line.split()

    def stop_at(self, at_ms):
        """Everything said so far, and the time it is here: the story thinks now."""
        self.waiting.append("at %d\n" % at_ms)
        said, self.waiting = self.waiting, []
        sys.stdout.write("\n".join(said))
