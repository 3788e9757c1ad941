"""What presence must still know after a restart: who has been at home here, and which visits are under way.

Owns the file presence.json in the state directory (mode 0600) and its shape. What has been told stands in the journal
(faults.py); this file only says since when. One that cannot be read is passed over and made anew, one that cannot be
written is written later: then a visit's length is a lower bound, and who left meanwhile is told by supervision alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_daemon.durable import replace
from edge_daemon.log import Log

log = Log("presence")

_MODE = 0o600


@dataclass(frozen=True)
class Moment:
    """When something was, by the boot-time clock of one run of the machine (ages.py knows how long ago that is)."""

    boot_id: str
    heard_ms: int


@dataclass
class Visit:
    """A badge that is here. `heard`: the last that came of it. `over`: when it said that it is done; told already.

    `at_least`: it began before that, nobody knows when. `purposes`: in the order in which they were pressed.
    """

    began: Moment
    heard: Moment
    purposes: list[str] = field(default_factory=list)
    over: Moment | None = None
    at_least: bool = False


@dataclass
class Kept:
    """`home`: residents who have been heard here. `visits`: by badge."""

    home: set[str] = field(default_factory=set)
    visits: dict[str, Visit] = field(default_factory=dict)

    def packed(self) -> bytes:
        """As it lies in the file."""
        visits = {badge: asdict(visit) for badge, visit in self.visits.items()}
        return json.dumps({"v": 1, "home": sorted(self.home), "visits": visits}, indent=1).encode()


def load(path: Path) -> Kept:
    """What was kept; nothing where there is no file, or none that is understood."""
    try:
        return _read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return Kept()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.error("presence_not_read", file=str(path), why=f"{type(error).__name__}: {error}")
        return Kept()


def _read(found: Any) -> Kept:
    if found["v"] != 1:
        raise ValueError("of another version")
    visits = {str(badge): _visit(row) for badge, row in found["visits"].items()}
    return Kept({str(handle) for handle in found["home"]}, visits)


def _visit(row: dict[str, Any]) -> Visit:
    purposes = [str(purpose) for purpose in row["purposes"]]
    over = None if row["over"] is None else _moment(row["over"])
    return Visit(_moment(row["began"]), _moment(row["heard"]), purposes, over, bool(row["at_least"]))


def _moment(row: dict[str, Any]) -> Moment:
    return Moment(str(row["boot_id"]), int(row["heard_ms"]))


def save(path: Path, data: bytes) -> None:
    """Put it in the file's place, durable on return. Blocks; for a thread. Raises OSError: the old one then stands."""
    replace(path, data, _MODE)
