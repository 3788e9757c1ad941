"""A profile: what a kind of beneficiary has, by what stands in one small file. Owns its keys, limits and bases.

A county centre's profile names one of ours as its `base` and says only what is different. Must not know wearers: what
is of one person alone stands in their own file (wearer.py). A hold is an SOS, whatever a profile says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_daemon.care import plan as care_plan
from edge_daemon.errors import Refusal
from protocol import codes, settings
from tools.care.table import Table, printable

OURS = Path(__file__).parent / "profiles"
LANGUAGES = {"zh": settings.CHINESE, "en": settings.ENGLISH}
KINDS = {
    "older": settings.OLDER,
    "disabled": settings.DISABLED,
    "child": settings.CHILD,
    "worker": settings.WORKER,
}
PRESSES = {
    "sos": codes.SOS,
    "medical": codes.SERVICE_MEDICAL,
    "care": codes.SERVICE_CARE,
    "information": codes.SERVICE_INFORMATION,
    "counselling": codes.SERVICE_COUNSELLING,
    "household": codes.SERVICE_HOUSEHOLD,
    "call_me": codes.SERVICE_CALL_ME,
}
FALLS = {"off": settings.FALLS_OFF, "normal": settings.FALLS_NORMAL, "sensitive": settings.FALLS_SENSITIVE}
CENTRE = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
NAME = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}", re.ASCII)

# Of a child nothing is kept longer than that, whatever a county writes; the desk purges so, too.
CHILD_RETENTION_MOST_DAYS = 7
# A gateway calls a wearer unreachable 35 min after a check-in fell due (edge_daemon/care).
HEARTBEAT_MOST_S = 1800
# Who beats every so often is not gone before the next beat and what it may be late.
PRESENCE_SLACK_S = 300
_TIGHTEST_S, _WIDEST_S = 30, 65_535


@dataclass(frozen=True)
class Profile:
    """What a file says. Times in the unit that the name ends with; `quiet` is [from, until], local, HH:MM.

    `inactivity_min`, `away_after_min`: 0 where nobody watches. `checkins`: answer_within_s and again, if any.
    """

    name: str
    beneficiary: str
    centre: str
    language: str
    timezone: str
    heartbeat_s: int
    retention_days: int
    short_press: str
    falls: str
    countdown_s: int
    inactivity_min: int
    quiet: list[str] | None
    away_after_min: int
    tell_presence: bool
    checkins: tuple[int, int] | None
    moving_s: int
    still_s: int
    floor_percent: int
    file: Path = field(default=OURS, compare=False)


def names(directory: Path | None) -> list[str]:
    """All that there are: ours, and a county's."""
    found = {file.stem for folder in (OURS, directory) if folder is not None for file in folder.glob("*.toml")}
    return sorted(found)


def load(name: str, directory: Path | None = None) -> Profile:
    """A profile by its name, a county's in `directory` before ours. Raises Refusal."""
    if not NAME.fullmatch(name):
        raise Refusal("care.no_profile", name=printable(name), names=", ".join(names(directory)))
    for folder in (directory, OURS):
        if folder is not None and (folder / f"{name}.toml").is_file():
            return _read(name, folder / f"{name}.toml")
    raise Refusal("care.no_profile", name=name, names=", ".join(names(directory)))


def _read(name: str, file: Path) -> Profile:
    table = Table.read(file)
    if "base" in table:
        base = table.one_of("base", tuple(KINDS))
        table = Table(file, _merged(Table.read(OURS / f"{base}.toml").rest(), table.rest()))
    return _profile(name, table)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """What a county says goes before what its base says, key by key; `on = false` ends a table of the base."""
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = {**mine, **value} if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged


def _profile(name: str, table: Table) -> Profile:
    beneficiary = table.one_of("beneficiary", care_plan.BENEFICIARIES)
    heartbeat_s = table.whole("heartbeat_s", settings.HEARTBEAT_LEAST_S, HEARTBEAT_MOST_S)
    retention_most = CHILD_RETENTION_MOST_DAYS if beneficiary == "child" else 3650
    profile = Profile(
        name=name,
        beneficiary=beneficiary,
        centre=table.text("centre", CENTRE, ""),
        language=table.one_of("language", tuple(LANGUAGES)),
        timezone=table.text("timezone", _ZONE),
        heartbeat_s=heartbeat_s,
        retention_days=table.whole("retention_days", 1, retention_most),
        short_press=_buttons(_needed(table, "buttons")),
        **_falls(_needed(table, "falls")),
        **_inactivity(_section(table, "inactivity")),
        **_presence(_section(table, "presence"), heartbeat_s),
        **_checkins(_section(table, "checkins"), beneficiary),
        **_positions(_section(table, "positions")),
        file=table.file,
    )
    table.done()
    return profile


def _needed(table: Table, key: str) -> Table:
    found = table.table(key)
    if found is None:
        raise table.wrong("missing", key)
    return found


def _section(table: Table, key: str) -> Table | None:
    """A table that may be absent, or off."""
    found = table.table(key)
    return found if found is not None and found.flag("on", default=True) else None


def _buttons(table: Table) -> str:
    """What a short press does. Nobody has to remember what a hold does: it is said, and it is never anything else."""
    hold = table.text("hold", re.compile(r".*", re.DOTALL), "sos")
    if hold != "sos":
        raise table.wrong("hold_is_sos", "hold")
    short_press = table.one_of("short_press", tuple(PRESSES))
    table.done()
    return short_press


def _falls(table: Table) -> dict[str, Any]:
    found = {"falls": table.one_of("level", tuple(FALLS)), "countdown_s": table.whole("countdown_s", 10, 120, 30)}
    table.done()
    return found


def _inactivity(table: Table | None) -> dict[str, Any]:
    if table is None:
        return {"inactivity_min": 0, "quiet": None}
    quiet = table.times("quiet") if "quiet" in table else None
    found = {"inactivity_min": table.whole("after_min", 60, 10080), "quiet": quiet}
    table.done()
    return found


def _presence(table: Table | None, heartbeat_s: int) -> dict[str, Any]:
    if table is None:
        return {"away_after_min": 0, "tell_presence": False}
    least_min = max(care_plan.AWAY_AFTER_LEAST_MIN, -(-(heartbeat_s + PRESENCE_SLACK_S) // 60))
    after_min = table.whole("away_after_min", 1, 1440)
    if after_min < least_min:
        raise table.wrong("presence_short", "away_after_min", got=after_min, least=least_min, beat=heartbeat_s)
    found = {"away_after_min": after_min, "tell_presence": table.flag("tell")}
    table.done()
    return found


def _checkins(table: Table | None, beneficiary: str) -> dict[str, Any]:
    if table is None:
        return {"checkins": None}
    if beneficiary == "worker":
        raise table.wrong("no_checkins", "on", beneficiary=beneficiary)
    found = table.whole("answer_within_s", 60, 3600), table.whole("again", 0, 5)
    table.done()
    return {"checkins": found}


def _positions(table: Table | None) -> dict[str, Any]:
    if table is None:
        return {"moving_s": 0, "still_s": 0, "floor_percent": 20}
    moving_s, still_s = (table.whole(key, _TIGHTEST_S, _WIDEST_S) for key in ("moving_s", "still_s"))
    if still_s < moving_s:
        raise table.wrong("still_faster", "still_s", still=still_s, moving=moving_s)
    found = {"moving_s": moving_s, "still_s": still_s, "floor_percent": table.whole("floor_percent", 0, 90, 20)}
    table.done()
    return found
