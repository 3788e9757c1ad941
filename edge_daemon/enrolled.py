"""Who is enrolled now. Owns the live table, and that every part which knows wearables learns of each change.

A change is made in one turn of the loop: no frame meets a half of it. Must not know the key file (key_file.py changes
it first) nor what the parts do with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, ValuesView

from edge_daemon.registry import Wearable


class Enrolled:
    """`in` asks whether a handle is served: enrolled, and not revoked.

    `on_put` is told of each wearable that is new or has changed, `on_drop` of each handle that is not ours any more.
    """

    def __init__(self, wearables: Iterable[Wearable]) -> None:
        self._by_handle = {wearable.handle: wearable for wearable in wearables}
        self.on_put: Callable[[Wearable], None] = lambda wearable: None
        self.on_drop: Callable[[str], None] = lambda handle: None

    def __contains__(self, handle: object) -> bool:
        wearable = self._by_handle.get(handle) if isinstance(handle, str) else None
        return wearable is not None and not wearable.revoked

    def __len__(self) -> int:
        return len(self._by_handle)

    def all(self) -> ValuesView[Wearable]:
        """Everybody, revoked ones too."""
        return self._by_handle.values()

    @property
    def expected(self) -> list[str]:
        """Whose silence is a fault here."""
        return [wearable.handle for wearable in self.all() if wearable.supervised]

    def get(self, handle: str) -> Wearable | None:
        """One of them; None: not ours."""
        return self._by_handle.get(handle)

    def put(self, wearable: Wearable) -> None:
        """A wearable comes, or is served otherwise from now on; its keys never change."""
        if self._by_handle.get(wearable.handle) == wearable:
            return
        self._by_handle[wearable.handle] = wearable
        self.on_put(wearable)

    def drop(self, handle: str) -> None:
        """A wearable is not ours any more."""
        if self._by_handle.pop(handle, None) is not None:
            self.on_drop(handle)
