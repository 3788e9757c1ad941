"""The boxes of the contract: what its schemas let through, and that its examples open with the vectors' keys."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from edge_daemon.ages import Ages
from edge_daemon.care import mail, plan
from edge_daemon.clock import Clock
from edge_daemon.trails.store import Box
from edge_daemon.uplinks import answers, payload
from protocol import box, settings, trail_code
from protocol.keys import derive
from tests.on_micropython import ROOT
from tests.protocol.test_contract import HANDLE, PLATFORM, NoBoots, validate

_VECTORS = json.loads((ROOT / "tests" / "vectors" / "protocol_v1.json").read_text())
TEST_ONLY_KEYS = derive(bytes.fromhex(_VECTORS["root"]))


def _example(name: str) -> Any:
    return json.loads((PLATFORM / "examples" / f"{name}.json").read_text())


def example_plan() -> dict[str, Any]:
    """The plan in the example's box."""
    sealed = _example("care_plan")["rows"][0]["plan"]["box"]
    opened = box.opened(box.care_key(TEST_ONLY_KEYS.down), box.CARE, bytes.fromhex(sealed))
    assert opened is not None
    plan: dict[str, Any] = json.loads(opened)
    return plan


def test_the_examples_of_care_are_boxes_of_the_vectors() -> None:
    """Each opens with the key that the README says, and its sequence is the version beside it."""
    assert example_plan()["v"] == 1
    for name in ("care", "care_plan"):
        (row,) = _example(name)["rows"]
        sealed = bytes.fromhex(row["settings"]["box"])
        opened = box.opened(TEST_ONLY_KEYS.trail, box.SETTINGS, sealed)
        assert opened is not None
        assert settings.unpack(opened).falls == settings.FALLS_NORMAL
        for part in (row["plan"], row["settings"]):
            assert part is None or box.sequence(bytes.fromhex(part["box"])) == part["version"]


def test_the_example_of_a_trail_is_a_box_of_the_vectors() -> None:
    """And TAKEN names it."""
    (row,) = _example("trail")["trails"]
    sealed = bytes.fromhex(row["box"])
    opened = box.opened(TEST_ONLY_KEYS.trail, box.TRAIL, sealed)
    assert opened is not None
    assert [position.sos for position in trail_code.unpack(opened)] == [True, True]
    assert _example("trail_taken")["taken"] == [{"wearable": HANDLE, "sequence": box.sequence(sealed)}]


def _trail(**over: Any) -> dict[str, Any]:
    row = {"wearable": HANDLE, "number": 0, "sequence": 1, "box": "01" + "00" * 20, "heard_age_ms": 0, **over}
    return {"v": 1, "gateway": "gw-1", "trails": [row]}


@pytest.mark.parametrize(
    "over",
    [
        {"box": "02" + "00" * 20},
        {"box": "01" + "00" * 19},
        {"box": "01" + "00" * 236},
        {"box": "01" + "AA" * 20},
        {"sequence": 1 << 32},
        {"sequence": -1},
        {"number": 1 << 24},
        {"wearable": "x" * 16},
    ],
)
def test_a_trail_out_of_bounds_is_refused(over: dict[str, Any]) -> None:
    """Another purpose, too short, too long, capitals, numbers that no box has."""
    validate("trail", _trail())
    validate("trail", _trail(box="01" + "00" * 235))
    with pytest.raises(jsonschema.ValidationError):
        validate("trail", _trail(**over))


def test_a_care_box_is_of_its_own_purpose_and_has_a_version() -> None:
    """A plan in the place of settings would be handed to a wearable."""
    plan, wearables = {"version": 1, "box": "03" + "00" * 40}, {"version": 1, "box": "02" + "00" * 40}

    def message(plan: Any, settings: Any) -> dict[str, Any]:
        return {"v": 1, "rows": [{"wearable": HANDLE, "plan": plan, "settings": settings}]}

    validate("care", message(plan, wearables))
    validate("care", message(None, wearables))
    for wrong in (message(wearables, None), message(None, plan), message({"box": plan["box"]}, None)):
        with pytest.raises(jsonschema.ValidationError):
            validate("care", wrong)


@pytest.mark.parametrize(
    ("name", "seconds", "well"), [("look", 3600, True), ("look", 3601, False), ("locate", 61, False)]
)
def test_a_look_may_last_an_hour_and_a_locate_a_minute(name: str, seconds: int, well: bool) -> None:
    """The bound depends on the command."""
    message = {"v": 1, "command": "c-1", "name": name, "wearable": HANDLE, "args": {"seconds": seconds}}
    if well:
        validate("command", message)
        return
    with pytest.raises(jsonschema.ValidationError):
        validate("command", message)


def test_the_gateway_reads_and_says_what_the_contract_has() -> None:
    """Its trails and its word on care are of the schemas; it reads every example that goes down."""
    box_of = Box(HANDLE, 7, 12, b"\x01" + bytes(20), Clock().boot_id, 0)
    validate("trail", json.loads(payload.trails("gw-test-1", [box_of], Ages(NoBoots(), Clock()))))
    assert answers.read_taken((PLATFORM / "examples" / "trail_taken.json").read_bytes()) == [(HANDLE, 7)]
    for name in ("care", "care_plan"):
        (row,) = mail.read((PLATFORM / "examples" / f"{name}.json").read_bytes())
        assert row.understood
        assert row.settings is not None
        assert (row.plan is not None) == (name == "care_plan")
    reasons = (None, mail.NOT_GENUINE, mail.NOT_UNDERSTOOD, mail.UNKNOWN_WEARABLE, mail.TOO_OLD)
    (said,) = mail.written("gw-test-1", [mail.Reply(HANDLE, 7, None, reason) for reason in reasons])
    validate("care_state", json.loads(said))
    command = answers.read_command((PLATFORM / "examples" / "command_look.json").read_bytes())
    assert (command.name, command.wearable, command.seconds) == ("look", HANDLE, 600)


def test_the_example_of_a_plan_is_one_to_a_gateway() -> None:
    """As its own reader has it, which also knows every field that the README explains."""
    sealed = _example("care_plan")["rows"][0]["plan"]["box"]
    content = box.opened(box.care_key(TEST_ONLY_KEYS.down), box.CARE, bytes.fromhex(sealed))
    assert content is not None
    read = plan.read(content)
    assert (read.beneficiary, read.centre, [each.id for each in read.checkins]) == ("older", "jianghai", ["morning"])
