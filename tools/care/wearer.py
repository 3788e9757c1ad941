"""What is of one wearer alone: fences, check-ins, medicines, quiet hours, times away. One small file for each.

Owns its keys and limits, and that it fits its profile. No name and no address belongs in it: the wearable is named by
its handle, the guardian by the platform's own reference. Must not know keys or boxes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge_daemon.care import plan as care_plan
from edge_daemon.errors import Refusal
from protocol import settings
from protocol.settings import Fence
from tools.care import profile as profiles
from tools.care.profile import Profile
from tools.care.table import Table
from tools.label import code

# Satellites between houses are right to 10 to 50 m: a smaller circle is left by who sits in its middle.
RADIUS_LEAST_M, RADIUS_MOST_M = 50, 50_000
_PLACES = {"home": settings.FENCE_HOME, "school": settings.FENCE_SCHOOL, "other": 0}
_TELLS = {"left": settings.FENCE_TELLS_LEFT, "entered": settings.FENCE_TELLS_ENTERED}
# Maps of China show places 100 to 700 m beside where satellites find them (GCJ-02): which one it is must be said.
_DATUMS = ("wgs84", "gcj02")
_ID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
# A reference has a digit in it; a name has none.
_REFERENCE = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{1,31}", re.ASCII)
_MOMENT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", re.ASCII)
_WEARABLE = re.compile(r"[0-9A-Za-z *~$=-]{14,40}", re.ASCII)


@dataclass(frozen=True)
class CheckIn:
    """`kind`: checkin or medicine. `at` HH:MM, local. `text`: which text of its kind a screen shows."""

    id: str
    kind: str
    at: str
    days: list[int]
    text: int


@dataclass(frozen=True)
class Wearer:
    """What a file says, and its profile. `quiet`: in place of the profile's. `away`: local, YYYY-MM-DDTHH:MM."""

    handle: str
    profile: Profile
    centre: str
    language: str
    guardian: str
    quiet: list[str] | None
    away: tuple[str, str] | None
    checkins: tuple[CheckIn, ...]
    fences: tuple[Fence, ...]

    @property
    def shown(self) -> str:
        """As it stands on its label."""
        return code.of_handle(self.handle)


def read(file: Path, directory: Path | None = None) -> Wearer:
    """A wearer's file; `directory` holds a county's profiles. Raises Refusal."""
    table = Table.read(file)
    handle = _handle(table)
    profile = profiles.load(table.text("profile", profiles.NAME), directory)
    wearer = Wearer(
        handle,
        profile,
        _centre(table, profile),
        table.one_of("language", tuple(profiles.LANGUAGES), profile.language),
        _guardian(table, profile),
        _quiet(table, profile),
        _away(table.table("away")),
        _checkins(table, profile),
        _fences(table, profile),
    )
    table.done()
    return wearer


def _handle(table: Table) -> str:
    text = table.text("wearable", _WEARABLE)
    try:
        return code.handle_of(text)
    except Refusal as refusal:
        raise table.wrong("bad_code", "wearable", got=text) from refusal


def _centre(table: Table, profile: Profile) -> str:
    """A county's profile says which centre it is; a file may not send its wearer elsewhere unseen."""
    if not profile.centre:
        return table.text("centre", profiles.CENTRE)
    if table.text("centre", profiles.CENTRE, profile.centre) != profile.centre:
        raise table.wrong("other_centre", "centre", centre=profile.centre, profile=profile.name)
    return profile.centre


def _guardian(table: Table, profile: Profile) -> str:
    if profile.beneficiary == "child" and "guardian" not in table:
        raise table.wrong("needs_guardian", "guardian")
    value = table.text("guardian", re.compile(r".*", re.DOTALL), "")
    if value and not _REFERENCE.fullmatch(value):
        # What stands there may be a name: it is not said again.
        raise table.wrong("no_reference", "guardian")
    return value


def _quiet(table: Table, profile: Profile) -> list[str] | None:
    if "quiet" not in table:
        return profile.quiet
    quiet = table.times("quiet")
    if not profile.inactivity_min:
        raise table.wrong("not_watched", "quiet", profile=profile.name, what="inactivity")
    return quiet


def _away(table: Table | None) -> tuple[str, str] | None:
    if table is None:
        return None
    since, until = (table.text(key, _MOMENT) for key in ("from", "until"))
    for key, text in (("from", since), ("until", until)):
        try:
            datetime.fromisoformat(text)
        except ValueError as error:
            raise table.wrong("no_such_date", key, got=text) from error
    if since >= until:
        raise table.wrong("until_first", "until", since=since, until=until)
    table.done()
    return since, until


def _checkins(table: Table, profile: Profile) -> tuple[CheckIn, ...]:
    most = care_plan.CHECKINS_MOST
    rows = [(kind, row) for kind in ("checkin", "medicine") for row in table.tables(kind, most)]
    if len(rows) > most:
        raise table.wrong("bad_list", "checkin", most=most)
    found: dict[str, CheckIn] = {}
    for kind, row in rows:
        if profile.checkins is None:
            raise table.wrong("not_watched", kind, profile=profile.name, what="checkins")
        one = CheckIn(row.text("id", _ID), kind, row.time("at"), row.days("days"), row.whole("text", 0, 255, 0))
        if one.id in found:
            raise row.wrong("twice", "id", got=one.id)
        row.done()
        found[one.id] = one
    return tuple(found.values())


def _fences(table: Table, profile: Profile) -> tuple[Fence, ...]:
    datum = table.one_of("datum", _DATUMS) if "datum" in table else None
    rows = table.tables("fence", settings.FENCES_MOST)
    if rows and not profile.moving_s:
        raise table.wrong("not_watched", "fence", profile=profile.name, what="positions")
    if rows and datum != "wgs84":
        raise table.wrong("datum" if datum else "missing", "datum")
    found: dict[int, Fence] = {}
    homes = 0
    for row in rows:
        fence = _fence(row)
        homes += bool(fence.flags & settings.FENCE_HOME)
        if fence.number in found:
            raise row.wrong("twice", "number", got=fence.number)
        if homes > 1:
            raise row.wrong("two_homes", "place")
        found[fence.number] = fence
    return tuple(found.values())


def _fence(row: Table) -> Fence:
    number = row.whole("number", 1, settings.FENCES_MOST)
    flags = _PLACES[row.one_of("place", tuple(_PLACES), "other")]
    for told in row.words("tells", tuple(_TELLS)):
        flags |= _TELLS[told]
    latitude, longitude = row.degrees("latitude", 90), row.degrees("longitude", 180)
    fence = Fence(number, flags, latitude, longitude, row.whole("radius_m", RADIUS_LEAST_M, RADIUS_MOST_M))
    row.done()
    return fence
