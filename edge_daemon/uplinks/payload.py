"""What the gateway says to the platform, as JSON (contract: protocol/platform/). Owns the shapes of up messages.

Must not know MQTT. Ages are worked out here, from the clock that is handed in.
"""

from __future__ import annotations

import json
from typing import Any

from edge_daemon.ages import Ages
from edge_daemon.clock import iso
from edge_daemon.heard import Alarm, Heard
from edge_daemon.trails.store import Box
from protocol import codes, kinds
from protocol.messages import Heartbeat

# An event older than this when it leaves is marked late: an operator must not take it for fresh.
LATE_AFTER_MS = 60_000


def _bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def _age(alarm: Alarm, ages: Ages) -> tuple[int | None, int, str]:
    """(age when heard, ms since heard, quality): the worse of what the wearable knew and what we know."""
    heard_age_ms, quality = ages.heard_ago(alarm)
    if alarm.age_ms < 0:
        return None, heard_age_ms, "unknown"
    if alarm.age_at_least:
        quality = "at_least"
    elif quality == "exact" and alarm.age_resolution_ms > 1000:
        quality = "coarse"
    return alarm.age_ms, heard_age_ms, quality


def rssi(dbm: int | None) -> int | None:
    """Bluetooth says 127 where an adapter cannot tell (Core Specification, LE Advertising Report event)."""
    return dbm if dbm is not None and -128 <= dbm <= 20 else None


def _raw(alarm: Alarm) -> str | None:
    """The body that was not understood. A kind that a newer version of us knew and journalled is all there is of it."""
    if alarm.raw is not None:
        return alarm.raw.hex()
    return f"{alarm.kind:02x}" if alarm.meaning is kinds.UNKNOWN else None


def _refers_to(alarm: Alarm) -> str | None:
    """What a cancellation takes back: its detail counts event numbers back. Others stand alone."""
    if alarm.kind != codes.SOS_CANCELLED or alarm.raw is not None or not 0 < alarm.detail <= alarm.number:
        return None
    return f"{alarm.wearable}-{alarm.number - alarm.detail:06x}"


def event(alarm: Alarm, ages: Ages) -> dict[str, Any]:
    """One event of an up/event message."""
    meaning = alarm.meaning
    age_ms, heard_age_ms, quality = _age(alarm, ages)
    heard_wall_ms, vouched_for = ages.heard_at(alarm)
    return {
        "event": alarm.event,
        "source": "gateway" if alarm.of_gateway else "wearable",
        "wearable": None if alarm.of_gateway else alarm.wearable,
        "number": alarm.number,
        "kind": meaning.name,
        "class": meaning.event_class,
        # The words are those of the kind that is told: of what was not understood, the number is all there is.
        "detail": kinds.detail_name(meaning.code, alarm.detail),
        "age_ms": age_ms,
        "age_quality": quality,
        "heard_age_ms": heard_age_ms,
        "heard_at": iso(heard_wall_ms),
        "heard_at_clock": "synced" if vouched_for else "unsynced",
        "late": age_ms is None or age_ms + heard_age_ms > LATE_AFTER_MS,
        "battery_percent": None if alarm.battery_percent < 0 else alarm.battery_percent,
        "link": alarm.link,
        "rssi_dbm": rssi(alarm.rssi_dbm),
        "stored": alarm.stage != codes.HEARD,
        "scaip": {"dty": meaning.dty, "stc": meaning.stc} | ({"lco": meaning.lco} if meaning.lco else {}),
        "contact_id": meaning.contact_id,
        "restore": meaning.restore,
        "test": meaning.test,
        "refers_to": _refers_to(alarm),
        "raw": _raw(alarm),
        "about": alarm.about or None,
        "note": alarm.note or None,
    }


def events(gateway: str, alarms: list[Alarm], ages: Ages) -> bytes:
    """An up/event message."""
    clock = ages.clock
    return _bytes(
        {
            "v": 1,
            "gateway": gateway,
            "sent_at": iso(clock.wall_ms()),
            "clock": "synced" if clock.synced() else "unsynced",
            "events": [event(alarm, ages) for alarm in alarms],
        }
    )


def stranger(gateway: str, rolling_id: bytes, heard: Heard, now_ms: int) -> bytes:
    """An up/stranger message with one frame."""
    frame = {
        "rid": rolling_id.hex(),
        "frame": heard.frame.hex(),
        "link": heard.link,
        "rssi_dbm": rssi(heard.rssi_dbm),
        "heard_age_ms": max(now_ms - heard.at_ms, 0),
    }
    return _bytes({"v": 1, "gateway": gateway, "frames": [frame]})


def wearable_heartbeat(wearable: str, beat: Heartbeat, heard: Heard, now_ms: int) -> dict[str, Any]:
    """One wearable of an up/telemetry message."""
    return {
        "wearable": wearable,
        "heard_age_ms": max(now_ms - heard.at_ms, 0),
        "link": heard.link,
        "rssi_dbm": rssi(heard.rssi_dbm),
        "uptime_s": beat.uptime_s,
        "battery_mv": beat.battery_mv,
        "battery_percent": beat.battery_percent if 0 <= beat.battery_percent <= 100 else None,
        "heap_free_low_bytes": beat.heap_free_low,
        "firmware": beat.firmware,
        "protocol": beat.protocol,
        "reset_cause": beat.reset_cause,
        "open_alarms": beat.open_alarms,
        "flash_failed": beat.flash_failed,
        "parts_out": beat.parts_out,
        "worn": {codes.WORN: True, codes.NOT_WORN: False}.get(beat.worn),
        "steps": beat.steps if beat.steps >= 0 else None,
        "still_minutes": beat.still_minutes if beat.still_minutes >= 0 else None,
        "settings": beat.settings if beat.settings >= 0 else None,
    }


def trails(gateway: str, boxes: list[Box], ages: Ages) -> bytes:
    """An up/trail message. Nothing of a box can be read here."""
    rows = [
        {
            "wearable": box.wearable,
            "number": box.number,
            "sequence": box.sequence,
            "box": box.box.hex(),
            "heard_age_ms": ages.heard_ago(box)[0],
        }
        for box in boxes
    ]
    return _bytes({"v": 1, "gateway": gateway, "trails": rows})


def telemetry(gateway: str, wearables: list[dict[str, Any]]) -> bytes:
    """An up/telemetry message."""
    return _bytes({"v": 1, "gateway": gateway, "wearables": wearables})


def heartbeat(
    gateway: str,
    uptime_s: int,
    version: str,
    waiting: int,
    counters: dict[str, int],
    links: list[dict[str, str]],
    paths: list[dict[str, Any]],
) -> bytes:
    """The gateway's own up/heartbeat. `paths`: the ways out, see path_watch.py."""
    return _bytes(
        {
            "v": 1,
            "gateway": gateway,
            "uptime_s": uptime_s,
            "version": version,
            "waiting": waiting,
            "counters": counters,
            "links": links,
            "paths": paths,
        }
    )


def status(gateway: str, state: str, reason: str) -> bytes:
    """An up/status message; the will is one with state "offline"."""
    return _bytes({"v": 1, "gateway": gateway, "state": state, "reason": reason})


def result(gateway: str, command: str, outcome: str, reason: str | None) -> bytes:
    """An up/result message."""
    return _bytes({"v": 1, "gateway": gateway, "command": command, "result": outcome, "reason": reason})
