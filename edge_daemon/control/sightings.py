"""When each wearable was last heard, how, and what it said of itself. Owns that memory, since our start, and its words.

Must not know who asks. Any genuine frame counts, a revoked wearable's too: where a lost one is, somebody may ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_daemon.admission import Admitted
from edge_daemon.uplinks import payload
from protocol import codes, kinds
from protocol.messages import Event, Heartbeat, Hello, NotUnderstood, Result

_FRAMES = {codes.EVENT: "event", codes.HEARTBEAT: "heartbeat", codes.HELLO: "hello", codes.RESULT: "result"}
# As events and answers name them.
STAGES = {
    codes.HEARD: "heard",
    codes.STORED: "stored",
    codes.ACCEPTED: "accepted",
    codes.ANSWERED: "answered",
    codes.CLOSED: "closed",
    codes.NO_PATH: "no_path",
    codes.BUSY: "busy",
    codes.REFUSED: "refused",
}


@dataclass(slots=True)
class Sighting:
    """The newest of each. `at_ms` by the boot-time clock; `rssi_dbm` of the last advertisement, None by wire."""

    at_ms: int
    link: str
    rssi_dbm: int | None = None
    battery_percent: int | None = None
    battery_mv: int | None = None
    firmware: str | None = None


class Sightings:
    """`heard` is called for each genuine frame, from the event loop."""

    def __init__(self) -> None:
        self._by_handle: dict[str, Sighting] = {}

    def heard(self, admitted: Admitted) -> dict[str, Any]:
        """Note a genuine frame; returns what it says, in words."""
        said, heard = facts(admitted), admitted.heard
        seen = self._by_handle.setdefault(admitted.wearable.handle, Sighting(heard.at_ms, heard.link))
        seen.at_ms, seen.link = heard.at_ms, heard.link
        # What goes on in a visit has no signal; the burst before it had.
        if said["rssi_dbm"] is not None or heard.link != "ble":
            seen.rssi_dbm = said["rssi_dbm"]
        for name in ("battery_percent", "battery_mv", "firmware"):
            if said.get(name) is not None:
                setattr(seen, name, said[name])
        return said

    def of(self, handle: str) -> Sighting | None:
        """What is known of a wearable; None: not heard since our start."""
        return self._by_handle.get(handle)

    def forget(self, handle: str) -> None:
        """A wearable is not ours any more."""
        self._by_handle.pop(handle, None)


def facts(admitted: Admitted) -> dict[str, Any]:
    """A genuine frame in words: who, by which link, and what of its body a person may want to see."""
    said: dict[str, Any] = {
        "wearable": admitted.wearable.handle,
        "revoked": admitted.wearable.revoked,
        "link": admitted.heard.link,
        "rssi_dbm": payload.rssi(admitted.heard.rssi_dbm),
        "counter": admitted.counter,
        "frame": _FRAMES.get(admitted.frame_type, "other"),
    }
    read = _READ.get(admitted.frame_type)
    if read is not None:
        try:
            said |= read(admitted.body)
        except NotUnderstood:
            said["frame"] = "other"
    return said


def _event(body: bytes) -> dict[str, Any]:
    event = Event(body)
    meaning = kinds.ON_AIR.get(event.kind, kinds.UNKNOWN)
    return {
        "number": event.number,
        "kind": meaning.name,
        "class": meaning.event_class,
        "detail": kinds.detail_name(meaning.code, event.detail),
        "age_ms": _known(event.age_ms),
        "battery_percent": _known(event.battery_percent),
        "battery_mv": _known(event.battery_mv),
    }


def _hello(body: bytes) -> dict[str, Any]:
    hello = Hello(body)
    return {
        "number": hello.number if hello.asks_state else None,
        "shows": STAGES.get(hello.stage, "other"),
        "battery_percent": _known(hello.battery_percent),
        "open_alarms": hello.open_alarms,
    }


def _heartbeat(body: bytes) -> dict[str, Any]:
    beat = Heartbeat(body)
    return {
        "battery_percent": beat.battery_percent if 0 <= beat.battery_percent <= 100 else None,
        "battery_mv": beat.battery_mv,
        "firmware": beat.firmware,
        "open_alarms": beat.open_alarms,
    }


def _result(body: bytes) -> dict[str, Any]:
    result = Result(body)
    return {"command": result.id, "status": result.status}


def _known(value: int) -> int | None:
    return None if value < 0 else value


_READ: dict[int, Callable[[bytes], dict[str, Any]]] = {
    codes.EVENT: _event,
    codes.HELLO: _hello,
    codes.HEARTBEAT: _heartbeat,
    codes.RESULT: _result,
}
