"""A directory made a gateway's root: what lies where, twice the same, and cut off anywhere.

Nothing is started here; test_service.py and test_upgrade.py have a machine for that.
"""

from __future__ import annotations

import hashlib
import os
import pty
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge_daemon import config
from tools import cli

from . import trees
from .conftest import GATEWAY, PASSPHRASE, make_pkcs12, rows, verdict

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files are given to the service's user: needs root")
POINTS = 24
PARTS = 4
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """The arguments of a whole installation, without its root."""
    (tmp_path / "answers.toml").write_text(f'id = "{GATEWAY}"\narea = "area-3"\nbroker = "broker.example.org"\n')
    (tmp_path / "test_only_passphrase").touch(mode=0o600)
    (tmp_path / "test_only_passphrase").write_bytes(PASSPHRASE + b"\n")
    bundle = make_pkcs12(tmp_path)
    answers = ["--answers", str(tmp_path / "answers.toml"), "--bundle", str(bundle)]
    phrase = ["--passphrase-file", str(tmp_path / "test_only_passphrase")]
    return ["gateway", "install", "--json", *answers, *phrase, "--from", str(trees.tiny(tmp_path / "tree"))]


def lies(root: Path) -> dict[str, tuple[str, str, int, str]]:
    """Everything under a root: path -> kind, mode, owner, contents."""
    found = {}
    for path in sorted(root.rglob("*")):
        now = path.lstat()
        content = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes().replace(str(root).encode(), b"")).hexdigest()
        found[str(path.relative_to(root))] = (stat.filemode(now.st_mode), oct(now.st_mode), now.st_uid, content)
    return found


def install(root: Path, given: list[str]) -> int:
    root.mkdir(exist_ok=True)
    return cli.main([*given, "--root", str(root)])


def cut(given: list[str], root: Path, before: int, how: str) -> tuple[int, int]:
    """Run with a cut. Returns the exit code and how many changes there were."""
    root.mkdir(exist_ok=True)
    count = root.parent / f"{root.name}.count"
    count.write_text("0")
    command = [
        sys.executable,
        "-m",
        "tests.tools.install.cut",
        str(before),
        how,
        str(count),
        *given,
        "--root",
        str(root),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 99, done.stderr
    return done.returncode, int(count.read_text())


def test_each_thing_lies_where_it_should_with_its_mode_and_a_second_run_finds_nothing_to_do(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    planned = cli.main([*given, "--root", str(root), "--dry-run"])
    told = rows(capsys.readouterr().out)
    assert planned == 0
    assert lies(root) == {}
    assert all(row["state"] == "would" for row in told)

    assert install(root, given) == 0
    done = rows(capsys.readouterr().out)
    assert {row["step"] for row in done if row["state"] == "done"} == {row["step"] for row in told}
    assert verdict_of(done)["acts"] == len(told) - 1
    there = lies(root)
    user = there["etc/pingan"][2]
    assert user != 0
    for name in ("etc/pingan", "var/lib/pingan"):
        assert there[name][:3] == ("drwx------", "0o40700", user)
    for name in ("gateway.toml", "wearables.json", "gateway.pem", "ca.pem"):
        assert there[f"etc/pingan/{name}"][:3] == ("-rw-------", "0o100600", user)
    for name, (_, mode, owner, _content) in there.items():
        if name.startswith("opt/pingan"):
            assert owner == 0, name
            assert not int(mode, 8) & (stat.S_IWGRP | stat.S_IWOTH) or mode.startswith("0o12"), name
    assert there["usr/local/bin/pingan"][3] == "/opt/pingan/current/bin/pingan"
    assert there["etc/systemd/system/multi-user.target.wants/pingan-gateway.service"][3].endswith(".service")
    (version,) = (root / "opt/pingan/versions").iterdir()
    assert (root / "opt/pingan/current").resolve() == version
    assert subprocess.run([root / "opt/pingan/current/bin/python", "-P", "-c", "import edge_daemon"], check=True)

    assert install(root, given) == 0
    assert verdict(capsys.readouterr().out)["reason"] == "install.unchanged"
    after = lies(root)
    after.pop(next(name for name in after if name.endswith("edge_daemon/__pycache__")), None)
    assert after.items() <= there.items()


def test_what_nobody_has_given_is_asked_for_on_a_terminal_and_refused_without_one(
    tmp_path: Path, given: list[str]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    at = given.index("--answers")
    command = [sys.executable, "-m", "tools.cli", "--lang", "zh", *given[:at], *given[at + 2 :], "--root", str(root)]
    without = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert without.returncode == 2
    assert "--answers" in without.stderr
    assert lies(root) == {}
    ours, theirs = pty.openpty()
    os.write(ours, f"{GATEWAY}\n\nbroker.example.org\n".encode())
    done = subprocess.run(command, cwd=ROOT, stdin=theirs, capture_output=True, text=True, check=False, timeout=120)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert "网关的编号" in done.stderr
    settings = config.load(root / "etc/pingan/gateway.toml")
    assert (settings.gateway.id, settings.gateway.area) == (GATEWAY, "area-1")
    assert settings.platform.host == "broker.example.org"
    assert str(settings.control_socket) == "/run/pingan/control.sock"


def verdict_of(told: list[dict[str, object]]) -> dict[str, object]:
    assert told[-1]["step"] == "all"
    return told[-1]


@pytest.mark.parametrize("part", range(PARTS))
def test_an_installation_cut_anywhere_is_finished_by_the_next(tmp_path: Path, given: list[str], part: int) -> None:
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    whole = tmp_path / "whole"
    code, changes = cut(given, whole, 0, "power")
    assert code == 0
    assert changes > POINTS
    wanted = lies(whole)
    points = random.Random(seed).sample(range(1, changes + 1), POINTS)[part::PARTS]
    print(f"SEED={seed} points {points} of {changes}")
    for number, point in enumerate(points):
        how = ("power", "ctrl-c")[(number + part) % 2]
        root = tmp_path / f"cut-{point}"
        code, _ = cut(given, root, point, how)
        assert code == (137 if how == "power" else 130), point
        assert_nothing_is_half(root)
        assert install(root, given) == 0, point
        assert lies(root) == wanted, (seed, point, how)


def assert_nothing_is_half(root: Path) -> None:
    """No secret can be read by others, and what `current` names is whole."""
    for path in (root / "etc/pingan").rglob("*"):
        assert not path.stat().st_mode & 0o077, path
    current = root / "opt/pingan/current"
    if current.is_symlink():
        assert (current / "complete").exists()


@pytest.mark.parametrize("purge", [False, True])
def test_an_uninstallation_cut_anywhere_is_finished_by_the_next(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str], purge: bool
) -> None:
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    remove = ["gateway", "uninstall", "--json", *(["--purge", "--yes"] if purge else [])]
    counted = tmp_path / "counted"
    assert install(counted, given) == 0
    code, changes = cut(remove, counted, 0, "power")
    assert code == 0
    points = random.Random(seed).sample(range(1, changes + 1), 6)
    print(f"SEED={seed} points {points} of {changes}")
    for point in points:
        root = tmp_path / f"cut-{point}"
        assert install(root, given) == 0
        (root / "var/lib/pingan/journal.sqlite3").write_bytes(b"alarms")
        cut(remove, root, point, "power")
        assert purge or (root / "var/lib/pingan/journal.sqlite3").exists()
        capsys.readouterr()
        assert cli.main([*remove, "--root", str(root)]) == 0
        assert verdict(capsys.readouterr().out)["state"] == "done"
        left = {str(path.relative_to(root)) for path in root.rglob("*pingan*")}
        kept = set() if purge else {"etc/pingan", "var/lib/pingan"}
        assert left == kept, (seed, point)
        assert (root / "etc/pingan/gateway.pem").exists() is not purge
