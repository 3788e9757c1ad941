"""The journal around an upgrade: copied whole, put back with what was stored meanwhile, and never less than it was."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from edge_daemon.journal import schema
from tools.install import journal_copy

_PRESS = (
    "INSERT INTO events (wearable, number, kind, detail, age_ms, age_resolution_ms, age_at_least, battery_percent,"
    " link, boot_id, heard_ms, heard_wall_ms, about, note, stage, reason, urgency)"
    " VALUES ('f0f8871521dda5de', ?, 1, 0, 0, 1, 0, 80, 'ble', 'b', 1, 1, '', '', 1, 0, 0)"
)


def make(path: Path, presses: int, *, newer: bool = False) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for step in schema.STEPS:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {len(schema.STEPS) + newer}")
        if newer:
            db.execute("ALTER TABLE events ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
        for number in range(1, presses + 1):
            db.execute(_PRESS, (number,))
        db.execute("INSERT INTO windows VALUES ('f0f8871521dda5de', ?)", (presses,))
        db.commit()
    return path


def presses(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [number for (number,) in db.execute("SELECT number FROM events ORDER BY number")]


def window(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT counter FROM windows").fetchone()[0])


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return make(tmp_path / "journal.sqlite3", 5)


def test_a_copy_holds_what_is_in_the_write_ahead_log_too(journal: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(_PRESS, (6,))
        db.commit()
        assert journal.with_name("journal.sqlite3-wal").stat().st_size > 0
        journal_copy.copy(journal, tmp_path / "upgrade/copy.sqlite3")
    assert presses(tmp_path / "upgrade/copy.sqlite3") == [1, 2, 3, 4, 5, 6]
    assert (tmp_path / "upgrade").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "upgrade/copy.sqlite3").stat().st_mode & 0o777 == 0o600


def test_tables_that_the_old_version_can_read_are_left_alone(journal: Path, tmp_path: Path) -> None:
    kept, aside = make(tmp_path / "kept.sqlite3", 3), tmp_path / "aside.sqlite3"
    before = journal.read_bytes()
    assert journal_copy.put_back(kept, journal, aside) == 0
    assert journal.read_bytes() == before
    assert not aside.exists()


def test_what_was_stored_after_the_copy_is_carried_over_and_the_newer_journal_kept(tmp_path: Path) -> None:
    journal = make(tmp_path / "journal.sqlite3", 8, newer=True)
    kept, aside = make(tmp_path / "kept.sqlite3", 5), tmp_path / "aside.sqlite3"
    assert journal_copy.put_back(kept, journal, aside) == 3
    assert presses(journal) == presses(aside) == list(range(1, 9))
    # A frame that the newer version has taken is not taken again.
    assert window(journal) == 8
    assert presses(kept) == [1, 2, 3, 4, 5]
    with contextlib.closing(sqlite3.connect(journal)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema.STEPS),)


def test_a_damaged_journal_is_kept_and_the_copy_put_in_its_place(tmp_path: Path) -> None:
    journal = make(tmp_path / "journal.sqlite3", 8, newer=True)
    noise = b"no database" * 1000
    journal.write_bytes(noise)
    kept, aside = make(tmp_path / "kept.sqlite3", 5), tmp_path / "aside.sqlite3"
    assert journal_copy.put_back(kept, journal, aside) == -1
    assert presses(journal) == [1, 2, 3, 4, 5]
    assert aside.read_bytes() == noise


def test_columns_that_cannot_be_carried_are_told_and_the_newer_journal_kept(tmp_path: Path) -> None:
    journal = make(tmp_path / "journal.sqlite3", 8, newer=True)
    with contextlib.closing(sqlite3.connect(journal)) as db:
        db.execute("ALTER TABLE events DROP COLUMN about")
        db.commit()
    kept, aside = make(tmp_path / "kept.sqlite3", 5), tmp_path / "aside.sqlite3"
    assert journal_copy.put_back(kept, journal, aside) == -1
    assert presses(journal) == [1, 2, 3, 4, 5]
    assert presses(aside) == list(range(1, 9))


class Gone(Exception):
    pass


@pytest.mark.parametrize("point", range(1, 13))
def test_put_back_cut_at_any_change_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    journal = make(tmp_path / "journal.sqlite3", 8, newer=True)
    kept, aside = make(tmp_path / "kept.sqlite3", 5), tmp_path / "aside.sqlite3"
    count = 0
    with monkeypatch.context() as patched:
        for name in ("replace", "fsync", "unlink", "mkdir"):
            real = getattr(os, name)

            def counted(*arguments: object, real: object = real, **named: object) -> object:
                nonlocal count
                count += 1
                if count == point:
                    raise Gone
                return real(*arguments, **named)  # type: ignore[operator]

            patched.setattr(os, name, counted)
        with contextlib.suppress(Gone):
            journal_copy.put_back(kept, journal, aside)
    assert count >= point or point > 10
    assert set(presses(journal)) >= {1, 2, 3, 4, 5}
    journal_copy.put_back(kept, journal, aside)
    assert presses(journal) == list(range(1, 9))
    assert window(journal) == 8
