"""Wearables that say of themselves that something of them is out of use: a part that has failed, or their flash.

Owns what was told of whom, over restarts: which of them are out stands in the journal, and it is told whenever that
changes, so that what was told last is true. Only a heartbeat changes it; silence is supervision's (wearables.py). Of
one that is not served here any more it ends. Must not know how a wearable finds out.
"""

from __future__ import annotations

from collections.abc import Container

from edge_daemon.faults import Faults
from protocol import kinds
from protocol.messages import Heartbeat

_FLASH = "flash"


class Impaired:
    """`heartbeat` for each that came; `release` whenever somebody may have gone. `served`: the handles of who is."""

    def __init__(self, served: Container[str], faults: Faults) -> None:
        self._served = served
        self._faults = faults

    def heartbeat(self, handle: str, beat: Heartbeat) -> None:
        """A wearable of ours says how it is."""
        self._tell(handle, [*beat.parts_out, *([_FLASH] if beat.flash_failed else [])])

    def release(self) -> None:
        """End what was told, in this run or before it, of those who are not served any more."""
        told = {mark.partition(" ")[0] for mark in self._faults.about(kinds.WEARABLE_IMPAIRED)}
        for handle in sorted(handle for handle in told if handle not in self._served):
            self._tell(handle, [], "not expected here any more")

    def _tell(self, handle: str, out: list[str], note: str = "") -> None:
        """Each that is out is a mark of its own: handle and name."""
        kind = kinds.WEARABLE_IMPAIRED
        marks = {f"{handle} {name}" for name in out}
        changed = marks ^ {mark for mark in self._faults.about(kind) if mark.startswith(handle)}
        for mark in sorted(changed):
            self._faults.note(kind, mark, holds=mark in marks)
        if changed:
            self._faults.report(kind if out else kind + 1, handle, " ".join(out) or note)
