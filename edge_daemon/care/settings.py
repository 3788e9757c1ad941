"""One wearable's settings on their way to it: sealed, in parts, until it says that it lives by them.

Owns how a box is handed over. Guarantee: a wearable that lives by older settings is handed the newest ones at each
heartbeat until it says their version; a box that it refuses three times is given up and said to be not genuine, for
only the wearable can tell. Must not know what is in the box, nor disks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_daemon.care.mail import Boxed
from edge_daemon.commands import Told
from edge_daemon.log import Log
from protocol import codes
from protocol.watchful import Part, parts

log = Log("care")

# A wearable at rest is handed the first part at its next heartbeat, and the others in the same visit.
_EXPIRES_S = 7200.0
_REFUSED_MOST = 3

Give = Callable[[int, bytes, float, Told], Callable[[], None]]


class Settings:
    """`kept`: the newest box; `lives_by`: the version of the wearable's last heartbeat, None: it never said any.

    `on_refused` is told when the box is given up.
    """

    def __init__(self, give: Give, on_refused: Callable[[], None]) -> None:
        self._give = give
        self._on_refused = on_refused
        self.kept: Boxed | None = None
        self.lives_by: int | None = None
        self._refused = 0
        self._able = True
        self._under_way = self._behind_first = False
        self._take_back: Callable[[], None] = lambda: None

    def put(self, boxed: Boxed) -> None:
        """A newer box: it is handed over as soon as the wearable asks for anything."""
        self.stop()
        self.kept, self._refused, self._able = boxed, 0, True
        self.hand_over()

    def heartbeat(self, version: int) -> bool:
        """The wearable has said by which version it lives, -1 none. Returns whether that is news."""
        said = version if version >= 0 else None
        news, self.lives_by = said != self.lives_by, said
        if self._due and (not self._under_way or self._behind_first):
            # In the midst of it the wearable may have started anew, and what it had of the parts is gone.
            self.stop()
            self.hand_over()
        return news

    def stop(self) -> None:
        """Hand nothing over any more."""
        self._take_back()
        self._under_way = False

    @property
    def _due(self) -> bool:
        if self.kept is None or not self._able:
            return False
        return self.lives_by is None or self.lives_by < self.kept.version

    def hand_over(self) -> None:
        """Begin with the first part, where the wearable does not live by this version."""
        if self._due and self.kept is not None:
            self._under_way = True
            self._next(self.kept, parts(self.kept.version, self.kept.box))

    def _next(self, boxed: Boxed, left: list[bytes]) -> None:
        """One part, and behind its result the others; at last the wearable is asked by what it lives now."""
        if not left:
            self._under_way = False
            self._take_back = self._give(codes.COMMAND_HEARTBEAT, b"", _EXPIRES_S, lambda *_: None)
            return

        self._behind_first = Part(left[0]).index > 0

        def told(outcome: str, reason: str | None, _more: bytes) -> None:
            if self.kept is not boxed or not self._under_way:
                return
            if outcome == "done":
                self._next(boxed, left[1:])
                return
            self._under_way = False
            if reason == "unknown_to_wearable":
                self._able = False
            elif reason == "failed":
                self._failed()

        self._take_back = self._give(codes.COMMAND_SETTINGS, left[0], _EXPIRES_S, told)

    def _failed(self) -> None:
        self._refused += 1
        log.warning("settings_refused", version=self.kept and self.kept.version, times=self._refused)
        if self._refused >= _REFUSED_MOST:
            self.kept = None
            self._on_refused()

    def row(self) -> dict[str, Any]:
        """As it is kept."""
        kept = None if self.kept is None else [self.kept.version, self.kept.box.hex()]
        return {"settings": kept, "lives_by": self.lives_by}

    def resume(self, row: dict[str, Any]) -> None:
        """As it was kept."""
        self.lives_by = row["lives_by"]
        if row["settings"] is not None:
            self.kept = Boxed(row["settings"][0], bytes.fromhex(row["settings"][1]))
            self.hand_over()
