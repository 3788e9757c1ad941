"""What a watch has beyond the pendant: screen, positions, motion. Each is a part, plugged in here.

Owns which parts a board gets, and that none of them can hurt an alarm: parts run in the main loop, after everything
that an alarm needs, and one that raises is dropped until the next start. Nobody would miss it: so the heartbeat says
which are out, and one is due at once. Must not know what a part does.
A part is a module `sos/<name>/part.py` with `make(reach)`; it does what reach.py lets it do and nothing else.
"""

import sys

from . import schedule
from .alarm_path import AlarmPathDied
from .no_parts import KINDS, NoParts, has
from protocol import codes

# What one part may keep over a deep sleep.
KEEP_MOST = 40
# Not a part's index: under it we keep who failed.
_OURS = 255


class Part(NoParts):
    """The base of all parts: every hook, doing nothing yet."""

    def __init__(self, reach):
        self.reach = reach


def _unload(package, name):
    """Give back what a part that is out has taken, above all where memory is what was missing."""
    whole = "%s.%s" % (package, name)
    for module in list(sys.modules):
        if module == whole or module.startswith(whole + "."):
            del sys.modules[module]
    if hasattr(sys.modules[package], name):
        delattr(sys.modules[package], name)


def _flag(index):
    """That the part of this index is out, in a heartbeat; KINDS has their order."""
    return codes.HEARTBEAT_SCREEN_OUT << index


class Parts:
    """Those of this board, from start() on. Every call goes to each of them; what raises is out."""

    def __init__(self, reach, kinds=KINDS):
        self._reach = reach
        self._kinds = kinds
        # (index in `kinds`, part)
        self._parts = []
        # Flags of a heartbeat: which have failed in this run, in the one before the deep sleep, and which are told.
        self._failed = self._before = self._told = 0

    def start(self, kept):
        """Make them, and hand each what it has kept over a deep sleep (b"" after any other start).

        It may take long, or never end: an alarm must not wait for it.
        """
        for index, (name, needs) in enumerate(self._kinds):
            if has(self._reach.board, needs):
                self._make(index, name)
        self.resume(kept)

    def _make(self, index, name):
        package = __name__[: __name__.rindex(".")]
        try:
            part = __import__("%s.%s.part" % (package, name), None, None, ("make",)).make(self._reach)
        except Exception as error:
            self._reach.log("part %s does not start: %r" % (name, error))
            self._failed |= _flag(index)
            _unload(package, name)
            return
        self._parts.append((index, part))
        if name == "motion":
            self._reach.motion = part

    def newly_out(self):
        """Whether one is out that no heartbeat has said; true once."""
        new = self._untold()
        self._told |= new
        return bool(new)

    def tell_out(self):
        """For a heartbeat that is sent now: flags, of those that are out.

        One that failed before a deep sleep is tried again and may look well until it does the same again: it is well
        when it has come from a start to a sleep. What a heartbeat says that was asked for may be lost.
        """
        out = self._failed | self._before
        self._told &= out
        return out

    def _untold(self):
        return (self._failed | self._before) & ~self._told

    def turn(self, now_ms):
        """One turn of each."""
        self._tell("turn", now_ms)

    def next_ms(self, now_ms):
        """When the first of them must be awake again."""
        return min(self._ask("next_ms", now_ms), default=schedule.NEVER)

    def awake(self, now_ms):
        """Whether one of them must not sleep now, or one is out and nobody knows."""
        return any(self._ask("awake", now_ms)) or bool(self._untold())

    def keep(self):
        """What goes over a deep sleep: index (1), size (1), bytes, of each that keeps anything; and who failed.

        What was told goes with it: one that fails in each run costs one heartbeat, and not one at each waking.
        """
        kept = b""
        for index, part in list(self._parts):
            data = self._call(index, part, "keep", ())
            if data:
                if len(data) > KEEP_MOST:
                    self._drop(index, part, "keeps %d bytes" % len(data))
                    continue
                kept += bytes([index, len(data)]) + data
        if self._failed or self._told:
            kept += bytes([_OURS, 2, self._failed, self._told])
        return kept

    def resume(self, kept):
        """After a deep sleep."""
        at = 0
        while at + 2 <= len(kept) and kept[at + 1]:
            if kept[at] == _OURS:
                self._before, self._told = kept[at + 2], kept[at + 3]
            for index, part in list(self._parts):
                if index == kept[at]:
                    self._call(index, part, "resume", (bytes(kept[at + 2 : at + 2 + kept[at + 1]]),))
            at += 2 + kept[at + 1]

    def command(self, command, way):
        """(result, what follows), or None when it is nobody's."""
        return self._first("command", command, way)

    def activity(self):
        """For a heartbeat, or None."""
        return self._first("activity")

    def worn(self):
        """WORN or NOT_WORN, or None."""
        return self._first("worn")

    def taken(self, sequence):
        """See Part."""
        self._tell("taken", sequence)

    def connected(self, way):
        """See Part."""
        self._tell("connected", way)

    def stage(self, kind, number, stage):
        """See Part."""
        self._tell("stage", kind, number, stage)

    def settled(self):
        """See Part."""
        self._tell("settled")

    def _tell(self, hook, *arguments):
        for index, part in list(self._parts):
            self._call(index, part, hook, arguments)

    def _ask(self, hook, *arguments):
        answers = [self._call(index, part, hook, arguments) for index, part in list(self._parts)]
        return [answer for answer in answers if answer is not None]

    def _first(self, hook, *arguments):
        answers = self._ask(hook, *arguments)
        return answers[0] if answers else None

    def _call(self, index, part, hook, arguments):
        try:
            return getattr(part, hook)(*arguments)
        except AlarmPathDied:
            raise
        except Exception as error:
            self._drop(index, part, "%s: %r" % (hook, error))
            return None

    def _drop(self, index, part, why):
        name = self._kinds[index][0]
        self._reach.log("part %s is dropped: %s" % (name, why))
        self._parts.remove((index, part))
        self._failed |= _flag(index)
        if self._reach.motion is part:
            self._reach.motion = None
        self._put_out(name)
        _unload(__name__[: __name__.rindex(".")], name)

    def _put_out(self, name):
        """What a part leaves on burns the battery, or stays on the glass over what an alarm shows."""
        board = self._reach.board
        try:
            if name == "screen":
                board.flush(None)
            elif name == "positions":
                board.gnss(False)
        except Exception as error:
            self._reach.log("what %s left on stays on: %r" % (name, error))
