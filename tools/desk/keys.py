"""Keys of wearables at the platform, and who is meant by a rolling id. Owns the key file and the windows in memory.

Must not know MQTT or tables. Nothing here moves by looking: `taken` is called once the frame is stored.
The file has mode 0600: {"v": 1, "wearables": [{"wearable": 16 hex, "up": 32 hex, "down": 32 hex, "id": 32 hex}]}, or
instead of the three derived keys {"root": 32 hex}, of which `wearable` may then be left out. key_file.py adds rows.
Only a root opens what the wearable seals for the platform alone (trails) and what the platform seals for it (settings).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge_daemon import registry
from edge_daemon.errors import Refusal
from edge_daemon.registry import Wearable
from protocol import box
from protocol.frame import DownSealer, UpOpener
from protocol.keys import derive
from protocol.rolling import COUNTER_MAX, RollingIds

# The next ids of each wearable are looked up; those further ahead (weeks at home, unheard here) are searched for.
WINDOW = 64
WIDE_WINDOW = 131_072
# A wearable of which nothing was ever opened here may be anywhere in its life.
FIRST_WINDOW = 1 << 22
# One step of a search: some 1 ms, in which no other thread runs.
_STEP = 16_384

Found = dict[bytes, tuple[str, int]]


@dataclass(frozen=True)
class Held(Wearable):
    """A wearable of which the platform has the root: what no gateway opens, it does."""

    trail: bytes = field(default=b"", repr=False)


def load(path: Path) -> dict[str, Wearable]:
    """Read the key file. Raises Refusal when it is missing, readable by others, or not understood."""
    return registry.load(path, _wearable)


def _wearable(path: Path, number: int, row: object) -> Wearable:
    """A row with derived keys as a gateway's, or with the root that gives them."""
    if not isinstance(row, dict) or "root" not in row:
        return registry.wearable(path, number, row)
    keys = derive(registry.value(path, number, row, "root", 16))
    if "wearable" in row and registry.value(path, number, row, "wearable", 8) != keys.handle:
        raise Refusal("registry.bad_row", file=path, number=number, key="wearable")
    return Held(keys.handle.hex(), keys.up, keys.down, keys.id, trail=keys.trail)


class _Keys:
    """The crypto objects of one wearable, made once. Counters up to `taken` are spent."""

    def __init__(self, wearable: Wearable) -> None:
        self.id_key = wearable.id
        self.ids = RollingIds(wearable.id)
        self.opener = UpOpener(wearable.up)
        self.sealer = DownSealer(wearable.down)
        self.box_keys = {box.CARE: box.care_key(wearable.down)}
        if isinstance(wearable, Held):
            self.box_keys |= {box.TRAIL: wearable.trail, box.SETTINGS: wearable.trail}
        self.taken = -1


class KeyRing:
    """Every wearable whose frames this platform can open."""

    def __init__(self, wearables: dict[str, Wearable], windows: dict[str, int]) -> None:
        # Replaced as a whole, never changed: a search in another thread goes through it meanwhile.
        self._keys: dict[str, _Keys] = {}
        self._expected: dict[bytes, tuple[str, int]] = {}
        self._table: dict[str, list[bytes]] = {}
        self.add(wearables, windows)

    def add(self, wearables: dict[str, Wearable], windows: dict[str, int]) -> list[str]:
        """Take up those that are not here yet and return their handles; the others keep keys and windows.

        None is ever dropped: a search, or an answer on its way, may be about it.
        """
        fresh = {handle: _Keys(wearable) for handle, wearable in wearables.items() if handle not in self._keys}
        self._keys = self._keys | fresh
        for handle in fresh:
            self.taken(handle, windows.get(handle, -1))
        return list(fresh)

    def look_up(self, rolling_id: bytes) -> tuple[str, int] | None:
        """Handle and counter of an id that is due; None for any other. No cryptography."""
        return self._expected.get(rolling_id)

    def search(self, wanted: set[bytes]) -> Found:
        """The same for ids up to 131,072 ahead, of every wearable: some 6 ms each, however many ids are wanted.

        May run in another thread: it changes nothing, and a cipher object is refused to the second thread that uses it.
        """
        return self._search(wanted, 0, WIDE_WINDOW, lambda keys: keys.taken + 1)

    def search_unheard(self, wanted: set[bytes]) -> Found:
        """The rest of the first 4 million ids of wearables never opened here: some 200 ms each. For a thread, too."""
        return self._search(wanted, WIDE_WINDOW, FIRST_WINDOW, lambda keys: 0 if keys.taken < 0 else None)

    def _search(self, wanted: set[bytes], start: int, end: int, first_of: Callable[[_Keys], int | None]) -> Found:
        """Search counters first + start up to first + end of each wearable that has a first."""
        found: Found = {}
        firsts = [(handle, keys, first_of(keys)) for handle, keys in self._keys.items()]
        for handle, keys, first in firsts:
            if first is None:
                continue
            ids, last = RollingIds(keys.id_key), min(first + end, COUNTER_MAX + 1)
            for at in range(first + start, last, _STEP):
                hits = ids.find_any(wanted, at, min(_STEP, last - at))
                found.update({rolling_id: (handle, counter) for rolling_id, counter in hits.items()})
        return found

    def open(self, handle: str, frame: bytes, counter: int) -> bytes:
        """The body. Raises FrameRefused."""
        return self._keys[handle].opener.open(frame, counter)

    def seal(self, handle: str, frame_type: int, counter: int, salt: bytes, body: bytes) -> bytes:
        """A down frame that answers the question `counter`."""
        return self._keys[handle].sealer.seal(frame_type, counter, salt, body)

    def opens(self, handle: str, purpose: int) -> bool:
        """Whether a box of this purpose can be opened here, if it is genuine."""
        keys = self._keys.get(handle)
        return keys is not None and purpose in keys.box_keys

    def open_box(self, handle: str, purpose: int, sealed: bytes) -> bytes | None:
        """What is in a box of a wearable that `opens` is true of; None when it is not genuine."""
        return box.opened(self._keys[handle].box_keys[purpose], purpose, sealed)

    def taken(self, handle: str, counter: int) -> None:
        """The frame of a counter is stored: it and all before it are spent."""
        keys = self._keys[handle]
        if counter < keys.taken:
            return
        keys.taken = counter
        for rolling_id in self._table.get(handle, ()):
            self._expected.pop(rolling_id, None)
        first = counter + 1
        ids = keys.ids.table(first, min(WINDOW, COUNTER_MAX - first + 1))
        self._table[handle] = ids
        self._expected.update((rolling_id, (handle, first + at)) for at, rolling_id in enumerate(ids))
