"""A stranger's opened frame as the report that its home gateway would have made of it. Pure; owns that translation."""

from __future__ import annotations

from binascii import crc32
from typing import Any

from protocol import codes, kinds
from protocol.messages import Event, Heartbeat, NotUnderstood
from tools.desk.reading.sealed import SealedFrame
from tools.desk.report import Report

# A genuine event whose number cannot be read gets the identity that a gateway would give it.
_UNNUMBERED = 0xF00000


def report(handle: str, body: bytes, sealed: SealedFrame) -> Report:
    """The report of an EVENT body. What cannot be read is an emergency that carries the body raw."""
    raw: str | None = None
    try:
        event = Event(body)
        raw = None if event.kind in kinds.ON_AIR else body.hex()
    except NotUnderstood:
        event, raw = Event(_readable(body)), body.hex()
    meaning = kinds.kind_of(event.kind) if raw is None else kinds.UNKNOWN
    age_ms, quality = _age(event)
    refers_to = None
    if event.kind == codes.SOS_CANCELLED and event.detail and raw is None and event.number >= event.detail:
        refers_to = f"{handle}-{event.number - event.detail:06x}"
    return Report(
        event=f"{handle}-{event.number:06x}",
        wearable=handle,
        number=event.number,
        kind=meaning.name,
        event_class=meaning.event_class,
        detail=kinds.detail_name(event.kind, event.detail),
        age_ms=age_ms,
        age_quality=quality,
        heard_age_ms=sealed.heard_age_ms,
        late=age_ms is None,
        battery_percent=None if event.battery_percent < 0 else event.battery_percent,
        link=sealed.link,
        rssi_dbm=sealed.rssi_dbm,
        stored=False,
        dty=meaning.dty,
        stc=meaning.stc,
        lco=meaning.lco or None,
        contact_id=meaning.contact_id,
        restore=meaning.restore,
        test=meaning.test,
        refers_to=refers_to,
        raw=raw,
        area=sealed.area,
        gateway=sealed.gateway,
        received_ms=sealed.received_ms,
        sealed=True,
    )


def _age(event: Event) -> tuple[int | None, str]:
    if event.age_ms < 0:
        return None, "unknown"
    if event.age_at_least:
        return event.age_ms, "at_least"
    return event.age_ms, "coarse" if event.age_resolution_ms > 1000 else "exact"


def _readable(body: bytes) -> bytes:
    """Seven bytes that can be read, from a body that cannot: the same rule as at a home gateway."""
    if len(body) >= 4:
        return body[:7] + b"\xff\xff\xf0"[len(body) - 4 :]
    return bytes([0]) + (_UNNUMBERED | crc32(body) & 0xFFFFF).to_bytes(3, "big") + b"\xff\xff\xf0"


def heartbeat(handle: str, body: bytes, sealed: SealedFrame) -> dict[str, Any]:
    """The telemetry row of a HEARTBEAT body. Raises protocol.messages.NotUnderstood."""
    beat = Heartbeat(body)
    return {
        "wearable": handle,
        "heard_age_ms": sealed.heard_age_ms,
        "link": sealed.link,
        "rssi_dbm": sealed.rssi_dbm,
        "uptime_s": beat.uptime_s,
        "battery_mv": beat.battery_mv,
        "battery_percent": None if beat.battery_percent < 0 else beat.battery_percent,
        "heap_free_low_bytes": beat.heap_free_low,
        "firmware": beat.firmware,
        "protocol": beat.protocol,
        "reset_cause": beat.reset_cause,
        "open_alarms": beat.open_alarms,
        "flash_failed": beat.flash_failed,
        "parts_out": beat.parts_out,
        "worn": {codes.WORN: True, codes.NOT_WORN: False}.get(beat.worn),
        "steps": None if beat.steps < 0 else beat.steps,
        "still_minutes": None if beat.still_minutes < 0 else beat.still_minutes,
        "settings": None if beat.settings < 0 else beat.settings,
    }
