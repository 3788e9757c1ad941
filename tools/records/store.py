"""The kit's store: sealed records for the platform, rows for gateways, and what is under way on a board.

    records/<handle>.json     what goes to the platform; sealed, of no use to a thief
    enrolments/<handle>.json  {"v": 1, "wearables": [row]}: a gateway's key file of one (edge_daemon/registry.py)
    pending/<handle>.json     both, from before the board is written until nothing is left to be done with it

Owns the folders, their order of writing and their modes (0700, files 0600). Must not know boards. No root is ever in
here but sealed. After a cut anywhere commit() is done again from what is pending, and comes to the same.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_daemon import private
from edge_daemon.errors import Refusal
from protocol.keys import DeviceKeys
from tools.records import files, record
from tools.records.record import Record

_RECORDS, _ENROLMENTS, _PENDING = "records", "enrolments", "pending"


@dataclass(frozen=True)
class Pending:
    """An identity that a board may have by now. `row`: a gateway's, with the derived keys."""

    record: Record
    row: dict[str, Any]

    def __repr__(self) -> str:
        return f"Pending({self.handle})"

    @property
    def handle(self) -> str:
        """The wearable's name, 16 hex digits."""
        return self.record.about.handle


def default_directory() -> Path:
    """Where the kit keeps what it made: XDG's place for a user's data."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pingan" / "kit"


def row(keys: DeviceKeys) -> dict[str, Any]:
    """A gateway's row of a wearable: derived keys only, neither root nor trail."""
    return {"wearable": keys.handle.hex(), "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}


class Store:
    """Made once per run, shared by its workers: each file is one wearable's, and only one worker has that one.

    Raises Refusal when the directory is another user's or others may look in.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            for part in (directory, *(directory / name for name in (_RECORDS, _ENROLMENTS, _PENDING))):
                files.own_directory(part)
        except OSError as error:
            raise Refusal("record.not_written", file=error.filename or directory, why=error.strerror) from error

    def begin(self, pending: Pending) -> None:
        """Before a board gets an identity: note it. Raises Refusal."""
        self._put(_PENDING, pending.handle, {"v": 1, "record": pending.record.as_json(), "row": pending.row})

    def pending(self) -> list[Pending]:
        """All that was begun and not dropped. Raises Refusal for a file that is not understood."""
        found = []
        for file in sorted((self.directory / _PENDING).glob("*.json")):
            try:
                found.append(self._read_pending(file))
            except Refusal:
                # Dropped meanwhile, by the worker whose board it was.
                if file.exists():
                    raise
        return found

    def commit(self, pending: Pending) -> bool:
        """The board has it: keep record and row, revoke the row of the identity it replaces; durable on return.

        Returns whether that row was here to be revoked (True, too, when nothing is replaced). It stays pending until
        it is dropped. Raises Refusal.
        """
        self._put(_RECORDS, pending.handle, pending.record.as_json())
        self._put(_ENROLMENTS, pending.handle, _key_file(pending.row))
        replaced = pending.record.about.replaces
        return replaced is None or self.revoke(replaced)

    def drop(self, handle: str) -> None:
        """No board has it, or all is done and kept: forget that it was under way. Raises Refusal."""
        try:
            files.remove(self.directory / _PENDING / f"{handle}.json")
        except OSError as error:
            raise Refusal("record.not_written", file=error.filename, why=error.strerror) from error

    def revoke(self, handle: str) -> bool:
        """Mark a row as revoked; False when this store never made that wearable. Raises Refusal."""
        found = self.enrolment(handle)
        if found is None:
            return False
        if not found.get("revoked"):
            self._put(_ENROLMENTS, handle, _key_file(found | {"revoked": True}))
        return True

    def enrolment(self, handle: str) -> dict[str, Any] | None:
        """The row of a wearable that this store made. Raises Refusal."""
        file = self.directory / _ENROLMENTS / f"{handle}.json"
        if not file.exists():
            return None
        found = self._json(file)
        rows = found.get("wearables")
        if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
            raise Refusal("record.not_understood", file=file)
        return rows[0]

    def latest_on(self, hardware: str) -> str | None:
        """The handle that was last made for a chip here and is not revoked. Raises Refusal."""
        found = [record.read(self.record_file(handle)).about for handle in self.handles()]
        mine = sorted((about.made_at, about.handle) for about in found if about.hardware == hardware)
        live = [handle for _, handle in mine if not (self.enrolment(handle) or {}).get("revoked")]
        return live[-1] if live else None

    def record_file(self, handle: str) -> Path:
        """Where that record lies: what a technician carries to the platform."""
        return self.directory / _RECORDS / f"{handle}.json"

    def handles(self) -> list[str]:
        """Every wearable that was made here, the revoked ones, too."""
        return sorted(file.stem for file in (self.directory / _RECORDS).glob("*.json"))

    def _put(self, folder: str, handle: str, value: dict[str, Any]) -> None:
        try:
            files.replace_json(self.directory / folder / f"{handle}.json", value)
        except OSError as error:
            raise Refusal("record.not_written", file=error.filename, why=error.strerror) from error

    def _read_pending(self, file: Path) -> Pending:
        found = self._json(file)
        sealed, wearable = record.from_json(found.get("record"), file), found.get("row")
        if not isinstance(wearable, dict) or not wearable.get("wearable") == sealed.about.handle == file.stem:
            raise Refusal("record.not_understood", file=file)
        return Pending(sealed, wearable)

    def _json(self, file: Path) -> dict[str, Any]:
        try:
            found = json.loads(private.read(file))
        except ValueError as error:
            raise Refusal("record.not_understood", file=file) from error
        if not isinstance(found, dict):
            raise Refusal("record.not_understood", file=file)
        return found


def _key_file(wearable: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "wearables": [wearable]}
