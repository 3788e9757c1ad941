"""up/heartbeat, up/status and up/telemetry, read. Does no I/O.

Each reader returns what was said and what is wrong about the rest; it raises NotUnderstood for what is out of contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.desk.errors import NotUnderstood
from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message

_COUNTERS_MAX = 200
_LINKS_MAX = 64
_PATHS_MAX = 8
_PARTS_MAX = 16
# The contract's expiry of these messages, section 2.
_HEARTBEAT_EXPIRY_S = 180
_TELEMETRY_EXPIRY_S = 3600


@dataclass(frozen=True, slots=True)
class GatewayBeat:
    """A gateway's heartbeat."""

    area: str
    gateway: str
    received_ms: int
    heartbeat: dict[str, Any]


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """A gateway came (online) or went (offline)."""

    area: str
    gateway: str
    received_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A wearable was heard: `heard_ms` by the wall clock, at the latest. `heartbeat`: what it said of its health."""

    wearable: str
    area: str
    gateway: str
    heard_ms: int
    heartbeat: dict[str, Any] | None = None
    # When it said so, where that was earlier than the sign itself.
    beat_ms: int | None = None


def read_heartbeat(message: Message) -> tuple[GatewayBeat, list[Fault]]:
    """Read up/heartbeat."""
    said, faults = envelope.opened(message)
    links, left_out = envelope.rows(message, said, "links", _link)
    # A gateway with one way out may say nothing of it.
    paths, unread = envelope.rows(message, said, "paths", _path) if "paths" in said else ([], [])
    counters = said.get("counters")
    if not isinstance(counters, dict):
        raise NotUnderstood("counters")
    heartbeat = {
        "uptime_s": fields.whole(said, "uptime_s", 0, fields.COUNT_MAX),
        "version": fields.text(said, "version", 64),
        "waiting": fields.whole(said, "waiting", 0, fields.COUNT_MAX),
        "links": links[:_LINKS_MAX],
        "paths": paths[:_PATHS_MAX],
        "counters": {name[:64]: n for name, n in list(counters.items())[:_COUNTERS_MAX] if type(n) is int},
    }
    sent_ms = message.sent_ms(_HEARTBEAT_EXPIRY_S)
    return GatewayBeat(message.area, message.gateway, sent_ms, heartbeat), faults + left_out + unread


def _path(path: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": fields.one_of(path, "name", ("primary", "backup", "sms")),
        "state": fields.one_of(path, "state", ("up", "mute", "down")),
        "used": fields.flag(path, "used"),
        "last_answer_age_s": fields.whole_or_null(path, "last_answer_age_s", 0, fields.COUNT_MAX),
        "last_test_age_s": fields.whole_or_null(path, "last_test_age_s", 0, fields.COUNT_MAX),
    }


def _link(link: dict[str, Any]) -> dict[str, str]:
    return {
        "link": fields.one_of(link, "link", fields.LINKS),
        "name": fields.text(link, "name", 128),
        "state": fields.one_of(link, "state", ("up", "quiet", "deaf", "down")),
    }


def read_status(message: Message) -> tuple[GatewayStatus, list[Fault]]:
    """Read up/status."""
    said, faults = envelope.opened(message)
    state = fields.one_of(said, "state", ("online", "offline"))
    return GatewayStatus(message.area, message.gateway, message.received_ms, state), faults


def read_telemetry(message: Message) -> tuple[list[Sign], list[Fault]]:
    """Read up/telemetry. Rows may be of any age and in any order, and several of one wearable."""
    said, faults = envelope.opened(message)
    rows, left_out = envelope.rows(message, said, "wearables", _wearable)
    sent_ms, area, gateway = message.sent_ms(_TELEMETRY_EXPIRY_S), message.area, message.gateway
    signs = [Sign(row["wearable"], area, gateway, sent_ms - row["heard_age_ms"], row) for row in rows]
    return signs, faults + left_out


def _wearable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "wearable": fields.match(row, "wearable", fields.HANDLE),
        "heard_age_ms": fields.whole(row, "heard_age_ms", 0, fields.AGE_MAX_MS),
        "link": fields.one_of(row, "link", fields.LINKS),
        "rssi_dbm": fields.whole_or_null(row, "rssi_dbm", -128, 20),
        "uptime_s": fields.whole(row, "uptime_s", 0, fields.COUNT_MAX),
        "battery_mv": fields.whole(row, "battery_mv", 0, 65535),
        "battery_percent": fields.whole_or_null(row, "battery_percent", 0, 100),
        "heap_free_low_bytes": fields.whole(row, "heap_free_low_bytes", 0, fields.COUNT_MAX),
        "firmware": fields.text(row, "firmware", 64),
        "protocol": fields.whole(row, "protocol", 0, 255),
        "reset_cause": fields.whole(row, "reset_cause", 0, 255),
        "open_alarms": fields.whole(row, "open_alarms", 0, 255),
        "flash_failed": fields.flag(row, "flash_failed"),
        "parts_out": fields.names(row, "parts_out", _PARTS_MAX),
        "worn": None if row.get("worn") is None else fields.flag(row, "worn"),
        "steps": fields.whole_or_null(row, "steps", 0, 0xFFFF),
        "still_minutes": fields.whole_or_null(row, "still_minutes", 0, 0xFFFF),
        "settings": fields.whole_or_null(row, "settings", 0, 0xFFFFFFFF),
    }
