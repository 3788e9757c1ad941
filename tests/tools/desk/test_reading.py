"""Any bytes in, checked records or faults out: what the reader takes is what the schema takes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from jsonschema import ValidationError

from protocol import kinds
from tests.edge_daemon.schemas import check
from tests.tools.desk.gateway import event, up_event
from tools.desk.errors import NotUnderstood
from tools.desk.reading.care import read_states
from tools.desk.reading.events import Events, read_events
from tools.desk.reading.health import read_heartbeat, read_status, read_telemetry
from tools.desk.reading.message import Message, topic
from tools.desk.reading.results import read_result
from tools.desk.reading.sealed import read_strangers
from tools.desk.reading.trails import read_trails

HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 1e400, 10**30, "", "x", "0" * 17, "\u0000", "\ud800", "<b>", "１２３４",
    "0010\n", [], {}, [[]], {"dty": "0003"}, "unknown", "emergency", "x" * 5000,
]  # fmt: skip


def _message(payload: bytes, kind: str = "event") -> Message:
    return Message("jianghai", "gw-1", kind, f"pingan/v1/jianghai/gw-1/up/{kind}", payload, 1_795_000_000_000)


def _events(said: Any) -> Events:
    return read_events(_message(json.dumps(said).encode()), clock_is_good=True)


@pytest.mark.parametrize("field", sorted(event()))
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_a_field_with_any_value_is_taken_exactly_when_the_schema_takes_it(field: str, value: Any) -> None:
    said = up_event("gw-1", {**event(), field: value})
    read = _events(said)
    if field == "event" and read.reports == []:
        assert read.faults[0].why == "event without identity"
        return
    (report,) = read.reports
    understood = report.kind != "not_understood"
    try:
        check("event", json.loads(json.dumps(said)))
    except ValidationError:
        # "1" where 1 is meant and the like: never believed. A long or unprintable text is ours to refuse besides.
        assert not understood
        assert read.faults
    else:
        consistent = said["events"][0]["event"] == event()["event"] and field not in ("wearable", "number")
        printable = not isinstance(value, str) or (value.isprintable() and len(value) <= 64)
        small = not isinstance(value, int) or value < 10**12
        assert (understood == (consistent and printable and small)) or value == event()[field]
    assert report.event == event()["event"]


@pytest.mark.parametrize("field", sorted(event()))
def test_a_missing_field_is_raised_as_not_understood_unless_it_could_be_null(field: str) -> None:
    """A gateway that forgets a null is no reason to hide from an operator that it is an SOS."""
    broken = {name: value for name, value in event().items() if name != field}
    read = _events(up_event("gw-1", broken))
    if field == "event":
        assert read.reports == []
        return
    (report,) = read.reports
    optional = field in ("stored", "battery_percent", "rssi_dbm", "contact_id", "refers_to", "raw", "about", "note")
    assert (report.kind == "not_understood") == (not optional)
    if optional:
        assert report.stored
    else:
        assert (report.event_class, report.is_late, report.test) == ("emergency", True, False)
        assert json.loads(report.raw or "") == broken


def test_every_kind_and_class_of_the_protocol_is_read_and_a_new_kind_goes_by_its_class() -> None:
    for kind in kinds.BY_CODE.values():
        (report,) = _events(up_event("gw-1", event(kind=kind.name, class_=kind.event_class))).reports
        assert (report.kind, report.urgency) == (kind.name, kind.urgency)
    read = _events(up_event("gw-1", event(kind="drone_seen", class_="security")))
    assert read.reports[0].kind == "drone_seen"
    assert read.faults == []


def test_unknown_fields_are_ignored() -> None:
    said = up_event("gw-1", event(colour="red"), more={"x": 1})
    read = _events(said)
    assert read.faults == []
    assert read.reports[0].kind == "sos"


def test_the_topic_holds_where_the_payload_names_another_gateway() -> None:
    read = _events(up_event("gw-2", event()))
    assert read.reports[0].gateway == "gw-1"
    assert [fault.why for fault in read.faults] == ["gateway is not the topic's"]


def test_no_event_of_another_version_is_believed() -> None:
    for version in (0, 2, "1", True, 1.0, None):
        read = _events({**up_event("gw-1", event()), "v": version})
        assert read.reports == []
        assert [fault.why for fault in read.faults] == ["version"]


def test_noise_and_mutations_never_raise() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    noise = random.Random(seed)
    whole = json.dumps(up_event("gw-1", event(), event(13))).encode()
    for _ in range(2000):
        payload = bytearray(whole)
        for _ in range(noise.randrange(1, 6)):
            payload[noise.randrange(len(payload))] = noise.randrange(256)
        read = read_events(_message(bytes(payload)), clock_is_good=True)
        assert read.reports or read.faults
        for report in read.reports:
            json.dumps(report.raw).encode()
        for reader in (
            read_heartbeat,
            read_status,
            read_telemetry,
            read_strangers,
            read_result,
            read_trails,
            read_states,
        ):
            with pytest.raises(NotUnderstood):
                reader(_message(bytes(payload)))


def test_only_up_topics_of_the_contract_are_topics() -> None:
    assert topic("pingan/v1/jianghai/gw-1/up/event") == ("jianghai", "gw-1", "event")
    for foreign in (
        "pingan/v1/jianghai/gw-1/down/answer", "pingan/v2/a/b/up/event", "pingan/v1/a/b/up/event/x",
        "pingan/v1/A/b/up/event",
        "pingan/v1/a//up/event", "pingan/v1/" + "a" * 65 + "/b/up/event", "x/pingan/v1/a/b/up/event",
    ):  # fmt: skip
        assert topic(foreign) is None


def test_only_a_cancel_refers_to_another_event_and_only_to_its_own_wearers() -> None:
    mine, others = event(11)["event"], event(11, wearable="0" * 16)["event"]
    (sos,) = _events(up_event("gw-1", event(refers_to=mine))).reports
    assert (sos.kind, sos.refers_to) == ("sos", None)
    (cancel,) = _events(up_event("gw-1", event(kind="sos_cancelled", refers_to=mine))).reports
    assert (cancel.kind, cancel.refers_to) == ("sos_cancelled", mine)
    (foreign,) = _events(up_event("gw-1", event(kind="sos_cancelled", refers_to=others))).reports
    assert (foreign.kind, foreign.refers_to, foreign.event_class) == ("not_understood", None, "emergency")
