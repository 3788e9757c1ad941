"""Versions only rise: over restarts, cuts and lost files, by whatever clock, and when many ask at once."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from tools.care.versions import Made, Versions

A, B = "00112233445566aa", "00112233445566bb"


def test_they_follow_the_clock_and_rise_where_it_does_not(tmp_path: Path) -> None:
    now = [1_800_000_000.9]
    versions = Versions(tmp_path / "store", lambda: now[0])
    assert versions.last(A) is None
    assert not (tmp_path / "store").exists()
    took = [versions.take(A, "older", "x", "") for _ in range(3)]
    assert took == [1_800_000_000, 1_800_000_001, 1_800_000_002]
    now[0] = 5.0
    again = Versions(tmp_path / "store", lambda: now[0])
    assert again.take(A, "child", "y", "g-1") == 1_800_000_003
    assert again.last(A) == Made(1_800_000_003, "child", "y", "g-1")
    assert again.take(B, "older", "x", "") == 5
    assert again.take(B, "older", "x", "", above=9000) == 9001
    now[0] = 1_900_000_000.0
    assert again.take(A, "child", "y", "g-1") == 1_900_000_000


def _take(directory: Path, count: int) -> list[int]:
    return [Versions(directory, lambda: 0.0).take(A, "older", "x", "") for _ in range(count)]


def test_of_many_processes_at_once_none_gets_anothers(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        took = pool.starmap(_take, [(tmp_path / "store", 12)] * 4)
    assert sorted(version for part in took for version in part) == list(range(1, 49))
    assert all(part == sorted(part) for part in took)


def test_the_power_may_fail_anywhere_and_none_is_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call that touches the disk is the last one in its turn."""
    directory, given = tmp_path / "store", [Versions(tmp_path / "store", lambda: 0.0).take(A, "older", "x", "")]
    for name in ("unlink", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, _cut)
            with pytest.raises(_Cut):
                Versions(directory, lambda: 0.0).take(A, "older", "x", "")
        given.append(Versions(directory, lambda: 0.0).take(A, "older", "x", ""))
    for name in ("edge_daemon.durable.sync_directory", "os.fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(name, _cut)
            with pytest.raises(_Cut):
                Versions(directory, lambda: 0.0).take(A, "older", "x", "")
        given.append(Versions(directory, lambda: 0.0).take(A, "older", "x", ""))
    assert given == sorted(set(given))


class _Cut(BaseException):
    pass


def _cut(*_args: object, **_kwargs: object) -> None:
    raise _Cut


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"wearables": []}', b'{"wearables": {"x": {}}}', b'{"wearables": {"00112233445566aa": 3}}',
     b'{"wearables": {"00112233445566aa": {"version": true, "profile": "", "centre": "", "guardian": ""}}}',
     b'{"wearables": {"00112233445566aa": {"version": 4294967296, "profile": "", "centre": "", "guardian": ""}}}'],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_not_made_anew(tmp_path: Path, content: bytes) -> None:
    versions = Versions(tmp_path / "store", lambda: 0.0)
    versions.take(A, "older", "x", "")
    versions.file.write_bytes(content)
    for ask in (lambda: versions.take(A, "older", "x", ""), lambda: versions.last(A)):
        with pytest.raises(Refusal) as caught:
            ask()
        assert caught.value.key == "care.store_damaged"
    assert versions.file.read_bytes() == content


def test_it_is_nobody_elses_business_and_there_is_an_end(tmp_path: Path) -> None:
    versions = Versions(tmp_path / "store", lambda: 0.0)
    versions.take(A, "older", "x", "")
    assert versions.file.stat().st_mode & 0o777 == 0o600
    assert versions.file.parent.stat().st_mode & 0o777 == 0o700
    assert set(json.loads(versions.file.read_text())["wearables"][A]) == {"version", "profile", "centre", "guardian"}
    versions.take(A, "older", "x", "", above=0xFFFFFFFE)
    with pytest.raises(Refusal) as caught:
        versions.take(A, "older", "x", "")
    assert caught.value.key == "care.no_versions_left"
    versions.file.chmod(0o640)
    with pytest.raises(Refusal) as caught:
        versions.last(A)
    assert caught.value.key == "private.too_open"
    versions.file.parent.chmod(0o755)
    with pytest.raises(Refusal) as caught:
        versions.take(A, "older", "x", "")
    assert caught.value.key == "record.store_open"
