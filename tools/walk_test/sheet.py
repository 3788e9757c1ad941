"""The walk as a sheet of paper. Owns its columns. Must not know PDF (tools/report/paper.py)."""

from __future__ import annotations

from datetime import datetime

from tools.label.code import of_handle
from tools.messages import Messages
from tools.report.paper import Paper
from tools.walk_test.plot import part
from tools.walk_test.verdict import MARGIN_DB, PRESSES, SENSITIVITY_DBM, STORED_WITHIN_MS
from tools.walk_test.walk import Room

_COLUMNS = (0.0, 0.22, 0.5, 0.62, 0.76, 0.88)


def pdf(rooms: list[Room], gateway: str, at: datetime, words: Messages) -> bytes:
    """All rooms with their bars, the rule, and every press."""
    paper = Paper(words.text("walk.title"))
    paper.line(words.text("walk.of", gateway=gateway, at=at.strftime("%Y-%m-%d %H:%M %z")))
    paper.heading(words.text("walk.rooms"))
    for room in rooms:
        verdict = room.verdict
        signal = "-" if verdict.rssi_dbm is None else f"{verdict.rssi_dbm} dBm"
        said = words.text(f"walk.verdict.{verdict.verdict}")
        paper.bar(room.name, signal, part(verdict.rssi_dbm), part(SENSITIVITY_DBM + MARGIN_DB), said)
        if verdict.reason:
            paper.row(["", words.text(f"walk.reason.{verdict.reason}")], [0.0, 0.22])
    limits = {"presses": PRESSES, "seconds": STORED_WITHIN_MS // 1000, "limit": SENSITIVITY_DBM + MARGIN_DB}
    paper.line(words.text("walk.rule", **limits))
    paper.heading(words.text("walk.presses"))
    names = ("room", "wearable", "link", "signal", "stored", "retries")
    paper.row([words.text(f"walk.column.{name}") for name in names], _COLUMNS)
    for room in rooms:
        for press in room.presses:
            signal = "-" if press.rssi_dbm is None else f"{press.rssi_dbm} dBm"
            took = "-" if press.took_ms is None else f"{press.took_ms / 1000:.1f} s"
            cells = [room.name, of_handle(press.wearable), press.link, signal, took, str(press.retries)]
            paper.row(cells, _COLUMNS)
    return paper.bytes()
