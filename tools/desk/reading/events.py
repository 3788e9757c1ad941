"""up/event, read: reports and faults out of any bytes. Does no I/O and believes nothing unchecked.

Owns the rule for what is out of contract. An event whose identity can be read is never thrown away: whatever else of
it is wrong, it becomes an emergency of kind not_understood that carries its text, for it may be an SOS. Of another
version of the contract nothing is believed and nothing answered: its gateway goes on and says NO_PATH, a person sees
the fault, and the alarm comes through when the versions agree again. `refused` would end it for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from protocol import codes, kinds
from tools.desk.errors import NotUnderstood
from tools.desk.reading import envelope, fields
from tools.desk.reading.message import Fault, Message
from tools.desk.report import QUALITIES, Report

EVENTS_MAX = 50
SOURCES = ("wearable", "gateway")
_CANCEL = kinds.BY_CODE[codes.SOS_CANCELLED].name
_RAW_MAX = 4096
# A hostile message has a hundred thousand rows that are none; so many are told of.
_FAULTS_MAX = 50


@dataclass(slots=True)
class Events:
    """An up/event message, read."""

    message: Message
    reports: list[Report] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, why: str, row: str) -> None:
        """Note what is wrong with a row, up to a bound."""
        if len(self.faults) < _FAULTS_MAX:
            self.faults.append(self.message.fault(why, row.encode()))

    @property
    def urgent(self) -> bool:
        """Whether an emergency is in it: it overtakes the rest."""
        return any(report.urgency == 0 for report in self.reports)

    @property
    def fresh(self) -> bool:
        """Whether an emergency is in it that is not late: it overtakes old ones, too."""
        return any(report.urgency == 0 and not report.is_late for report in self.reports)


def read_events(message: Message, *, clock_is_good: bool) -> Events:
    """Read up/event. `clock_is_good`: this machine's wall clock is synchronised. Raises nothing: faults are in it."""
    read = Events(message)
    try:
        said = fields.message(message.payload)
        rows = fields.array(said, "events")
    except NotUnderstood as error:
        read.faults.append(message.fault(str(error)))
        return read
    if not fields.is_version_1(said):
        read.faults.append(message.fault("version"))
        return read
    if len(rows) > EVENTS_MAX:
        read.faults.append(message.fault("too many events"))
    read.faults += envelope.who_is_who(message, said)
    waited_ms = _waited_ms(said, message.received_ms) if clock_is_good else 0
    for row in rows:
        _read_event(read, row, waited_ms)
    return read


def _identity(row: object) -> str | None:
    event = row.get("event") if isinstance(row, dict) else None
    return event if isinstance(event, str) and fields.EVENT.fullmatch(event) else None


def _read_event(read: Events, row: object, waited_ms: int) -> None:
    event = _identity(row)
    text = json.dumps(row)
    if event is None or not isinstance(row, dict):
        read.fault("event without identity", text)
        return
    try:
        read.reports.append(_report(read.message, event, row, waited_ms))
    except NotUnderstood as error:
        read.fault(f"event: {error}", text)
        read.reports.append(_unreadable(read.message, event, text))


def _waited_ms(said: dict[str, Any], received_ms: int) -> int:
    """How long the message was under way, by two synchronised wall clocks."""
    sent_at = said.get("sent_at")
    if said.get("clock") != "synced" or not isinstance(sent_at, str):
        return 0
    try:
        sent_ms = int(datetime.fromisoformat(sent_at).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
    return min(max(received_ms - sent_ms, 0), fields.AGE_MAX_MS)


def _report(message: Message, event: str, row: dict[str, Any], waited_ms: int) -> Report:
    """One event, every field checked. Raises NotUnderstood with the name of the first that is out of contract."""
    number = fields.whole(row, "number", 0, 0xFFFFFF)
    source = fields.one_of(row, "source", SOURCES)
    if row.get("wearable") != (event[:16] if source == "wearable" else None) or number != int(event[17:], 16):
        raise NotUnderstood("identity")
    quality = fields.one_of(row, "age_quality", QUALITIES)
    age_ms = fields.whole_or_null(row, "age_ms", 0, fields.AGE_MAX_MS)
    if (age_ms is None) != (quality == "unknown"):
        raise NotUnderstood("age_ms")
    scaip = row.get("scaip")
    if not isinstance(scaip, dict):
        raise NotUnderstood("scaip")
    # The ages say more, and are right whatever a clock says: these are for people who read messages.
    fields.match(row, "heard_at", fields.TIME)
    fields.one_of(row, "heard_at_clock", ("synced", "unsynced"))
    return Report(
        event=event,
        wearable=event[:16],
        number=number,
        kind=str(fields.match(row, "kind", fields.KIND)),
        event_class=fields.one_of(row, "class", kinds.CLASSES),
        detail=fields.text(row, "detail", 64),
        age_ms=age_ms,
        age_quality=quality,
        heard_age_ms=fields.whole(row, "heard_age_ms", 0, fields.AGE_MAX_MS),
        late=fields.flag(row, "late"),
        battery_percent=fields.whole_or_null(row, "battery_percent", 0, 100),
        link=fields.one_of(row, "link", fields.LINKS if source == "wearable" else ("gateway",)),
        rssi_dbm=fields.whole_or_null(row, "rssi_dbm", -128, 20),
        stored=fields.flag(row, "stored", default=True),
        dty=str(fields.match(scaip, "dty", fields.CODE4)),
        stc=str(fields.match(scaip, "stc", fields.CODE4)),
        lco=fields.match(scaip, "lco", fields.CODE3, null=True),
        contact_id=fields.match(row, "contact_id", fields.CODE3, null=True),
        restore=fields.flag(row, "restore"),
        test=fields.flag(row, "test"),
        refers_to=_refers_to(row, event),
        raw=fields.match(row, "raw", fields.HEX, null=True),
        area=message.area,
        gateway=message.gateway,
        received_ms=message.received_ms,
        source=source,
        about=_about(row, source),
        remark=fields.match(row, "note", fields.PLAIN, null=True),
        waited_ms=waited_ms,
    )


def _about(row: dict[str, Any], source: str) -> str | None:
    """A wearable's event is about itself."""
    if source == "wearable" and row.get("about") is not None:
        raise NotUnderstood("about")
    return fields.match(row, "about", fields.ABOUT, null=True)


def _refers_to(row: dict[str, Any], event: str) -> str | None:
    """What a cancel takes back: an event of the same wearable, never another's.

    Any other kind stands for itself, whatever it refers to: nothing but its wearer's cancel may be shown on an alarm
    instead of beside it, and be closed with it.
    """
    refers_to = fields.match(row, "refers_to", fields.EVENT, null=True)
    if row.get("kind") != _CANCEL:
        return None
    if refers_to is not None and refers_to[:16] != event[:16]:
        raise NotUnderstood("refers_to")
    return refers_to


def _unreadable(message: Message, event: str, text: str) -> Report:
    """An event of which only the identity is sure: it may be an SOS, so it is shown as one."""
    unknown = kinds.UNKNOWN
    return Report(
        event=event,
        wearable=event[:16],
        number=int(event[17:], 16),
        kind=unknown.name,
        event_class=unknown.event_class,
        detail="",
        age_ms=None,
        age_quality="unknown",
        heard_age_ms=0,
        late=True,
        battery_percent=None,
        link="unknown",
        rssi_dbm=None,
        stored=True,
        dty=unknown.dty,
        stc=unknown.stc,
        lco=None,
        contact_id=None,
        restore=False,
        test=False,
        refers_to=None,
        raw=text[:_RAW_MAX],
        area=message.area,
        gateway=message.gateway,
        received_ms=message.received_ms,
    )
