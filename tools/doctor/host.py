"""The machine under the gateway: its disk, its files, its clock. Owns the limits; must not know the daemon."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from edge_daemon import registry
from edge_daemon.clock import Clock
from edge_daemon.config import Config
from edge_daemon.errors import Refusal
from edge_daemon.journal.room import RESERVE_BYTES
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding

_MIB = 1 << 20
# Less than the journal's reserve for 10,000 alarms twice over: the reserve is about to be used.
FULL_BYTES = 2 * RESERVE_BYTES
# Telemetry may still grow by as much as this (supervision.telemetry_most_mb), and so may other programs' logs.
LOW_BYTES = 256 * _MIB
_INODES_LEAST = 1000


def disk(config: Config, full_bytes: int = FULL_BYTES, low_bytes: int = LOW_BYTES) -> Iterator[Finding]:
    """Room and rights where the journal lies."""
    place = Path(config.gateway.state_dir)
    try:
        found, room = place.stat(), os.statvfs(place)
    except PermissionError:
        yield Finding("disk", "state_hidden", GOOD, {"directory": place}, unsure=True)
        return
    except OSError as error:
        yield Finding("disk", "state_missing", DEADLY, {"directory": place, "cause": error.strerror})
        return
    free = room.f_bavail * room.f_frsize
    names = {"directory": place, "free_mb": free // _MIB}
    if room.f_flag & os.ST_RDONLY:
        yield Finding("disk", "disk_read_only", DEADLY, names)
    elif free < full_bytes or (room.f_files > 0 and room.f_favail < _INODES_LEAST):
        yield Finding("disk", "disk_full", DEADLY, names)
    elif free < low_bytes:
        yield Finding("disk", "disk_low", HARMFUL, names)
    else:
        yield Finding("disk", "disk_good", GOOD, names)
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding("disk", "state_open", HARMFUL, {"directory": place, "mode": f"{stat.S_IMODE(found.st_mode):04o}"})


def keys(config: Config) -> Iterator[Finding]:
    """Who is enrolled."""
    file = Path(config.wearables.key_file)
    if not os.access(file, os.R_OK) and file.parent.exists() and not os.access(file.parent, os.X_OK):
        yield Finding("wearables", "keys_hidden", GOOD, {"file": file}, unsure=True)
        return
    try:
        wearables = registry.load(file)
    except Refusal as refusal:
        yield Finding("wearables", "keys_unusable", DEADLY, {"refusal": refusal})
        return
    served = sum(not wearable.revoked for wearable in wearables.values())
    if served:
        yield Finding("wearables", "keys_good", GOOD, {"count": served})
    else:
        yield Finding("wearables", "keys_none", DEADLY, {"file": file})


def clock(clock: Clock, built: datetime | None = None) -> Iterator[Finding]:
    """Whether an event's wall time is worth anything. `built`: no right clock says less; this program's own date."""
    now = datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)
    names = {"now": f"{now:%Y-%m-%d %H:%M}Z"}
    if now < (built or datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)):
        yield Finding("clock", "clock_wrong", HARMFUL, names)
    elif not clock.synced():
        yield Finding("clock", "clock_unsynced", WEAK, names)
    else:
        yield Finding("clock", "clock_good", GOOD, names)
