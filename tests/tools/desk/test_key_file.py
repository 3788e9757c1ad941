"""`pingan desk keys new` and `pingan desk import`: what ends up in the key file, and what is refused."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from protocol.keys import derive
from tools import cli
from tools.desk import key_file, keys
from tools.records import platform_key, record

ROOTS = [b"test_only_root_%d" % number for number in range(10)]
ROOTS = [root.ljust(16, b"_") for root in ROOTS]


class Platform:
    """A key pair, a key file, and a technician's records."""

    def __init__(self, directory: Path) -> None:
        self.private, self.public = directory / "platform.key", directory / "platform.pub"
        self.keys = directory / "keys.json"
        self.records = directory / "records"
        self.records.mkdir()
        assert cli.main(["desk", "keys", "new", "--private", str(self.private), "--public", str(self.public)]) == 0

    def record(self, root: bytes, hardware: str = "a0b1c2d3e4f5", replaces: str | None = None) -> Path:
        sealed = record.seal(root, hardware, "2026-11-27T20:00:00Z", replaces, platform_key.load_public(self.public))
        file = self.records / f"{sealed.about.handle}-{hardware}.json"
        file.write_text(json.dumps(sealed.as_json()))
        return file

    def take(self, *files: Path) -> int:
        named = [str(file) for file in files]
        return cli.main(["desk", "import", "--keys", str(self.keys), "--private", str(self.private), "--json", *named])

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.keys.read_text())["wearables"]
        return rows


@pytest.fixture
def platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Platform:
    made = Platform(tmp_path)
    capsys.readouterr()
    return made


def _written(file: Path) -> tuple[int, int, int]:
    """What tells one writing from another; when it was read, is in stat(), too."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_imported_is_what_the_desk_reads(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    files = [platform.record(root, f"0{number}") for number, root in enumerate(ROOTS)]
    assert platform.take(*files) == 0
    assert [(row["of"], row["state"]) for row in _told(capsys)] == [(str(file), "done") for file in files]
    assert platform.keys.stat().st_mode & 0o777 == 0o600
    held = keys.load(platform.keys)
    assert [(one.handle, one.up) for one in held.values()] == [
        (derive(root).handle.hex(), derive(root).up) for root in ROOTS
    ]


def test_importing_again_changes_nothing(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    file = platform.record(ROOTS[0])
    assert platform.take(file) == 0
    before = _written(platform.keys)
    capsys.readouterr()
    assert platform.take(file, file) == 0
    assert [row["state"] for row in _told(capsys)] == ["skipped", "skipped"]
    assert _written(platform.keys) == before, "not even written again"


def test_what_it_replaces_is_noted_and_rows_of_other_hands_stay(platform: Platform) -> None:
    by_hand = {"wearable": derive(ROOTS[5]).handle.hex(), **dict.fromkeys(("up", "down", "id"), "00" * 16)}
    key_file.files.replace_json(platform.keys, {"v": 1, "wearables": [by_hand]})
    old = derive(ROOTS[0]).handle.hex()
    assert platform.take(platform.record(ROOTS[0]), platform.record(ROOTS[1], replaces=old)) == 0
    assert platform.rows()[0] == by_hand
    assert [row["replaces"] for row in platform.rows()[1:]] == [None, old]


def test_bad_records_are_refused_each_by_name_and_the_good_ones_taken(
    platform: Platform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, tampered, strange = (platform.record(root) for root in ROOTS[:3])
    tampered.write_text(tampered.read_text().replace("a0b1c2d3e4f5", "a0b1c2d3e4f6"))
    strange.write_text("{}")
    (tmp_path / "other").mkdir()
    foreign = Platform(tmp_path / "other").record(ROOTS[3])
    twin = platform.record(ROOTS[0], "ffffffffffff")
    capsys.readouterr()
    assert platform.take(good, tampered, strange, foreign, twin, tmp_path / "none.json") == 2
    told = _told(capsys)
    assert [(row["of"], row.get("reason")) for row in told] == [
        (str(good), "enrolment.import.added"),
        (str(tampered), "record.damaged"),
        (str(strange), "record.not_understood"),
        (str(foreign), "record.other_platform"),
        (str(tmp_path / "none.json"), "private.unreadable"),
        (str(twin), "record.other_hardware"),
    ]
    assert [row["wearable"] for row in platform.rows()] == [derive(ROOTS[0]).handle.hex()]


def test_no_root_is_told(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    file = platform.record(ROOTS[0])
    for arguments in (["--json"], []):
        cli.main(
            ["desk", "import", "--keys", str(platform.keys), "--private", str(platform.private), str(file), *arguments]
        )
        said = capsys.readouterr()
        assert ROOTS[0].hex() not in said.out + said.err
        assert said.out
    assert ROOTS[0].hex() in platform.keys.read_text(), "the key file has it"


def test_a_directory_is_all_of_its_records(platform: Platform) -> None:
    for number, root in enumerate(ROOTS[:4]):
        platform.record(root, f"0{number}")
    assert platform.take(platform.records) == 0
    assert len(platform.rows()) == 4


def test_a_key_file_that_others_may_read_is_refused_and_left(platform: Platform) -> None:
    platform.take(platform.record(ROOTS[0]))
    platform.keys.chmod(0o644)
    was = platform.keys.read_bytes()
    assert platform.take(platform.record(ROOTS[1])) == 2
    assert platform.keys.read_bytes() == was


def test_two_imports_at_once_lose_none(platform: Platform) -> None:
    private = platform_key.load_private(platform.private)
    opened = []
    for number, root in enumerate(ROOTS):
        found = record.read(platform.record(root, f"0{number}"))
        opened.append((found, record.open_root(found, private)))
    workers = [threading.Thread(target=key_file.take_up, args=(platform.keys, [one])) for one in opened]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(platform.rows()) == len(ROOTS)


def test_the_desk_itself_still_needs_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--lang", "en", "desk", "--database", "x"]) == 2
    assert "--broker" in capsys.readouterr().err
