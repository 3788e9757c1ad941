"""A care plan: what is watched over for one wearer, and when they are asked. Any bytes in, a Plan or a reason out.

Owns the shape of the content of a CARE box (protocol/box.py) and its limits. It comes sealed from the platform, but is
read as what comes from anywhere: sizes, types and values are checked before anything is believed. Must not know who
seals it, keeps it or lives by it. Keys that we do not know are passed over; what stands twice is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

MOST_BYTES = 16384
CHECKINS_MOST = 32
BENEFICIARIES = ("older", "disabled", "child", "worker")
CHECKIN, MEDICINE = "checkin", "medicine"
# A shorter silence is no absence, however often a wearable says a heartbeat (its settings).
AWAY_AFTER_LEAST_MIN = 10

_ID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_CENTRE = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)


class PlanNotUnderstood(ValueError):
    """What stands in a box is no plan. `where`: what of it, as `checkins[2].at`; str() adds what is wrong with it."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A question at a time of day, local. `days`: 1 Monday to 7 Sunday. `again`: how often it is repeated unanswered.

    `answer_within_s`: for how long each waits for an answer. `text`: which text of its kind a screen shows.
    """

    id: str
    kind: str
    at: time
    days: tuple[int, ...]
    answer_within_s: int
    again: int
    text: int


@dataclass(frozen=True, slots=True)
class Inactivity:
    """Told after `after_min` minutes without a sign of the wearer; those between `quiet`'s times do not count."""

    after_min: int
    quiet: tuple[time, time] | None


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """Not heard for `away_after_min` minutes: away from home. `tell`: whether that is an event."""

    away_after_min: int
    tell: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. `away`: from and until, local times without a zone; nobody is asked or missed in between."""

    beneficiary: str
    centre: str
    timezone: str
    away: tuple[datetime, datetime] | None
    checkins: tuple[CheckIn, ...]
    inactivity: Inactivity | None
    presence: PresenceRule | None
    retention_days: int

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose local times the plan means."""
        return ZoneInfo(self.timezone)

    def is_away(self, local: datetime) -> bool:
        """Whether the wearer is away at a local time (its zone is not looked at)."""
        return self.away is not None and self.away[0] <= local.replace(tzinfo=None) < self.away[1]

    def is_quiet(self, local: datetime) -> bool:
        """Whether a local time is within the quiet hours, which may pass midnight."""
        quiet = self.inactivity.quiet if self.inactivity is not None else None
        if quiet is None:
            return False
        since, until = quiet
        now = local.time().replace(tzinfo=None)
        return since <= now < until if since < until else now >= since or now < until


def read(content: bytes) -> Plan:
    """The plan in a CARE box. Raises PlanNotUnderstood."""
    plan = _Object(_json(content), "")
    plan.whole("v", 1, 1)
    return Plan(
        beneficiary=plan.one_of("beneficiary", BENEFICIARIES),
        centre=plan.matching("centre", _CENTRE),
        timezone=_zone(plan),
        away=_away(plan.row("away")),
        checkins=_checkins(plan.rows("checkins", CHECKINS_MOST)),
        inactivity=_inactivity(plan.row("inactivity")),
        presence=_presence(plan.row("presence")),
        retention_days=plan.whole("retention_days", 1, 3650),
    )


def _json(content: bytes) -> object:
    if len(content) > MOST_BYTES:
        raise PlanNotUnderstood("plan", f"more than {MOST_BYTES} bytes")
    try:
        # Of bytes, json would also read UTF-16, UTF-32 and surrogates.
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except PlanNotUnderstood:
        raise
    except (ValueError, RecursionError) as error:
        raise PlanNotUnderstood("plan", "no JSON in UTF-8") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise PlanNotUnderstood("plan", "a key stands twice")
    return dict(pairs)


class _Object:
    """A JSON object under its path, whose values are asked for one by one. Each question raises PlanNotUnderstood."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise PlanNotUnderstood(path or "plan", "no object")
        self._value = value
        self._path = path

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self._path}.{key}" if self._path else key

    def get(self, key: str) -> object:
        """What stands there; it must be written, if only null."""
        if key not in self._value:
            raise PlanNotUnderstood(self.at(key), "missing")
        return self._value[key]

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number within limits. True is 1 to Python, and is none to JSON."""
        value = self.get(key)
        if type(value) is not int or not least <= value <= most:
            raise PlanNotUnderstood(self.at(key), f"no whole number from {least} to {most}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.get(key)
        if not isinstance(value, bool):
            raise PlanNotUnderstood(self.at(key), "neither true nor false")
        return value

    def one_of(self, key: str, words: tuple[str, ...]) -> str:
        """One of some words."""
        value = self.get(key)
        if not isinstance(value, str) or value not in words:
            raise PlanNotUnderstood(self.at(key), "none of " + ", ".join(words))
        return value

    def matching(self, key: str, shape: re.Pattern[str]) -> str:
        """A text of a shape."""
        return _matching(self.get(key), self.at(key), shape)

    def row(self, key: str) -> _Object | None:
        """An object, or null."""
        value = self.get(key)
        return None if value is None else _Object(value, self.at(key))

    def rows(self, key: str, most: int) -> list[_Object]:
        """A list of objects."""
        return [_Object(value, f"{self.at(key)}[{i}]") for i, value in enumerate(self.list(key, 0, most))]

    def list(self, key: str, least: int, most: int) -> list[object]:
        """A list of so many values."""
        value = self.get(key)
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise PlanNotUnderstood(self.at(key), f"no list of {least} to {most}")
        return value


def _matching(value: object, path: str, shape: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise PlanNotUnderstood(path, f"does not match {shape.pattern}")
    return value


def _zone(plan: _Object) -> str:
    name = plan.matching("timezone", _ZONE)
    if not _known(name):
        here = "no zone of that name" if _known("Etc/UTC") else "this machine has no time zones: install tzdata"
        raise PlanNotUnderstood(plan.at("timezone"), here)
    return name


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _clock(value: object, path: str) -> time:
    return time.fromisoformat(_matching(value, path, _TIME))


def _away(away: _Object | None) -> tuple[datetime, datetime] | None:
    if away is None:
        return None
    since, until = _moment(away, "from"), _moment(away, "until")
    if since >= until:
        raise PlanNotUnderstood(away.at("until"), "not after from")
    return since, until


def _moment(away: _Object, key: str) -> datetime:
    text = away.matching(key, _MOMENT)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise PlanNotUnderstood(away.at(key), "no such date") from error


def _checkins(rows: list[_Object]) -> tuple[CheckIn, ...]:
    checkins = tuple(_checkin(row) for row in rows)
    seen: set[str] = set()
    for row, checkin in zip(rows, checkins, strict=True):
        if checkin.id in seen:
            raise PlanNotUnderstood(row.at("id"), "stands twice")
        seen.add(checkin.id)
    return checkins


def _checkin(row: _Object) -> CheckIn:
    days = row.list("days", 1, 7)
    if any(type(day) is not int or not 1 <= day <= 7 for day in days) or len(set(map(str, days))) != len(days):
        raise PlanNotUnderstood(row.at("days"), "no days from 1 to 7, each once")
    return CheckIn(
        id=row.matching("id", _ID),
        kind=row.one_of("kind", (CHECKIN, MEDICINE)),
        at=_clock(row.get("at"), row.at("at")),
        days=tuple(sorted(int(str(day)) for day in days)),
        answer_within_s=row.whole("answer_within_s", 60, 3600),
        again=row.whole("again", 0, 5),
        text=row.whole("text", 0, 255),
    )


def _inactivity(row: _Object | None) -> Inactivity | None:
    if row is None:
        return None
    quiet = None
    if row.get("quiet") is not None:
        since, until = (_clock(value, row.at(f"quiet[{i}]")) for i, value in enumerate(row.list("quiet", 2, 2)))
        if since == until:
            raise PlanNotUnderstood(row.at("quiet"), "from and until are the same")
        quiet = since, until
    return Inactivity(row.whole("after_min", 60, 10080), quiet)


def _presence(row: _Object | None) -> PresenceRule | None:
    if row is None:
        return None
    return PresenceRule(row.whole("away_after_min", AWAY_AFTER_LEAST_MIN, 1440), row.flag("tell"))
