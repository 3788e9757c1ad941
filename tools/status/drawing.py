"""The screen of `pingan status`: 80 columns, from a reply to `status` and what was seen since. Owns its layout.

Pure: what is shown is handed in. Widths are cells, of which a Chinese character takes two; rich counts them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tools.label import code
from tools.messages import Messages
from tools.status.news import News, kind
from tools.status.spans import signal, size, span

_GOOD, _BAD, _WARN, _DIM, _HEAD = "green", "bold red", "yellow", "dim", "bold cyan"
_LATE_S = 3600
_LOW_PERCENT = 20
_CERTIFICATE_SOON_D = 30
# Two of the wearables and one of the news; the last line of a terminal stays empty.
_HEADINGS = 4
_WEARABLES_LEAST = 3


class Drawing:
    """One gateway's screen in one language."""

    def __init__(self, words: Messages, console: Console) -> None:
        self._words = words
        self._console = console

    def screen(self, status: dict[str, Any], news: News | None, silent_s: float | None = None) -> RenderableType:
        """All of it, cut to the terminal's height where news are shown. `silent_s`: since the gateway last answered."""
        head = self._head(status, silent_s)
        below: list[RenderableType] = [
            self._section("ways", self._ways(status["ways"])),
            self._section("parts", self._parts(status)),
            self._section("faults", self._faults(status["faults"])),
        ]
        rows, room = status["wearables"], None
        if news is not None:
            left = self._console.height - len(self._console.render_lines(Group(head, *below), pad=False)) - _HEADINGS
            shown = min(max(left - min(len(rows), _WEARABLES_LEAST), 1), max(len(news.lines), 1))
            below.append(self._section("news", self._news(news, shown)))
            room = max(left - shown, _WEARABLES_LEAST)
        return Group(head, self._section("wearables", self._wearables(rows, room)), *below)

    def _section(self, name: str, body: RenderableType) -> RenderableType:
        return Group(Text(self._words.text(f"status.part.{name}"), _HEAD), Padding(body, (0, 0, 0, 1)))

    def _head(self, status: dict[str, Any], silent_s: float | None) -> RenderableType:
        words, clock = self._words, status["clock"]
        line = Table.grid(expand=True)
        line.add_column()
        line.add_column(justify="right")
        synced = Text(words.text("status.clock.synced" if clock["synced"] else "status.clock.unsynced"))
        synced.stylize(_GOOD if clock["synced"] else _BAD)
        at = Text.assemble(f"{clock['at'][:10]} {clock['at'][11:19]} UTC ", synced)
        line.add_row(Text(f"{status['gateway']} · {status['area']}", "bold"), at)
        up = words.text("status.up", version=status["version"], span=span(status["uptime_s"], words))
        if silent_s is None:
            return Group(line, Text(up, _DIM))
        return Group(line, Text(words.text("status.silent", span=span(silent_s, words)), _BAD))

    def _wearables(self, rows: list[dict[str, Any]], room: int | None) -> RenderableType:
        if not rows:
            return Text(self._words.text("status.no_wearables"), _DIM)
        table = self._table("wearable", "heard", "link", "signal", "battery", "note")
        ordered = sorted(rows, key=_worst_first)
        # One line says how many are left out.
        shown = ordered if room is None or len(ordered) <= room else ordered[: room - 1]
        for row in shown:
            table.add_row(*self._wearable(row))
        left = len(ordered) - len(shown)
        if not left:
            return table
        return Group(table, Text(self._words.text("status.more", count=left), _DIM))

    def _wearable(self, row: dict[str, Any]) -> tuple[RenderableType, ...]:
        words, percent, heard_s = self._words, row["battery_percent"], row["heard_s"]
        overdue = row["supervision"] != "ok"
        heard = Text(span(heard_s, words), _BAD if overdue else _WARN if (heard_s or 0) >= _LATE_S else "")
        battery = Text("" if percent is None else f"{percent} %", _BAD if (percent or 100) < _LOW_PERCENT else "")
        link = "" if row["link"] is None else words.text(f"status.link.{row['link']}")
        note, style = self._note(row)
        shown = code.of_handle(row["wearable"])
        return (
            Text(shown, _DIM if row["revoked"] else ""),
            heard,
            link,
            signal(row["rssi_dbm"]),
            battery,
            Text(note, style),
        )

    def _note(self, row: dict[str, Any]) -> tuple[str, str]:
        """The one thing about it that matters most."""
        words = self._words
        if row["revoked"]:
            return words.text("status.note.revoked"), _DIM
        if row["open"]:
            return words.text("status.note.open", count=row["open"]), _WARN
        if row["supervision"] != "ok":
            return words.text(f"status.note.{row['supervision']}"), _BAD
        if row.get("test_s") is not None:
            return words.text("status.note.test", span=span(row["test_s"], words)), _WARN
        if row["silent_s"]:
            return words.text("status.note.silent", span=span(row["silent_s"], words)), _WARN
        return ("", "") if row["role"] == "home" else (words.text(f"status.note.{row['role']}"), _DIM)

    def _ways(self, rows: list[dict[str, Any]]) -> RenderableType:
        words = self._words
        table = self._table("way", "state", "answered", "tested", "note")
        for row in rows:
            state = Text(words.text(f"status.way.{row['state']}"), _GOOD if row["state"] == "up" else _BAD)
            notes = [words.text("status.way.used")] if row["used"] else []
            if row["test_under_way"]:
                notes.append(words.text("status.way.testing"))
            elif row["test_failed"]:
                notes.append(words.text("status.way.failed", why=row["test_failed"]))
            name = words.text(f"status.way.{row['name']}")
            ages = span(row["last_answer_age_s"], words), span(row["last_test_age_s"], words)
            table.add_row(name, state, *ages, Text(", ".join(notes), _BAD if row["test_failed"] else _DIM))
        return table

    def _parts(self, status: dict[str, Any]) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, text in (
            ("links", self._links(status["links"])),
            ("journal", self._journal(status["journal"])),
            ("power", self._power(status["power"])),
            ("certificates", self._certificates(status)),
        ):
            table.add_row(self._words.text(f"status.row.{name}"), text)
        return table

    def _links(self, links: list[dict[str, str]]) -> Text:
        said = []
        for link in links:
            state = self._words.text(f"status.state.{link['state']}")
            said.append((f"{link['name']} {state}", _GOOD if link["state"] in ("up", "quiet") else _BAD))
        return self._listed(said)

    def _journal(self, journal: dict[str, Any]) -> Text:
        words = self._words
        waiting = words.text("status.journal.waiting", count=journal["waiting"])
        said = [(waiting, _WARN if journal["waiting"] else _GOOD)]
        said.append((words.text("status.journal.open", count=journal["open"]), _WARN if journal["open"] else ""))
        said.append((words.text("status.journal.room", size=size(journal["room_bytes"])), ""))
        if journal["trouble"] is not None:
            said.insert(0, (words.text("status.journal.trouble", what=journal["trouble"]), _BAD))
        elif journal["short"]:
            said.insert(0, (words.text("status.journal.short"), _BAD))
        return self._listed(said)

    def _power(self, sources: list[dict[str, Any]]) -> Text:
        words, said = self._words, []
        for source in sources:
            if not source["answers"]:
                said.append((words.text("status.power.mute", name=source["name"]), _BAD))
                continue
            if source["mains"] is not None:
                word = words.text("status.power.mains" if source["mains"] else "status.power.battery")
                said.append((word, _GOOD if source["mains"] else _BAD))
            if source["percent"] is not None:
                said.append((words.text("status.power.percent", percent=source["percent"]), ""))
        return self._listed(said)

    def _certificates(self, status: dict[str, Any]) -> Text:
        words, now, said = self._words, datetime.fromisoformat(status["clock"]["at"]), []
        several = len({row["about"].partition(" ")[0] for row in status["certificates"]}) > 1
        for certificate in sorted(status["certificates"], key=lambda row: str(row["ends_at"])):
            left_s = (datetime.fromisoformat(certificate["ends_at"]) - now).total_seconds()
            way, _, which = certificate["about"].partition(" ")
            whose = words.text(f"status.certificate.{which}")
            if several:
                whose = f"{words.text(f'status.way.{way}')} {whose}"
            style = _BAD if left_s <= 0 else _WARN if left_s < _CERTIFICATE_SOON_D * 86_400 else ""
            said.append((f"{whose} {words.text('status.ended') if left_s <= 0 else span(left_s, words)}", style))
        return self._listed(said)

    def _faults(self, faults: list[dict[str, Any]]) -> RenderableType:
        words = self._words
        if not faults:
            return Text(words.text("status.no_faults"), _GOOD)
        table = Table.grid(padding=(0, 2, 0, 0))
        for fault in faults:
            about = fault["about"]
            if fault["kind"] in ("supervision_lost", "wearable_missing", "wearable_impaired") and len(about) == 16:
                about = code.of_handle(about)
            what = Text(f"{kind(fault['kind'], words)}", _BAD)
            table.add_row(what, about, Text(span(fault["since_s"], words)), Text(fault["note"], _DIM))
        return table

    def _news(self, news: News, most: int) -> RenderableType:
        if not news.lines:
            return Text(self._words.text("status.no_news"), _DIM)
        table = Table.grid(padding=(0, 2, 0, 0))
        for at, text in news.lines[-most:]:
            table.add_row(Text(at, _DIM), Text(text, no_wrap=True, overflow="ellipsis"))
        return table

    def _table(self, *names: str) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style=_DIM, pad_edge=False)
        for name in names:
            last = name == "note"
            table.add_column(
                self._words.text(f"status.column.{name}"), no_wrap=True, overflow="ellipsis", ratio=1 if last else None
            )
        return table

    def _listed(self, said: Any) -> Text:
        whole = Text()
        for text, style in said:
            whole.append(" · " if whole else "", _DIM).append(text, style)
        return whole or Text("–", _DIM)


def _worst_first(row: dict[str, Any]) -> tuple[bool, int, bool, str]:
    """Alarms, then who is missed, then the rest; revoked ones last."""
    rank = {"missing": 1, "lost": 2, "ok": 3}[row["supervision"]]
    return row["revoked"], 0 if row["open"] else rank, row["role"] != "home", row["wearable"]
