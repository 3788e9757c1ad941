"""An Alarm as a row and back. Owns the column order; nothing else."""

from __future__ import annotations

from typing import Any

from edge_daemon.heard import Alarm

COLUMNS = (
    "wearable, number, kind, detail, age_ms, age_resolution_ms, age_at_least, battery_percent, link, rssi_dbm, boot_id,"
    " heard_ms, heard_wall_ms, raw, about, note, stage, reason"
)
# Only the identity may meet itself. OR IGNORE would also pass over a row the tables refuse, and STORED would be a lie.
INSERT = (
    f"INSERT INTO events ({COLUMNS}, urgency) VALUES ({', '.join('?' * 19)}) ON CONFLICT (wearable, number) DO NOTHING"
)
DELETE = "DELETE FROM events WHERE wearable = ? AND number = ?"
ADVANCE = "UPDATE events SET stage = ?, reason = ? WHERE wearable = ? AND number = ?"
WINDOW = (
    "INSERT INTO windows (wearable, counter) VALUES (?, ?)"
    " ON CONFLICT (wearable) DO UPDATE SET counter = max(counter, excluded.counter)"
)
SILENCE = (
    "INSERT INTO silences (wearable, silent_ms) VALUES (?, ?)"
    " ON CONFLICT (wearable) DO UPDATE SET silent_ms = excluded.silent_ms"
)
ALL_SILENCES = "SELECT wearable, silent_ms FROM silences"
ALL_CONDITIONS = "SELECT kind, about FROM conditions"
ALL_BOOTS = "SELECT boot_id, lasted_ms, offset_ms FROM boots ORDER BY id"
CONDITION = "INSERT INTO conditions (kind, about) VALUES (?, ?) ON CONFLICT DO NOTHING"
NO_CONDITION = "DELETE FROM conditions WHERE kind = ? AND about = ?"
BOOT = (
    "INSERT INTO boots (boot_id, lasted_ms, offset_ms) VALUES (?, ?, ?)"
    " ON CONFLICT (boot_id) DO UPDATE SET lasted_ms = excluded.lasted_ms, offset_ms = excluded.offset_ms"
)
OLD_BOOTS = "DELETE FROM boots WHERE id <= (SELECT max(id) FROM boots) - ?"


def to_row(alarm: Alarm, stage: int) -> tuple[object, ...]:
    """The values of INSERT, with the stage the row is to have."""
    return (
        alarm.wearable,
        alarm.number,
        alarm.kind,
        alarm.detail,
        alarm.age_ms,
        alarm.age_resolution_ms,
        int(alarm.age_at_least),
        alarm.battery_percent,
        alarm.link,
        alarm.rssi_dbm,
        alarm.boot_id,
        alarm.heard_ms,
        alarm.heard_wall_ms,
        alarm.raw,
        alarm.about,
        alarm.note,
        stage,
        alarm.reason,
        alarm.meaning.urgency,
    )


def from_row(row: Any) -> Alarm:
    """An Alarm from a row of COLUMNS."""
    values = list(row)
    values[6] = bool(values[6])
    return Alarm(*values)
