"""The key file changed by us: all of it or nothing, and nobody else's rows and words are lost."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from edge_daemon import key_file, registry
from edge_daemon.errors import Refusal
from edge_daemon.key_file import Change, change

from .test_config import key_file as written
from .wearer import Wearer

A, B, C = Wearer("a"), Wearer("b"), Wearer("c")


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text())["wearables"]
    return rows


def _refused(path: Path, wanted: Change, **more: bool) -> str:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(Refusal) as refused:
        change(path, wanted, **more)
    assert (path.read_bytes() if path.exists() else None) == before
    assert not list(path.parent.glob(".*.new"))
    return refused.value.key


def test_a_wearable_is_enrolled_revoked_and_forgotten_and_others_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    kept = {**B.registry_row(), "bed": "by the window", "wearable": B.handle.upper()}
    path.write_text(json.dumps({"v": 1, "site": "home 7", "wearables": [kept]}))
    path.chmod(0o600)
    assert change(path, Change(enrol=[A.registry_row()])).enrolled == [A.handle]
    assert change(path, Change(revoke=[A.handle])).revoked == [A.handle]
    assert _rows(path) == [kept, {**A.registry_row(), "revoked": True}]
    done = change(path, Change(forget=[A.handle]))
    assert (done.forgotten, list(done.wearables)) == ([A.handle], [B.handle])
    assert json.loads(path.read_text()) == {"v": 1, "site": "home 7", "wearables": [kept]}
    assert path.stat().st_mode & 0o7777 == 0o600


def test_what_is_so_already_is_not_written_again(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row(), {**B.registry_row(), "revoked": True}])
    inode = path.stat().st_ino
    done = change(path, Change(enrol=[A.registry_row()], revoke=[B.handle]))
    assert (done.unchanged, done.enrolled, done.revoked) == ([B.handle, A.handle], [], [])
    assert path.stat().st_ino == inode


def test_a_row_brings_no_more_than_a_gateway_needs(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [])
    change(path, Change(enrol=[{**A.registry_row(), "root": "00" * 16, "trail": "11" * 16, "role": "roaming"}]))
    assert _rows(path) == [{**A.registry_row(), "role": "roaming"}]


def test_a_role_changes_when_it_is_named_and_stays_when_it_is_not(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [{**A.registry_row(), "role": "roaming"}])
    assert change(path, Change(enrol=[A.registry_row()])).unchanged == [A.handle]
    done = change(path, Change(enrol=[{**A.registry_row(), "role": "home"}]))
    assert (done.enrolled, done.wearables[A.handle].supervised) == ([A.handle], True)
    done = change(path, Change(enrol=[{**A.registry_row(), "role": "worker"}]))
    assert (done.enrolled, done.wearables[A.handle].supervised) == ([A.handle], False)


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        (Change(revoke=[C.handle]), "registry.unknown"),
        (Change(forget=[C.handle]), "registry.unknown"),
        (Change(enrol=[B.registry_row()]), "registry.was_revoked"),
        (Change(enrol=[{**C.registry_row(), "revoked": True}]), "registry.was_revoked"),
        (Change(enrol=[C.registry_row(), B.registry_row()]), "registry.was_revoked"),
        (Change(enrol=[{**A.registry_row(), "up": "00" * 16}]), "registry.other_keys"),
        (Change(enrol=[{**C.registry_row(), "up": "00"}]), "registry.bad_row"),
        (Change(enrol=[{**C.registry_row(), "role": "guest"}]), "registry.bad_row"),
        (Change(enrol=[{}]), "registry.bad_row"),
        (Change(enrol=[C.registry_row()], revoke=[A.handle], forget=["0" * 16]), "registry.unknown"),
    ],
)
def test_what_cannot_be_is_refused_as_a_whole(tmp_path: Path, wanted: Change, key: str) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row(), {**B.registry_row(), "revoked": True}])
    assert _refused(path, wanted) == key


def test_a_revoked_one_comes_back_only_when_it_was_forgotten(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [{**A.registry_row(), "revoked": True}])
    done = change(path, Change(forget=[A.handle], enrol=[A.registry_row()]))
    assert (done.forgotten, done.enrolled, done.wearables[A.handle].revoked) == ([A.handle], [A.handle], False)


def test_a_missing_file_is_an_empty_one_only_for_who_says_so(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert _refused(path, Change(enrol=[A.registry_row()])) == "private.unreadable"
    assert change(path, Change(), create=True).wearables == {}
    assert registry.load(path) == {}
    path.unlink()
    assert change(path, Change(enrol=[A.registry_row()]), create=True).enrolled == [A.handle]
    assert path.stat().st_mode & 0o7777 == 0o600


def test_there_are_only_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "WEARABLES_MOST", 2)
    path = written(tmp_path / "keys.json", [A.registry_row(), B.registry_row()])
    assert _refused(path, Change(enrol=[C.registry_row()])) == "registry.too_many"
    assert change(path, Change(revoke=[A.handle])).revoked == [A.handle]
    assert change(path, Change(forget=[A.handle], enrol=[C.registry_row()])).enrolled == [C.handle]


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_that_others_could_read_is_refused_and_not_put_right(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row()], mode)
    assert _refused(path, Change(revoke=[A.handle])) == "private.too_open"
    assert path.stat().st_mode & 0o777 == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    path = written(tmp_path / "there" / "keys.json", [A.registry_row()])
    link = tmp_path / "keys.json"
    link.symlink_to(path)
    change(link, Change(revoke=[A.handle]))
    assert link.is_symlink()
    assert _rows(path)[0]["revoked"] is True


@pytest.mark.parametrize("call", ["open", "write", "fsync", "fchmod"])
def test_a_disk_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row()])
    real = getattr(os, call)

    def fails(first: Any, *rest: Any) -> Any:
        # Of `open`, only that of the new file.
        if call == "open" and not str(first).endswith(".new"):
            return real(first, *rest)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fails)
    assert _refused(path, Change(revoke=[A.handle])) == "registry.unwritable"


def test_what_the_disk_did_not_confirm_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row()])
    real, synced = os.fsync, []

    def second_fails(file: int) -> None:
        synced.append(file)
        if len(synced) == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(file)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(Refusal) as refused:
        change(path, Change(revoke=[A.handle]))
    assert refused.value.key == "registry.unsynced"


def test_what_a_power_cut_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [A.registry_row()])
    (tmp_path / ".keys.json.new").write_text("half of a")
    assert change(path, Change(revoke=[A.handle])).revoked == [A.handle]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_locked_for_so_long_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "_LOCKED_MOST_S", 0.05)
    path = written(tmp_path / "keys.json", [A.registry_row()])
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert _refused(path, Change(revoke=[A.handle])) == "registry.locked"
    os.close(other)
    assert change(path, Change(revoke=[A.handle])).revoked == [A.handle]


def test_of_many_who_change_it_at_once_none_loses_anything(tmp_path: Path) -> None:
    path = written(tmp_path / "keys.json", [])
    wearers = [Wearer(f"w{n}") for n in range(20)]
    threads = [threading.Thread(target=change, args=(path, Change(enrol=[w.registry_row()]))) for w in wearers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(registry.load(path)) == {wearer.handle for wearer in wearers}


def test_the_power_may_fail_at_any_call_and_it_is_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that touches the disk is the last one in its turn; what is found then is a whole file."""
    names = ("open", "write", "fsync", "fchmod", "replace")
    real = {name: getattr(os, name) for name in names}
    calls = 0

    class Cut(BaseException):
        pass

    def counted(name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == last:
                raise Cut
            return real[name](*arguments, **named)

        return call

    found = set()
    for last in range(1, 40):
        directory = tmp_path / str(last)
        directory.mkdir()
        path = written(directory / "keys.json", [A.registry_row()])
        calls = 0
        for name in names:
            monkeypatch.setattr(os, name, counted(name))
        try:
            change(path, Change(revoke=[A.handle], enrol=[B.registry_row()]))
        except Cut:
            pass
        finally:
            monkeypatch.undo()
        rows = registry.load(path)
        state = (rows[A.handle].revoked, B.handle in rows)
        assert state in {(False, False), (True, True)}
        found.add(state)
        assert change(path, Change(revoke=[A.handle], enrol=[B.registry_row()])).wearables[A.handle].revoked
    assert found == {(False, False), (True, True)}
