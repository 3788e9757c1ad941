"""A care plan is read whole or refused with the place that is wrong; no bytes do harm."""

from __future__ import annotations

import copy
import json
import os
import random
from datetime import UTC, datetime, time
from typing import Any

import pytest

from edge_daemon.care import plan as plans
from edge_daemon.care.plan import PlanNotUnderstood, read

PLAN: dict[str, Any] = {
    "v": 1,
    "beneficiary": "older",
    "centre": "xihu-2",
    "timezone": "Asia/Shanghai",
    "away": {"from": "2026-12-01T00:00", "until": "2026-12-03T18:30"},
    "checkins": [
        {
            "id": "morning",
            "kind": "checkin",
            "at": "08:00",
            "days": [1, 2, 7],
            "answer_within_s": 600,
            "again": 2,
            "text": 0,
        },
        {"id": "pills", "kind": "medicine", "at": "23:59", "days": [3], "answer_within_s": 60, "again": 0, "text": 255},
    ],
    "inactivity": {"after_min": 720, "quiet": ["22:00", "07:00"]},
    "presence": {"away_after_min": 35, "tell": True},
    "retention_days": 30,
}


def written(**changed: Any) -> bytes:
    return json.dumps({**PLAN, **changed}).encode()


def with_checkin(**changed: Any) -> dict[str, Any]:
    return {"checkins": [{**PLAN["checkins"][0], **changed}]}


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = read(written(more="passed over"))
    assert (plan.beneficiary, plan.centre, plan.retention_days) == ("older", "xihu-2", 30)
    assert [(c.id, c.kind, c.at, c.days, c.answer_within_s, c.again, c.text) for c in plan.checkins] == [
        ("morning", "checkin", time(8), (1, 2, 7), 600, 2, 0),
        ("pills", "medicine", time(23, 59), (3,), 60, 0, 255),
    ]
    assert plan.inactivity is not None
    assert (plan.inactivity.after_min, plan.inactivity.quiet) == (720, (time(22), time(7)))
    assert plan.presence is not None
    assert (plan.presence.away_after_min, plan.presence.tell) == (35, True)
    assert plan.zone.key == "Asia/Shanghai"
    bare = read(written(away=None, checkins=[], inactivity=None, presence=None))
    assert (bare.away, bare.checkins, bare.inactivity, bare.presence) == (None, (), None, None)


def test_away_and_quiet_hours_have_their_edges() -> None:
    plan = read(written())
    days = [(1, 0, 0), (3, 18, 29), (3, 18, 30)]
    assert [plan.is_away(datetime(2026, 12, d, h, m, tzinfo=plan.zone)) for d, h, m in days] == [True, True, False]
    at = [datetime(2026, 1, 1, *clock, tzinfo=UTC) for clock in ((21, 59), (22, 0), (3, 0), (6, 59), (7, 0))]
    assert [plan.is_quiet(moment) for moment in at] == [False, True, True, True, False]
    noon = read(written(inactivity={"after_min": 60, "quiet": ["12:00", "13:00"]}))
    assert [noon.is_quiet(datetime(2026, 1, 1, h, tzinfo=UTC)) for h in (11, 12, 13)] == [False, True, False]
    assert not read(written(inactivity=None)).is_quiet(at[2])


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("v", {"v": 2}),
    ("v", {"v": True}),
    ("beneficiary", {"beneficiary": "cat"}),
    ("beneficiary", {"beneficiary": ["older"]}),
    ("centre", {"centre": ""}),
    ("centre", {"centre": "Xihu"}),
    ("centre", {"centre": "x" * 65}),
    ("timezone", {"timezone": "Mars/Olympus"}),
    ("timezone", {"timezone": "../../etc/passwd"}),
    ("timezone", {"timezone": "Asia"}),
    ("timezone", {"timezone": "\x00"}),
    ("away", {"away": "2026"}),
    ("away.from", {"away": {"until": "2026-12-01T00:00"}}),
    ("away.until", {"away": {"from": "2026-12-01T00:00", "until": "2026-12-01T00:00"}}),
    ("away.until", {"away": {"from": "2026-12-01T00:00", "until": "2026-02-30T00:00"}}),
    ("away.from", {"away": {"from": "2026-12-01T00:00Z", "until": "2026-12-02T00:00"}}),
    ("checkins", {"checkins": None}),
    ("checkins", {"checkins": [PLAN["checkins"][0]] * 33}),
    ("checkins[1].id", {"checkins": [PLAN["checkins"][0]] * 2}),
    ("checkins[0]", {"checkins": [7]}),
    ("checkins[0].id", with_checkin(id="Morning")),
    ("checkins[0].kind", with_checkin(kind="look")),
    ("checkins[0].at", with_checkin(at="24:00")),
    ("checkins[0].at", with_checkin(at="8:00")),
    ("checkins[0].at", with_checkin(at="\u0660\u0668:00")),
    ("checkins[0].days", with_checkin(days=[])),
    ("checkins[0].days", with_checkin(days=[0])),
    ("checkins[0].days", with_checkin(days=[1, 1])),
    ("checkins[0].days", with_checkin(days=[True])),
    ("checkins[0].answer_within_s", with_checkin(answer_within_s=59)),
    ("checkins[0].answer_within_s", with_checkin(answer_within_s=600.0)),
    ("checkins[0].again", with_checkin(again=6)),
    ("checkins[0].text", with_checkin(text=256)),
    ("inactivity.after_min", {"inactivity": {"after_min": 59, "quiet": None}}),
    ("inactivity.quiet", {"inactivity": {"after_min": 60, "quiet": ["22:00"]}}),
    ("inactivity.quiet", {"inactivity": {"after_min": 60, "quiet": ["22:00", "22:00"]}}),
    ("inactivity.quiet[1]", {"inactivity": {"after_min": 60, "quiet": ["22:00", 7]}}),
    ("presence.away_after_min", {"presence": {"away_after_min": 9, "tell": True}}),
    ("presence.tell", {"presence": {"away_after_min": 35, "tell": 1}}),
    ("retention_days", {"retention_days": 0}),
]


@pytest.mark.parametrize(("where", "changed"), WRONG)
def test_what_is_wrong_is_refused_by_its_place(where: str, changed: dict[str, Any]) -> None:
    with pytest.raises(PlanNotUnderstood) as refused:
        read(written(**changed))
    assert refused.value.where == where
    assert str(refused.value).startswith(where + ": ")


def test_every_key_is_needed() -> None:
    for key in PLAN:
        less = copy.deepcopy(PLAN)
        del less[key]
        with pytest.raises(PlanNotUnderstood) as refused:
            read(json.dumps(less).encode())
        assert refused.value.where == key


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 16000,
        b'{"v":' + b"9" * 10000 + b"}",
        b'{"v":1,"v":1}',
        json.dumps(PLAN).encode("utf-16"),
        written(centre="\ud800x"),
        written()[:-1] + b" " * plans.MOST_BYTES + b"}",
    ],
)
def test_no_bytes_do_harm(content: bytes) -> None:
    with pytest.raises(PlanNotUnderstood):
        read(content)


def test_damaged_plans_are_refused_or_read_and_nothing_else() -> None:
    seed = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={seed}")
    chance = random.Random(seed)
    refused = 0
    for _ in range(3000):
        data = bytearray(written())
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(bytes(data))
        except PlanNotUnderstood:
            refused += 1
    assert refused > 1500


def test_a_machine_without_time_zones_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(plans, "ZoneInfo", none)
    with pytest.raises(PlanNotUnderstood, match="timezone: this machine has no time zones: install tzdata"):
        read(written())
