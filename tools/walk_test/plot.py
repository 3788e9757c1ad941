"""The walk on a terminal of 80 columns: a line for each press, and at the end a bar for each room. Owns that text.

Bars have names beside them and no colour that says anything alone; Chinese letters take two columns each.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tools.messages import Messages
from tools.walk_test.presses import Press
from tools.walk_test.verdict import MARGIN_DB, SENSITIVITY_DBM
from tools.walk_test.walk import Room

WIDTH = 80
_NAME = 14
_BAR = 20
# Beside the wearable it is some -40 dBm, and no receiver hears -100.
_WORST_DBM, _BEST_DBM = -100, -40


def press_line(room: str, code: str, press: Press, words: Messages) -> str:
    """One press, as soon as it is known."""
    parts = [
        _cell(room, _NAME),
        _cell(code, 21),
        _cell(press.link, 10),
        _cell(_dbm(press.rssi_dbm), 8),
        _cell(_seconds(press.took_ms), 7),
        words.text("walk.retries", count=press.retries),
    ]
    return " ".join(parts).rstrip()


def chart(rooms: list[Room], words: Messages) -> list[str]:
    """A line for each room, with its signal as a bar, and what the bar's marks mean."""
    head = [
        _cell(words.text("walk.column.room"), _NAME),
        _cell(words.text("walk.column.signal"), _BAR + 9),
        _cell(words.text("walk.column.presses"), 8),
        _cell(words.text("walk.column.stored"), 7),
        words.text("walk.column.verdict"),
    ]
    lines = [" ".join(head).rstrip()]
    for room in rooms:
        verdict = room.verdict
        cells = [
            _cell(room.name, _NAME),
            bar(verdict.rssi_dbm) + _right(_dbm(verdict.rssi_dbm), 9),
            _cell(f"{verdict.stored}/{verdict.presses}", 8),
            _cell(_seconds(verdict.slowest_ms), 7),
            words.text(f"walk.verdict.{verdict.verdict}"),
        ]
        lines.append(" ".join(cells).rstrip())
        if verdict.reason:
            lines.append(" " * (_NAME + 1) + words.text(f"walk.reason.{verdict.reason}"))
    lines.append(words.text("walk.scale", limit=SENSITIVITY_DBM + MARGIN_DB))
    return lines


def bar(rssi_dbm: int | None) -> str:
    """The signal from left to right, with a mark where good begins."""
    good = round(part(SENSITIVITY_DBM + MARGIN_DB) * _BAR)
    full = round(part(rssi_dbm) * _BAR)
    return "".join("|" if at == good else "#" if at < full else "." for at in range(_BAR))


def part(rssi_dbm: int | None) -> float:
    """How far along the scale a signal lies, 0 to 1."""
    if rssi_dbm is None:
        return 0.0
    return max(0.0, min(1.0, (rssi_dbm - _WORST_DBM) / (_BEST_DBM - _WORST_DBM)))


def _cell(text: str, width: int) -> str:
    return set_cell_size(text, width)


def _right(text: str, width: int) -> str:
    return " " * max(0, width - cell_len(text)) + text


def _dbm(value: int | None) -> str:
    return "-" if value is None else f"{value} dBm"


def _seconds(ms: int | None) -> str:
    return "-" if ms is None else f"{ms / 1000:.1f} s"
