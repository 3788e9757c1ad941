"""`pingan care show`: what a profile decides, what a wearer's file amounts to, what was made and who lives by it.

Owns the screen (80 columns) and its JSON. Coordinates are not on the screen: whoever looks over a shoulder need not
know where a child's school is. Changes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edge_daemon.errors import Refusal
from protocol import settings
from protocol.settings import Fence
from tools.care import content, profile, wearer
from tools.care.at_desk import AtDesk, NotGiven
from tools.care.profile import Profile
from tools.care.versions import Versions, default_directory
from tools.care.wearer import Wearer
from tools.label import code
from tools.messages import Messages

_WIDTH = 80
_EVERY_DAY = 7
Row = tuple[str, str]


class _Showing:
    """`arguments` as argparse has them; each thing named is shown by what it is: a file, a profile, a code."""

    def __init__(self, arguments: argparse.Namespace, words: Messages) -> None:
        self._arguments = arguments
        self._words = words
        self._desk = None if arguments.desk is None else AtDesk(arguments.desk)
        self._console = Console(width=_WIDTH, highlight=False, markup=False)

    def show(self, what: str) -> None:
        """Raises Refusal, NotGiven."""
        if Path(what).is_file():
            one = wearer.read(Path(what), self._arguments.profiles)
            plan = json.loads(content.plan(one))
            facts = {"wearable": one.handle, "profile": one.profile.name, "plan": plan, "settings": _settings(one)}
            self._say(one.shown, [*self._profile(one.profile, one), *self._wearer(one)], facts, one.handle)
        elif what in profile.names(self._arguments.profiles):
            found = profile.load(what, self._arguments.profiles)
            facts = {name: value for name, value in asdict(found).items() if name != "file"}
            self._say(what, list(self._profile(found)), {"profile": facts})
        else:
            handle = code.handle_of(what)
            self._say(code.of_handle(handle), [], {"wearable": handle}, handle)

    def _say(self, of: str, rows: list[Row], facts: dict[str, Any], handle: str = "") -> None:
        if handle:
            last = Versions(self._arguments.store or default_directory()).last(handle)
            kept = None if self._desk is None else self._desk.of(handle)
            facts |= {"made": None if last is None else asdict(last), "desk": kept}
            made = "none" if last is None else "last"
            names = {} if last is None else {"version": last.version, "profile": last.profile, "centre": last.centre}
            rows.append(("made", self._words.text(f"care.made.{made}", **names)))
            if self._desk is not None:
                rows += self._at_desk(kept)
        if self._arguments.json:
            print(json.dumps({"v": 1, "command": "care show", "of": of, **facts}, ensure_ascii=False, default=str))
            return
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title=of, title_justify="left")
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for key, text in rows:
            table.add_row(self._words.text(f"care.row.{key}"), text)
        self._console.print(table)
        self._console.print()

    def _profile(self, one: Profile, of: Wearer | None = None) -> Iterator[Row]:
        """What a profile decides; what is the wearer's own stands in its place."""
        text = self._words.text
        quiet = one.quiet if of is None else of.quiet
        centre = one.centre if of is None else of.centre
        language = one.language if of is None else of.language
        yield "whose", text("care.whose", kind=text(f"care.kind.{one.beneficiary}"), profile=one.name)
        yield "centre", centre or text("care.centre.open")
        yield "screen", f"{text(f'care.language.{language}')}, {one.timezone}"
        yield "short_press", text(f"care.press.{one.short_press}")
        yield "hold", text("care.press.sos")
        yield "falls", text(f"care.falls.{one.falls}", seconds=one.countdown_s)
        watched = "off" if not one.inactivity_min else "always" if quiet is None else "on"
        since, until = quiet or ("", "")
        names = {"minutes": one.inactivity_min, "since": since, "until": until}
        yield "inactivity", text(f"care.inactivity.{watched}", **names)
        told = "badge" if one.beneficiary == "worker" else "told" if one.tell_presence else "untold"
        yield "presence", text(f"care.presence.{told if one.away_after_min else 'off'}", minutes=one.away_after_min)
        within_s, again = one.checkins or (0, 0)
        asked = "on" if one.checkins else "off"
        yield "checkins", text(f"care.checkins.{asked}", minutes=within_s // 60, again=again)
        where = "on" if one.moving_s else "off"
        names = {"moving": one.moving_s, "still": one.still_s, "percent": one.floor_percent}
        yield "positions", text(f"care.positions.{where}", **names)
        yield "heartbeat", text("care.heartbeat", minutes=f"{one.heartbeat_s / 60:g}")
        yield "retention", text("care.retention", days=one.retention_days)

    def _wearer(self, one: Wearer) -> Iterator[Row]:
        text = self._words.text
        for asked in one.checkins:
            some = text("care.days.some", days=", ".join(map(str, asked.days)))
            days = text("care.days.all") if len(asked.days) == _EVERY_DAY else some
            yield asked.kind, f"{asked.at}  {days}  {asked.id}"
        for fence in one.fences:
            yield "fence", self._fence(fence)
        if one.away is not None:
            yield "away", " – ".join(one.away)
        if one.guardian:
            yield "guardian", one.guardian

    def _fence(self, fence: Fence) -> str:
        text = self._words.text
        flags = fence.flags
        place = "home" if flags & settings.FENCE_HOME else "school" if flags & settings.FENCE_SCHOOL else "other"
        told = [
            text(f"care.fence.{name}")
            for name, flag in (("left", settings.FENCE_TELLS_LEFT), ("entered", settings.FENCE_TELLS_ENTERED))
            if flags & flag
        ]
        what = ", ".join(told) or text("care.fence.untold")
        return text(f"care.fence.{place}", number=fence.number, metres=fence.radius_m, told=what)

    def _at_desk(self, kept: dict[str, Any] | None) -> Iterator[Row]:
        text = self._words.text
        if kept is None:
            yield "desk", text("care.desk.nothing")
            return
        yield "desk", text("care.desk.keeps", plan=kept.get("plan_version"), settings=kept.get("settings_version"))
        lives_by = (kept.get("lives_by") or {}).get("settings_version")
        yield "wearable", text("care.desk.lives_by", version="–" if lives_by is None else lives_by)
        for row in kept.get("gateways") or []:
            said = row.get("result")
            state = said if said in ("taken", "refused") else "unsaid"
            names = {"gateway": f"{row.get('area')}/{row.get('gateway')}", "version": row.get("plan_version")}
            yield "gateway", text(f"care.desk.{state}", **names, why=row.get("reason") or "–")


def _settings(one: Wearer) -> dict[str, Any]:
    made = dict(vars(content.of_wearable(one)))
    return made | {"fences": [dict(vars(fence)) for fence in one.fences]}


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Each that was named, or every profile. Raises Refusal at the first that is wrong."""
    showing = _Showing(arguments, words)
    try:
        for what in arguments.what or profile.names(arguments.profiles):
            showing.show(what)
    except NotGiven as error:
        raise Refusal("care.desk.away", url=arguments.desk, why=error) from error
    return 0
