"""What goes into the two boxes: the gateway's plan and the wearable's settings, from a wearer's file and profile.

Owns how the one becomes the other. A plan is read back by what a gateway reads it with (edge_daemon/care/plan.py),
so none leaves here that is refused there. Must not know keys or versions.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from edge_daemon.care import plan as care_plan
from edge_daemon.errors import Refusal
from protocol.settings import Settings
from tools.care import profile as profiles
from tools.care.wearer import Wearer


def plan(wearer: Wearer) -> bytes:
    """The content of the box for gateways. Raises Refusal where a gateway would refuse it."""
    content = json.dumps(_plan(wearer), separators=(",", ":")).encode()
    try:
        care_plan.read(content)
    except care_plan.PlanNotUnderstood as error:
        raise Refusal("care.plan_refused", wearable=wearer.shown, why=error) from error
    return content


def _plan(wearer: Wearer) -> dict[str, Any]:
    profile = wearer.profile
    within_s, again = profile.checkins or (600, 0)
    checkins = [
        {
            "id": one.id,
            "kind": one.kind,
            "at": one.at,
            "days": one.days,
            "answer_within_s": within_s,
            "again": again,
            "text": one.text,
        }
        for one in wearer.checkins
    ]
    inactivity = {"after_min": profile.inactivity_min, "quiet": wearer.quiet}
    presence = {"away_after_min": profile.away_after_min, "tell": profile.tell_presence}
    return {
        "v": 1,
        "beneficiary": profile.beneficiary,
        "centre": wearer.centre,
        "timezone": profile.timezone,
        "away": None if wearer.away is None else dict(zip(("from", "until"), wearer.away, strict=True)),
        "checkins": checkins,
        "inactivity": inactivity if profile.inactivity_min else None,
        "presence": presence if profile.away_after_min else None,
        "retention_days": profile.retention_days,
    }


def of_wearable(wearer: Wearer, now: datetime | None = None) -> Settings:
    """What the wearable lives by, of one whose plan is good. It keeps no calendar of summer times: as it is `now`."""
    profile, made = wearer.profile, Settings()
    made.kind = profiles.KINDS[profile.beneficiary]
    made.language = profiles.LANGUAGES[wearer.language]
    made.short_press = profiles.PRESSES[profile.short_press]
    made.fences = list(wearer.fences)
    made.moving_s, made.still_s, made.floor_percent = profile.moving_s, profile.still_s, profile.floor_percent
    made.falls, made.countdown_s = profiles.FALLS[profile.falls], profile.countdown_s
    made.heartbeat_s = profile.heartbeat_s
    local = (now or datetime.now(UTC)).astimezone(ZoneInfo(profile.timezone))
    made.offset_minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    return made
