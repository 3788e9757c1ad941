"""Admission: who sent a frame, is it fresh, is it the first. Guarantee: authentic, fresh, once.

Owns the table of expected rolling ids and the counting of what is refused. Must not know disks, brokers or radios.
A frame in the window and a repeat of one already taken cost one dict look-up: its id stands among the expected or the
spent ones. The window is larger than any block that a wearable may reserve ahead, so that a loss of power never needs a
search. Only a wide search (`find_far`) is dear; its caller (wide_search.py) limits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.registry import Wearable
from protocol import frame as frames
from protocol.rolling import COUNTER_MAX, RollingIds

# How many counters below the highest taken are remembered as "a repeat" rather than "unknown": a month of a wearable's
# life. What is older goes to the platform as a stranger's, which knows it by its identity; so a wearable that has lost
# its memory twice, and counts below us now, is still answered by somebody.
SPENT = 2048
# One step of a wide search: 256 KiB of blocks, some 1 ms on a desktop processor, in which no other thread runs.
_STEP = 16_384
# A wearable of which this gateway has no counter (a new gateway in the home) may be anywhere in its life: 4 million
# frames are 2,400 years of heartbeats, or four years of an alarm that nobody hears.
_FIRST_SEARCH = 1 << 22


@dataclass(frozen=True, slots=True)
class Admitted:
    """A genuine, fresh frame. `body` is open; its meaning is still to be read."""

    wearable: Wearable
    counter: int
    frame_type: int
    body: bytes
    heard: Heard


@dataclass(frozen=True, slots=True)
class Unknown:
    """A frame under an id that nobody here is expected to use: another home's, a far-ahead one's, or noise."""

    frame_type: int
    rolling_id: bytes
    heard: Heard


class _Keys:
    """The crypto objects of one wearable, made once."""

    def __init__(self, wearable: Wearable) -> None:
        self.wearable = wearable
        self.ids = RollingIds(wearable.id)
        self.opener = frames.UpOpener(wearable.up)
        # Counters up to this one are taken; those up to `ahead` are in the table.
        self.taken = -1
        self.ahead = -1


class Admission:
    """The gate between links and everything behind them."""

    def __init__(
        self, wearables: Iterable[Wearable], windows: dict[str, int], window: int, wide_window: int, counters: Counters
    ) -> None:
        self._window = window
        self._wide_window = wide_window
        self._counters = counters
        self._expected: dict[bytes, tuple[_Keys, int]] = {}
        self._spent: dict[bytes, tuple[_Keys, int]] = {}
        # Told of each frame that is taken (handle, counter), and of each under a spent id (handle, counter, frame).
        self.on_taken: Callable[[str, int], None] = lambda handle, counter: None
        self.on_spent: Callable[[str, int, Heard], None] = lambda handle, counter, heard: None
        # Told of each frame that is taken, opened, before anybody acts on it. Must not raise.
        self.on_admitted: Callable[[Admitted], None] = lambda admitted: None
        self._keys: dict[str, _Keys] = {}
        for wearable in wearables:
            self.put(wearable, windows.get(wearable.handle, -1))

    def put(self, wearable: Wearable, taken: int) -> None:
        """Take a wearable in, whose counters up to `taken` are spent (-1: none); or what has changed of one, but keys.

        Some 10 ms for one that is new.
        """
        known = self._keys.get(wearable.handle)
        if known is not None:
            known.wearable = wearable
            return
        self._keys[wearable.handle] = keys = _Keys(wearable)
        self._remember(keys, taken)

    def drop(self, handle: str) -> None:
        """From now on its frames are a stranger's."""
        self._forget(self._keys.pop(handle))

    def admit(self, heard: Heard) -> Admitted | Unknown | None:
        """Open a frame. None: refused or a repeat, and counted."""
        self._counters.add(f"frames_heard_{heard.link}")
        try:
            frame_type = frames.parse_head(heard.frame)
        except frames.FrameRefused as refused:
            self._refuse(refused.reason)
            return None
        if frame_type > 7:
            self._refuse("type")
            return None
        return self.look_up(Unknown(frame_type, frames.rolling_id(heard.frame), heard))

    def look_up(self, unknown: Unknown) -> Admitted | Unknown | None:
        """Open a frame that was unknown when it was heard, if a window has come to it since."""
        expected = self._expected.get(unknown.rolling_id)
        if expected is not None:
            return self._open(*expected, unknown.frame_type, unknown.heard)
        spent = self._spent.get(unknown.rolling_id)
        if spent is not None:
            self._refuse("repeat")
            self.on_spent(spent[0].wearable.handle, spent[1], unknown.heard)
            return None
        return unknown

    def genuine(self, handle: str, counter: int, frame: bytes) -> bool:
        """Whether this wearable sealed this frame under this counter, ever. Moves nothing."""
        try:
            self._keys[handle].opener.open(frame, counter)
        except frames.FrameRefused:
            return False
        return True

    def find_far(self, wanted: set[bytes], *, first_heard: bool) -> dict[bytes, tuple[str, int]]:
        """Search for rolling ids far ahead of the windows: id -> handle and counter. Slow, and without side effects.

        Not `first_heard`: the wearables that have been heard, `wide_window` ahead, some 6 ms each. `first_heard`: those
        that have not, over their first 4 million counters, some 200 ms each. The number of ids costs nothing.
        May run in another thread: it makes its own cipher objects, for one that two threads use at once refuses the
        second, and that would be the frame just heard.
        """
        found: dict[bytes, tuple[str, int]] = {}
        # A copy: wearables come and go while this runs.
        for handle, keys in list(self._keys.items()):
            start = keys.taken + 1
            if (start == 0) is not first_heard:
                continue
            span = max(self._wide_window, _FIRST_SEARCH) if first_heard else self._wide_window
            end = min(start + span, COUNTER_MAX + 1)
            ids = RollingIds(keys.wearable.id)
            for at in range(start, end, _STEP):
                hits = ids.find_any(wanted, at, min(_STEP, end - at))
                found.update({rolling_id: (handle, counter) for rolling_id, counter in hits.items()})
        return found

    def admit_far(self, handle: str, counter: int, unknown: Unknown) -> Admitted | Unknown | None:
        """Open a frame whose counter a wide search found. Unknown: its wearable has been dropped meanwhile."""
        keys = self._keys.get(handle)
        if keys is None:
            return unknown
        if counter <= keys.taken:
            self._refuse("repeat")
            return None
        return self._open(keys, counter, unknown.frame_type, unknown.heard)

    def _open(self, keys: _Keys, counter: int, frame_type: int, heard: Heard) -> Admitted | None:
        try:
            body = keys.opener.open(heard.frame, counter)
        except frames.FrameRefused as refused:
            # The window has not moved: a forger who guessed an id cannot spend it for the wearer.
            self._refuse(refused.reason)
            return None
        self._advance(keys, counter)
        self._counters.add("frames_admitted")
        self.on_taken(keys.wearable.handle, counter)
        admitted = Admitted(keys.wearable, counter, frame_type, body, heard)
        self.on_admitted(admitted)
        return admitted

    def _refuse(self, reason: str) -> None:
        self._counters.add(f"refused_{reason}")

    def _remember(self, keys: _Keys, taken: int) -> None:
        """Fill the tables of one wearable around the last counter taken."""
        first = max(0, taken + 1 - SPENT)
        for offset, rolling_id in enumerate(keys.ids.table(first, taken + 1 - first) if taken >= 0 else ()):
            self._spent[rolling_id] = (keys, first + offset)
        keys.taken = taken
        keys.ahead = taken
        self._extend(keys)

    def _advance(self, keys: _Keys, counter: int) -> None:
        """Move the window past a taken counter: ids up to it are spent, as many new ones are expected."""
        if counter > keys.ahead:
            self._forget(keys)
            self._remember(keys, counter)
            return
        start = keys.taken + 1
        for offset, rolling_id in enumerate(keys.ids.table(start, counter - keys.taken)):
            # The same pair goes from one table to the other, which costs no memory.
            expected = self._expected.pop(rolling_id, None)
            self._spent[rolling_id] = (keys, start + offset) if expected is None else expected
        self._drop_spent(keys, start, counter)
        keys.taken = counter
        self._extend(keys)

    def _extend(self, keys: _Keys) -> None:
        start = keys.ahead + 1
        end = min(keys.taken + self._window, COUNTER_MAX)
        for offset, rolling_id in enumerate(keys.ids.table(start, max(0, end + 1 - start))):
            self._expected[rolling_id] = (keys, start + offset)
        keys.ahead = max(keys.ahead, end)

    def _drop_spent(self, keys: _Keys, start: int, counter: int) -> None:
        first = max(0, start - SPENT)
        last = counter - SPENT
        for rolling_id in keys.ids.table(first, max(0, last + 1 - first)):
            self._spent.pop(rolling_id, None)

    def _forget(self, keys: _Keys) -> None:
        first = max(0, keys.taken + 1 - SPENT)
        for rolling_id in keys.ids.table(first, keys.ahead + 1 - first):
            self._spent.pop(rolling_id, None)
            self._expected.pop(rolling_id, None)
