"""up/heartbeat, up/status and up/telemetry, read. Does no I/O. Raises NotUnderstood for what is out of contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.desk.errors import NotUnderstood
from tools.desk.reading import fields
from tools.desk.reading.message import Message

_COUNTERS_MAX = 200
_LINKS_MAX = 64


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
class WearableBeats:
    """Heartbeats of wearables through one gateway; each has a checked `wearable` and `heard_age_ms`."""

    area: str
    gateway: str
    received_ms: int
    wearables: list[dict[str, Any]]


def read_heartbeat(message: Message) -> GatewayBeat:
    """Read up/heartbeat."""
    said = fields.message_v1(message.payload)
    counters = said.get("counters")
    if not isinstance(counters, dict):
        raise NotUnderstood("counters")
    heartbeat = {
        "uptime_s": fields.whole(said, "uptime_s", 0, fields.COUNT_MAX),
        "version": fields.text(said, "version", 64),
        "waiting": fields.whole(said, "waiting", 0, fields.COUNT_MAX),
        "links": [_link(link) for link in fields.rows(said, "links")[:_LINKS_MAX]],
        "counters": {name[:64]: n for name, n in list(counters.items())[:_COUNTERS_MAX] if type(n) is int},
    }
    return GatewayBeat(message.area, message.gateway, message.received_ms, heartbeat)


def _link(link: dict[str, Any]) -> dict[str, str]:
    return {
        "link": fields.one_of(link, "link", fields.LINKS),
        "name": fields.text(link, "name", 128),
        "state": fields.one_of(link, "state", ("up", "down")),
    }


def read_status(message: Message) -> GatewayStatus:
    """Read up/status."""
    said = fields.message_v1(message.payload)
    state = fields.one_of(said, "state", ("online", "offline"))
    return GatewayStatus(message.area, message.gateway, message.received_ms, state)


def read_telemetry(message: Message) -> WearableBeats:
    """Read up/telemetry."""
    said = fields.message_v1(message.payload)
    rows = [_wearable(row) for row in fields.rows(said, "wearables")]
    return WearableBeats(message.area, message.gateway, message.received_ms, rows)


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
    }
