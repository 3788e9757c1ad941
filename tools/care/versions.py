"""Which versions have been given to which wearable: they only ever rise. Owns the file made.json of the care store.

A version is taken before its box is made, under a lock, and on disk before it is used: cut anywhere, or asked for by
two at once, none is given twice. It is the time in seconds where that is higher than the last one, so that they go on
rising where the file was lost. Beside it stands what was made, for `pingan care show`: never what is in a box.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_daemon import private
from edge_daemon.errors import Refusal
from protocol.box import SEQUENCE_MAX
from tools.records import files

_FILE = "made.json"
_HANDLE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Made:
    """The last that was made for a wearable. `guardian`: the platform's reference, "" where there is none."""

    version: int
    profile: str
    centre: str
    guardian: str


def default_directory() -> Path:
    """Where the store is: XDG's place for a user's data, beside the kit's."""
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pingan" / "care"


class Versions:
    """`directory` is made when it is needed. `clock` gives seconds since 1970."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = directory / _FILE
        self._clock = clock

    def take(self, handle: str, profile: str, centre: str, guardian: str, above: int = 0) -> int:
        """A version that was never given for this wearable, higher than all before and than `above`.

        Raises Refusal: the directory is another user's, others may look in, it cannot be written or is not understood.
        """
        try:
            files.own_directory(self.file.parent)
            with files.locked(self.file):
                rows = self._rows()
                last = rows[handle].version if handle in rows else 0
                version = max(last + 1, above + 1, int(self._clock()))
                if version > SEQUENCE_MAX:
                    raise Refusal("care.no_versions_left", file=self.file, wearable=handle)
                rows[handle] = Made(version, profile, centre, guardian)
                files.replace_json(self.file, {"v": 1, "wearables": {each: asdict(row) for each, row in rows.items()}})
        except OSError as error:
            raise Refusal("record.not_written", file=error.filename or self.file, why=error.strerror) from error
        return version

    def last(self, handle: str) -> Made | None:
        """What was made last. Raises Refusal for a file that is not understood, or that others can read."""
        return self._rows().get(handle)

    def _rows(self) -> dict[str, Made]:
        if not self.file.exists():
            return {}
        try:
            found = json.loads(private.read(self.file))
            return {_handle(handle): _made(row) for handle, row in found["wearables"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # Not made anew: versions that were given once would be given again.
            raise Refusal("care.store_damaged", file=self.file) from error


def _handle(text: str) -> str:
    if not _HANDLE.fullmatch(text):
        raise ValueError(text)
    return text


def _made(row: dict[str, Any]) -> Made:
    version = row["version"]
    if type(version) is not int or not 0 < version <= SEQUENCE_MAX:
        raise ValueError(version)
    return Made(version, str(row["profile"]), str(row["centre"]), str(row["guardian"]))
