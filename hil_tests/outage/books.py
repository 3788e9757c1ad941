"""What a crowd pressed and told, against what came at the broker and lies at the desk. Owns the judgement only.

Identity by identity and row by row: nothing lost, nothing twice, the right order, the right age.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from hil_tests.faults.campaign import Outcome
from hil_tests.outage.presser import Press, Presser
from hil_tests.outage.spy import Said
from protocol import kinds

_LATE_AFTER_MS = 60_000
# From the press to the daemon's hearing of it, on a busy machine; the wearable itself tells ages in milliseconds.
_AGE_RIGHT_TO_MS = 2_000
# From the daemon's writing of a message to the spy's hearing of it.
_UNDER_WAY_MOST_MS = 60_000
# Wall times are worked out anew for each message, each to a millisecond.
_SAME_MS = 5
# So many messages may be on their way to fail when the connection comes, and go out as they are.
_BEGUN_BEFORE = 4


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def _rows(said: Iterable[Said]) -> Iterator[tuple[Said, dict[str, Any], dict[str, Any]]]:
    """Each event that came: its message, that one read, its row."""
    for one in said:
        if one.kind == "event":
            message = one.read()
            for row in message["events"]:
                yield one, message, row


def ages(said: list[Said], presses: dict[str, Press], outcome: Outcome) -> float:
    """Each event of a wearable, each time it came, tells its true age, and whether it is late; the worst error, ms."""
    worst_ms = 0.0
    for one, message, row in _rows(said):
        press = presses.get(row["event"])
        if press is None:
            continue
        sent_ms = _ms(message["sent_at"])
        told_ms = (row["age_ms"] or 0) + row["heard_age_ms"]
        true_ms = sent_ms - press.pressed_ms
        worst_ms = max(worst_ms, abs(told_ms - true_ms))
        if row["age_quality"] != "exact" or abs(told_ms - true_ms) > _AGE_RIGHT_TO_MS:
            outcome.wrong.append(f"{press.identity}: {row['age_quality']} {told_ms} ms, exact {true_ms:.0f} is true")
        if row["late"] != (told_ms > _LATE_AFTER_MS):
            outcome.wrong.append(f"{press.identity}: late is {row['late']} after {told_ms} ms")
        if not -_AGE_RIGHT_TO_MS < one.wall_ms - sent_ms < _UNDER_WAY_MOST_MS:
            outcome.wrong.append(f"{press.identity}: sent at {message['sent_at']}, which came at {one.wall_ms:.0f}")
        if row["refers_to"] != press.refers_to or row["class"] != kinds.kind_of(press.kind).event_class:
            outcome.wrong.append(f"{press.identity}: refers to {row['refers_to']}, of class {row['class']}")
    return worst_ms


def order(said: list[Said], before_ms: float, outcome: Outcome) -> None:
    """What had waited when the platform came, `before_ms` by the wall: urgent first, oldest first within a class."""
    known: set[str] = set()
    last: tuple[int, float] = (0, 0.0)
    begun = [one for one in said if one.kind == "event"][:_BEGUN_BEFORE]
    for one, _, row in _rows(said):
        heard_ms = _ms(row["heard_at"])
        if row["event"] in known or heard_ms >= before_ms:
            continue
        known.add(row["event"])
        if one in begun:
            continue
        place = (kinds.CLASSES.index(row["class"]), heard_ms)
        if place[0] < last[0] or (place[0] == last[0] and place[1] < last[1] - _SAME_MS):
            outcome.wrong.append(f"{row['event']}: {row['class']} of {row['heard_at']} came after {last}")
        last = max(last, place)


def alarms_first(said: list[Said], before_ms: float, trickle_s: float, outcome: Outcome) -> None:
    """As long as something of the backlog had not come, telemetry trickled."""
    came: set[str] = set()
    ends: list[float] = []
    for one, _, row in _rows(said):
        if row["event"] not in came and _ms(row["heard_at"]) < before_ms:
            came.add(row["event"])
            ends.append(one.at_s)
    begun_s, ended_s = min(ends, default=0.0), max(ends, default=0.0)
    early = sum(one.kind == "telemetry" and one.at_s < ended_s for one in said)
    if early > 2 + (ended_s - begun_s) / trickle_s:
        outcome.wrong.append(f"{early} messages of telemetry in {ended_s - begun_s:.1f} s in which alarms waited")


def telemetry(said: list[Said], kept: Counter[tuple[str, int]], outcome: Outcome) -> None:
    """Each row that lay on the disk came, and once."""
    came = Counter[tuple[str, int]]()
    for one in said:
        if one.kind == "telemetry":
            came.update((row["wearable"], row["uptime_s"]) for row in one.read()["wearables"])
    outcome.lost += [f"row {uptime} of {handle} lay on the disk" for handle, uptime in kept.keys() - came.keys()]
    outcome.wrong += [f"row {uptime} of {handle} was never kept" for handle, uptime in came.keys() - kept.keys()]
    outcome.twice += [f"row {row[1]} of {row[0]} came {times} times" for row, times in came.items() if times > 1]


def given_up(pressers: list[Presser], kept: Counter[tuple[str, int]], kills: int, each: int, outcome: Outcome) -> int:
    """Rows that a killed gateway had in memory only: how many; more than `each` a kill is wrong. None is kept twice."""
    missing = sum((one.handle, row) not in kept for one in pressers for row in one.heard)
    if missing > kills * each:
        outcome.lost.append(f"{missing} rows of telemetry were heard and are not on the disk after {kills} kills")
    outcome.twice += [f"row {row[1]} of {row[0]} is kept {times} times" for row, times in kept.items() if times > 1]
    told = {(one.handle, row) for one in pressers for row in one.heard | one.doubtful}
    outcome.wrong += [f"row {row} of {handle} is kept, and nobody told it" for handle, row in kept.keys() - told]
    return missing


def incidents(file: Path, presses: dict[str, Press], journal: dict[str, int], outcome: Outcome) -> None:
    """The desk's own database has each event of the journal and each press, and no other; with its time."""
    with contextlib.closing(sqlite3.connect(file)) as desk:
        rows = desk.execute("SELECT event, source, pressed_ms FROM incidents").fetchall()
    known = {event for event, _, _ in rows}
    outcome.lost += [f"{event}: pressed, no incident" for event in presses.keys() - known]
    outcome.lost += [f"{event}: pressed, not in the journal" for event in presses.keys() - journal.keys()]
    outcome.lost += [f"{event}: in the journal, no incident" for event in journal.keys() - known - presses.keys()]
    outcome.twice += [f"{event}: an incident that nobody pressed" for event in known - journal.keys() - presses.keys()]
    for event, _, pressed_ms in rows:
        if event in presses and abs(pressed_ms - presses[event].pressed_ms) > _AGE_RIGHT_TO_MS + _SAME_MS:
            off_ms = pressed_ms - presses[event].pressed_ms
            outcome.wrong.append(f"{event}: at the desk its press is {off_ms:+.0f} ms off")
