"""What one transaction of the journal holds, and the order in which it is written. Owns nothing else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import aiosqlite

from edge_daemon.heard import Alarm
from edge_daemon.journal import rows
from protocol import codes


@dataclass
class Batch:
    """Alarms to insert, stages that changed, windows that moved, identities to delete. All or nothing."""

    alarms: dict[tuple[str, int], Alarm] = field(default_factory=dict)
    advanced: dict[tuple[str, int], Alarm] = field(default_factory=dict)
    windows: dict[str, int] = field(default_factory=dict)
    purged: list[tuple[str, int]] = field(default_factory=list)

    async def commit(self, db: aiosqlite.Connection) -> None:
        """Write it all in one transaction. Raises sqlite3.Error or OSError; then nothing of it is on disk."""
        try:
            # First of all: an alarm that was purged and has come again meanwhile is inserted after it.
            if self.purged:
                await db.executemany(rows.DELETE, self.purged)
            if self.alarms:
                values = [rows.to_row(alarm, max(alarm.stage, codes.STORED)) for alarm in self.alarms.values()]
                await db.executemany(rows.INSERT, values)
            if self.advanced:
                changes = [(a.stage, a.reason, a.wearable, a.number) for a in self.advanced.values()]
                await db.executemany(rows.ADVANCE, changes)
            if self.windows:
                await db.executemany(rows.WINDOW, list(self.windows.items()))
            await db.commit()
        except (sqlite3.Error, OSError):
            await db.rollback()
            raise

    def take_back(self, failed: Batch) -> None:
        """Take what an earlier, failed transaction held; what is newer here wins."""
        self.alarms = {**failed.alarms, **self.alarms}
        self.advanced = {**failed.advanced, **self.advanced}
        self.windows = {**failed.windows, **self.windows}
        self.purged = failed.purged + self.purged
