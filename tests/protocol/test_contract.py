"""The platform contract: AsyncAPI, schemas, examples, and the gateway's own code, held to one another."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import jsonschema
import pytest
import yaml

from edge_daemon import intake
from edge_daemon.ages import Ages
from edge_daemon.clock import Clock
from edge_daemon.heard import Alarm, Heard
from edge_daemon.uplinks import answers, payload
from protocol import codes, kinds, messages
from tests.edge_daemon.wearer import Recorder
from tests.on_micropython import ROOT
from tools.desk import opened

PLATFORM = ROOT / "protocol" / "platform"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in sorted((PLATFORM / "schema").glob("*.json"))}
EXAMPLES = sorted((PLATFORM / "examples").glob("*.json"))
API = yaml.safe_load((PLATFORM / "asyncapi.yaml").read_text())
HANDLE = "1d4f35debd828018"


def validate(name: str, message: object) -> None:
    """Raise jsonschema.ValidationError when a message is not of the contract."""
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(message)


def schema_of(example: str) -> str:
    """The schema of an example, by its file's name: the longest that begins it."""
    return max((name for name in SCHEMAS if example.startswith(name)), key=len)


class NoBoots:
    """A journal that remembers no earlier run of the machine."""

    boots: dict[str, tuple[int, int | None]] = {}  # noqa: RUF012

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        """Not asked for here."""


def an_alarm(**changed: Any) -> Alarm:
    """An SOS as the gateway keeps it, with fields changed."""
    clock = Clock()
    fields: dict[str, Any] = {
        "wearable": HANDLE,
        "number": 12,
        "kind": codes.SOS,
        "detail": codes.HOLD,
        "age_ms": 1200,
        "age_resolution_ms": 100,
        "age_at_least": False,
        "battery_percent": 78,
        "link": "ble",
        "rssi_dbm": -60,
        "boot_id": clock.boot_id,
        "heard_ms": clock.now_ms() - 20,
        "heard_wall_ms": clock.wall_ms() - 20,
        "raw": None,
        "stage": codes.STORED,
    }
    return Alarm(**{**fields, **changed})


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    """And names itself."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"urn:pingan:v1:{name}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(path: Any) -> None:
    """By the schema its name begins with."""
    validate(schema_of(path.stem), json.loads(path.read_text()))


def test_every_schema_has_an_example() -> None:
    """Nobody should have to guess."""
    assert {schema_of(path.stem) for path in EXAMPLES} == set(SCHEMAS)


def _required(schema: Any) -> list[tuple[tuple[str, ...], str]]:
    """Every required field as (path to its object, name)."""
    found: list[tuple[tuple[str, ...], str]] = []

    def walk(part: Any, path: tuple[str, ...]) -> None:
        part = part.get("items", part)
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        found.extend((path, name) for name in part.get("required", []))
        for name, inner in part.get("properties", {}).items():
            walk(inner, (*path, name))

    walk(schema, ())
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_required_field_is_missed(path: Any) -> None:
    """The schemas do refuse: an example without any one of its required fields is invalid."""
    name = schema_of(path.stem)
    for at, field in _required(SCHEMAS[name]):
        message = json.loads(path.read_text())
        part = message
        for step in at:
            part = part[step][0] if isinstance(part[step], list) else part[step]
        del part[field]
        with pytest.raises(jsonschema.ValidationError):
            validate(name, message)


def _refs(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [ref for key, value in part.items() for ref in ([value] if key == "$ref" else _refs(value))]
    return [ref for value in part for ref in _refs(value)] if isinstance(part, list) else []


def _resolve(ref: str) -> Any:
    if ref.startswith("#/"):
        part = API
        for step in ref[2:].split("/"):
            part = part[step]
        return part
    return json.loads((PLATFORM / ref).read_text())


def test_every_reference_leads_somewhere() -> None:
    """Inside the document and to the files beside it."""
    refs = _refs(API)
    assert len(refs) > 50
    for ref in refs:
        assert _resolve(ref), ref


def test_every_schema_and_example_is_in_the_document() -> None:
    """None is left over."""
    refs = set(_refs(API))
    for path in [*(PLATFORM / "schema").glob("*.json"), *EXAMPLES]:
        assert f"./{path.parent.name}/{path.name}" in refs, path.name


def test_every_channel_carries_the_schema_of_its_address() -> None:
    """And both sides have an operation on it, one sends and one receives."""
    for name, channel in API["channels"].items():
        (message,) = channel["messages"].values()
        schema = _resolve(message["$ref"])["payload"]["schema"]["$ref"]
        title = _resolve(schema)["title"]
        assert channel["address"] == f"pingan/v1/{{area}}/{{gateway}}/{title}"
        actions = {
            operation["tags"][0]["name"]: operation["action"]
            for operation in API["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{name}"
        }
        up = title.startswith("up/")
        assert actions == {"gateway": "send" if up else "receive", "platform": "receive" if up else "send"}, name


def test_nothing_is_retained() -> None:
    """A retained life sign outlives what it speaks of."""
    for operation in API["operations"].values():
        assert operation["bindings"]["mqtt"]["retain"] is False
        assert operation["bindings"]["mqtt"]["qos"] == 1


def _events(*alarms: Alarm) -> list[dict[str, Any]]:
    message = json.loads(payload.events("gw-test-1", list(alarms), Ages(NoBoots(), Clock())))
    validate("event", message)
    events: list[dict[str, Any]] = message["events"]
    return events


def test_an_event_of_every_kind_is_of_the_contract() -> None:
    """With every detail it can have; the forwarder's most in one message."""
    for kind in kinds.BY_CODE.values():
        link = "gateway" if kind.code >= kinds.FIRST_OF_GATEWAY else "ble"
        rows = _events(*(an_alarm(kind=kind.code, detail=detail, link=link) for detail in range(16)))
        assert {row["kind"] for row in rows} == {kind.name}
        assert {row["class"] for row in rows} == {kind.event_class}


def test_the_schema_knows_every_kind_and_class_of_the_code() -> None:
    """And no other."""
    fields = SCHEMAS["event"]["$defs"]["one_event"]["properties"]
    assert set(fields["class"]["enum"]) == set(kinds.CLASSES)
    named = fields["kind"].get("enum")
    if named is not None:
        assert set(named) == {kind.name for kind in kinds.BY_CODE.values()} | {kinds.UNKNOWN.name}


def test_odd_events_are_of_the_contract() -> None:
    """Unknown age, age at least, no battery, of before a reboot, unstored, unreadable, of any number."""
    rows = _events(
        an_alarm(age_ms=-1, battery_percent=-1, link="serial", rssi_dbm=None),
        an_alarm(age_ms=32766 * 60000, age_resolution_ms=60000, age_at_least=True),
        an_alarm(boot_id="before"),
        an_alarm(stage=codes.HEARD),
        an_alarm(kind=0x7F, raw=b"\x7f\x00\x00\x0c\x00\x00\xb2"),
        an_alarm(number=0xFFFFFF, raw=b"", kind=0),
        an_alarm(kind=codes.SOS_CANCELLED, detail=1, number=13),
        an_alarm(kind=codes.SOS_CANCELLED, detail=0),
    )
    assert [row["age_quality"] for row in rows[:2]] == ["unknown", "at_least"]
    assert [row["late"] for row in rows[:2]] == [True, True]
    assert [row["stored"] for row in rows[2:4]] == [True, False]
    assert [row["kind"] for row in rows[4:6]] == ["not_understood", "not_understood"]
    assert [row["refers_to"] for row in rows[6:]] == [f"{HANDLE}-00000c", None]


def test_a_cancellation_never_refers_below_the_first_number() -> None:
    """A detail that reaches back too far is a fault of the wearable's; the event is passed on all the same."""
    (row,) = _events(an_alarm(kind=codes.SOS_CANCELLED, detail=15, number=3))
    assert row["refers_to"] is None


def test_what_else_the_gateway_says_is_of_the_contract() -> None:
    """Status, heartbeat, result, stranger, telemetry."""
    heard = Heard(bytes(24), "ble", -70, 0, Recorder())
    beat = messages.Heartbeat(messages.pack_heartbeat(5, 0, 255, 41000, (1, 0, 0), 1, 0, 1))
    link = {"link": "ble", "name": "hci0", "state": "up"}
    path = {"name": "primary", "state": "up", "used": True, "last_answer_age_s": 1, "last_test_age_s": None}
    validate("status", json.loads(payload.status("gw-test-1", "online", "connected")))
    validate("status", json.loads(payload.status("gw-test-1", "offline", "lost")))
    validate("heartbeat", json.loads(payload.heartbeat("gw-test-1", 5, "1.0.0", 0, {"a": 1}, [link], [path])))
    validate("stranger", json.loads(payload.stranger("gw-test-1", bytes(8), heard, 5)))
    row = payload.wearable_heartbeat(HANDLE, beat, heard, 5)
    validate("telemetry", json.loads(payload.telemetry("gw-test-1", [row])))
    wearable = messages.Heartbeat(
        messages.pack_heartbeat(5, 0, 255, 41000, (1, 0, 0), 1, 0, 1)
        + bytes([codes.TLV_ACTIVITY, 5])
        + messages.pack_activity(codes.NOT_WORN, 70_000, 3)
        + bytes([codes.TLV_SETTINGS, 4, 0, 0, 0, 9])
    )
    row = payload.wearable_heartbeat(HANDLE, wearable, heard, 5)
    assert (row["worn"], row["steps"], row["still_minutes"], row["settings"]) == (False, 4464, 3, 9)
    validate("telemetry", json.loads(payload.telemetry("gw-test-1", [row])))
    for outcome in SCHEMAS["result"]["properties"]["result"]["enum"]:
        validate("result", json.loads(payload.result("gw-1", "c-1", outcome, None)))


def test_the_gateway_reads_every_answer_of_the_schema() -> None:
    """Each word, each reason that the description names, with and without the optional fields."""
    row = SCHEMAS["answer"]["properties"]["answers"]["items"]["properties"]
    expected = {
        "accepted": codes.ACCEPTED,
        "answered": codes.ANSWERED,
        "closed": codes.CLOSED,
        "busy": codes.BUSY,
        "refused": codes.REFUSED,
    }
    assert set(row["answer"]["enum"]) == set(expected)
    for word, stage in expected.items():
        message = {"v": 1, "answers": [{"event": f"{HANDLE}-00000c", "answer": word}]}
        validate("answer", message)
        (answer,) = answers.read_answers(json.dumps(message).encode())
        assert (answer.wearable, answer.number, answer.stage) == (HANDLE, 12, stage)
    named = re.search(r"with refused \(([a-z_, ]+);", row["reason"]["description"])
    assert named is not None
    told = []
    for reason in [*named.group(1).split(", "), "something else", None]:
        message = {"v": 1, "answers": [{"event": f"{HANDLE}-00000c", "answer": "refused", "reason": reason}]}
        validate("answer", message)
        told.append(answers.read_answers(json.dumps(message).encode())[0].reason)
    assert told == [1, 2, 3, codes.REASON_OTHER, codes.REASON_OTHER]


def test_the_gateway_reads_every_example_that_goes_down() -> None:
    """As they stand in the folder."""
    found = answers.read_answers((PLATFORM / "examples" / "answer_busy_refused.json").read_bytes())
    assert [(a.stage, a.retry_after_s, a.reason) for a in found] == [(codes.BUSY, 10, 0), (codes.REFUSED, None, 1)]
    assert len(answers.read_strangers((PLATFORM / "examples" / "stranger_answer.json").read_bytes())) == 1
    command = answers.read_command((PLATFORM / "examples" / "command.json").read_bytes())
    assert (command.name, command.wearable, command.seconds, command.expires_s) == ("locate", HANDLE, 10, 3600)


@pytest.mark.parametrize(
    "body", [b"", b"\x01", b"\x01\x00\x00", bytes.fromhex("01000009"), bytes.fromhex("01000009000cb20105")]
)
def test_home_gateway_and_platform_number_an_unreadable_event_alike(body: bytes) -> None:
    """One event, one identity, whoever opened it: bytes 1..3, or F00000 and the low 20 bits of the body's CRC-32."""
    number = int.from_bytes(body[1:4], "big") if len(body) >= 4 else 0xF00000 | zlib.crc32(body) & 0xFFFFF
    assert messages.Event(intake._readable(body)).number == number
    assert messages.Event(opened._readable(body)).number == number
