"""One gateway, running or not, whose wearables are to change. Owns which of the two it is, and how changes get there.

A running one is told by its control socket and serves at once; of one that does not run the key file is changed, and
counts at its next start. Must not know codes, lists or screens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_daemon import config, key_file, registry
from edge_daemon.errors import Refusal
from edge_daemon.key_file import Change
from tools.control import client
from tools.enrol.as_owner import owner_of

# A request is one line of 64 KiB; a row takes some 200 bytes of it.
AT_ONCE = 100


class Gateway:
    """By its socket alone, where one is given; else by its configuration. Raises Refusal."""

    def __init__(self, socket: Path | None, file: Path) -> None:
        if socket is not None:
            self._socket, self._keys = socket, None
            return
        settings = config.load(file)
        self._socket, self._keys = settings.control_socket, Path(settings.wearables.key_file)

    def change(self, wanted: Change) -> tuple[dict[str, list[str]], bool]:
        """What became of each, and whether it is served by it already. Raises Refusal: nothing of it was done."""
        request = {"ask": "wearables", "enrol": wanted.enrol, "revoke": wanted.revoke, "forget": wanted.forget}
        try:
            return client.ask(self._socket, request), True
        except Refusal as refusal:
            if refusal.key != "control.not_running" or self._keys is None:
                raise
        with _owned(self._keys):
            done = key_file.change(self._keys, wanted, create=True)
        said = {"enrolled": done.enrolled, "revoked": done.revoked, "forgotten": done.forgotten}
        return {**said, "unchanged": done.unchanged}, False

    def role_of(self, handle: str) -> str:
        """As what a wearable is enrolled. Raises Refusal where it is not."""
        found = self._roles().get(handle)
        if found is None:
            raise Refusal("registry.unknown", wearable=handle)
        return found

    def _roles(self) -> dict[str, str]:
        try:
            rows: list[dict[str, Any]] = client.ask(self._socket, {"ask": "status"})["wearables"]
            return {row["wearable"]: row["role"] for row in rows}
        except Refusal as refusal:
            if refusal.key != "control.not_running" or self._keys is None:
                raise
        with _owned(self._keys):
            known = registry.load(self._keys) if self._keys.exists() else {}
        return {handle: wearable.role for handle, wearable in known.items()}


def _owned(keys: Path) -> Any:
    directory = keys.parent
    if not directory.is_dir():
        raise Refusal("registry.unwritable", file=keys, why="No such directory")
    return owner_of(directory)
