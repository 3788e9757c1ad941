"""What fences have to tell, each once: over restarts and losses of power, too.

Owns the file "fences" and the way by which a change becomes one event. Must not know how sides are judged (fences.py).
The new side and the event it is to make go into the file together, one change after the other; then the event is
raised; then the file says that it was. Where power goes in between, the events that are there say whether it had been:
one of that kind, with a number higher than all there were.

    "PTF1" | kind to raise, 0: none (1) | detail (1) | above this number (3) | number of fences (1)
    | fence: number (1), side (1), CRC of what it is (4) ... | CRC-32 of all (4)
"""

from protocol import codes
from protocol.settings import FENCE_HOME, FENCE_TELLS_ENTERED, FENCE_TELLS_LEFT

from ..outbox import Alarm
from .fences import INSIDE, Fences
from .files import SUM_SIZE, content, sum_of, with_sum

_MAGIC = b"PTF1"
_NAME = "fences"
_HEAD = 10
_FENCE = 6


class FenceNews:
    """`raise_event(kind, detail)` gives an Alarm or None; `alarms` are those there are; `folder` keeps the file."""

    def __init__(self, folder, alarms, raise_event):
        self._folder = folder
        self._alarms = alarms
        self._raise = raise_event
        self._fences = []
        self._judge = Fences()
        # What a fence was when its side was judged: number -> CRC.
        self._what = {}
        # Sides as the file has them; changes that are to go there, each (number of the fence, side, kind, detail).
        self._told = {}
        self._waiting = []
        # The first of them is in the file, and to be raised.
        self._begun = False
        self._load()

    @property
    def doubts(self):
        """Whether a position soon would settle something."""
        return self._judge.doubts

    def settled(self, fences):
        """These are the fences from now on. One that has moved is judged anew, and that is told to nobody."""
        self._fences = list(fences)
        for fence in self._fences:
            what = _what(fence)
            if self._what.get(fence.number, what) != what:
                self._judge.forget(fence.number)
                self._told.pop(fence.number, None)
            self._what[fence.number] = what
        self._judge.settled(self._fences)
        self._told = {number: side for number, side in self._told.items() if number in self._judge.sides}

    def look(self, fix):
        """Judge a position. Returns the Alarms that it raised."""
        for fence, was in self._judge.look(self._fences, fix):
            side = self._judge.sides[fence.number]
            kind, detail = _event(fence, side) if was else (0, 0)
            self._waiting.append((fence.number, side, kind, detail))
        return self.turn()

    def turn(self):
        """Tell what there is to tell, and for which there was no room before. Returns the Alarms."""
        raised: "list[Alarm]" = []
        while self._waiting:
            number, side, kind, detail = self._waiting[0]
            if not self._begun:
                self._told[number] = side
                self._begun = True
                if kind:
                    self._save(kind, detail)
            if kind:
                alarm = self._raise(kind, detail)
                if alarm is None:
                    return raised
                raised.append(alarm)
            self._waiting.pop(0)
            self._begun = False
            self._save(0, 0)
        return raised

    # ---- the file ----

    def _save(self, kind, detail):
        above = max([alarm.number for alarm in self._alarms if alarm.used] or [0])
        data = bytearray(_MAGIC + bytes([kind, detail]) + above.to_bytes(3, "big") + bytes([len(self._told)]))
        for number, side in sorted(self._told.items()):
            data += bytes([number, side]) + self._what.get(number, bytes(SUM_SIZE))
        self._folder.write(_NAME, with_sum(data))

    def _load(self):
        try:
            data = content(self._folder.read(_NAME))
        except OSError:
            return  # it is noted; fences begin anew
        if len(data) < _HEAD or data[:4] != _MAGIC or len(data) != _HEAD + _FENCE * data[9]:
            return
        for at in range(_HEAD, len(data), _FENCE):
            self._judge.sides[data[at]] = self._told[data[at]] = data[at + 1]
            self._what[data[at]] = bytes(data[at + 2 : at + 6])
        if data[4] and not self._raised(data[4], data[5], int.from_bytes(data[6:9], "big")):
            # Its side is in the file; of which fence it was does not matter any more.
            self._waiting.append((0, 0, data[4], data[5]))
            self._begun = True

    def _raised(self, kind, detail, above):
        return any(
            alarm.used and alarm.kind == kind and alarm.detail == detail and alarm.number > above
            for alarm in self._alarms
        )


def _event(fence, side):
    """(kind, detail) of a change to this side; kind 0 where it is to be told to nobody."""
    entered = side == INSIDE
    if not fence.flags & (FENCE_TELLS_ENTERED if entered else FENCE_TELLS_LEFT):
        return 0, 0
    if fence.flags & FENCE_HOME:
        return codes.HOME_RETURNED if entered else codes.HOME_LEFT, 0
    return codes.FENCE_ENTERED if entered else codes.FENCE_LEFT, fence.number


def _what(fence):
    """A CRC of where it is and how wide."""
    place = ((fence.latitude_e6 & 0xFFFFFFFF) << 32 | (fence.longitude_e6 & 0xFFFFFFFF)).to_bytes(8, "big")
    return sum_of(place + fence.radius_m.to_bytes(2, "big"))
