"""For how long each wearable has been listened for in vain, without a break. Pure: time is handed in.

Owns what a break is: an ear that does not hear, and a step of the clock in which nobody listened. After a break all
of the time begins anew, since a frame may have come in it; so a silence that is said here was one. Must not know what
follows from a silence.
"""

from __future__ import annotations

from collections.abc import Collection

# A wearable at home beats every 30 min, and nobody may be said to have left in less than 35: what is taken for
# listening and was none (a machine that slept, a loop that was held up) is never more than lies between the two.
_STEP_MOST_MS = 300_000


class Silences:
    """Call `look` every second or so. A wearable never heard since the start has been listened for since then."""

    def __init__(self, now_ms: int) -> None:
        self._looked_ms = now_ms
        # All listening before this counts for nobody.
        self._anew_ms = now_ms
        self._since_ms: dict[str, int] = {}
        self._link: dict[str, str] = {}

    def heard(self, handle: str, link: str, now_ms: int) -> None:
        """A genuine frame, by this link: of it an ear is asked from now on."""
        self._since_ms[handle] = now_ms
        self._link[handle] = link

    def look(self, handles: Collection[str], deaf: Collection[str], now_ms: int) -> None:
        """`handles`: who is listened for. `deaf`: links by which nothing is heard now.

        Such a link counts for those heard by it last, and for who has not been heard yet.
        """
        if now_ms - self._looked_ms > _STEP_MOST_MS:
            self._anew_ms = now_ms
        self._looked_ms = now_ms
        for known in self._since_ms.keys() - set(handles):
            del self._since_ms[known]
            self._link.pop(known, None)
        for handle in handles:
            link = self._link.get(handle)
            if (link in deaf) if link is not None else deaf:
                self._since_ms[handle] = now_ms
            else:
                self._since_ms.setdefault(handle, now_ms)

    def silent_ms(self, handle: str, now_ms: int) -> int:
        """How long it has been listened for without a break and not heard; 0 for one that is not listened for."""
        return now_ms - max(self._since_ms.get(handle, now_ms), self._anew_ms)
