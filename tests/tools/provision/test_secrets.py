"""Where keys are looked for and not found: screen, arguments, logs, files, errors. And what goes over the cable."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from hil_tests.board.bench import ROOT
from protocol.keys import DeviceKeys, derive
from tests.tools.provision.conftest import KitBench, PulledOn
from tools import cli
from tools.provision.device import Device
from tools.records.record import open_root, read


def _forms(secret: bytes) -> list[bytes]:
    """As somebody might have written it."""
    text = secret.hex()
    spaced = " ".join(f"{byte:02x}" for byte in secret)
    return [secret, text.encode(), text.upper().encode(), base64.b64encode(secret)[:20], repr(secret)[2:-1].encode(),
            spaced.encode(), str(list(secret)).encode()]  # fmt: skip


def _is_in(secret: bytes, said: bytes) -> bool:
    return any(form in said for form in _forms(secret))


def _processes() -> bytes:
    """Arguments and environments of everything that runs, as far as this user may read them."""
    said = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                said += (process / name).read_bytes() + b"\n"
            except OSError:
                continue
    return said


def _everywhere(bench: KitBench) -> dict[str, bytes]:
    """Every file of the bench and of the home of who ran it."""
    return {
        str(file.relative_to(bench.directory)): file.read_bytes()
        for file in bench.directory.rglob("*")
        if file.is_file()
    }


def _run_spied(bench: KitBench, arguments: list[str]) -> tuple[int, bytes, bytes]:
    """Exit code, output, and what was seen among the processes meanwhile."""
    command = [sys.executable, "-m", "tools.cli", *arguments]
    seen = b""
    with subprocess.Popen(
        command, env=bench.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        said = b""
        for line in process.stdout:
            said += line
            seen += _processes()
    return process.returncode, said, seen


@pytest.mark.parametrize("pull_on", [b"", b"_here.write(", b"_here.question(", b"_here.activate("])
def test_no_key_is_seen_by_anybody_but_the_board_and_the_platform(bench: KitBench, pull_on: bytes) -> None:
    heard = PulledOn(word=pull_on)
    board = bench.flashed("a", faults=heard)
    code, said, seen = _run_spied(bench, bench.arguments(board))
    assert code == (1 if pull_on else 0), said
    assert b"tools.cli" in seen, "the spy saw nothing"
    board.pull()
    roots = _roots(bench)
    assert roots
    for root in roots:
        keys = derive(root)
        for secret in (root, keys.up, keys.down, keys.id, keys.trail):
            assert not _is_in(secret, said), "on the screen"
            assert not _is_in(secret, seen), "among the processes"
        assert not _is_in(root, bytes(heard.heard)), "the root is nobody's but the platform's"
        if not pull_on:
            assert _is_in(keys.up, bytes(heard.heard)), "or this spy is deaf"
        for name, content in _everywhere(bench).items():
            _judge(name, content, root, keys)


def _judge(name: str, content: bytes, root: bytes, keys: DeviceKeys) -> None:
    assert not _is_in(root, content), name
    if not name.endswith("flash.bin"):
        assert not _is_in(keys.trail, content), name
    for secret in (keys.up, keys.down, keys.id):
        if not name.endswith("flash.bin") and not name.startswith(("kit/enrolments/", "kit/pending/")):
            assert not _is_in(secret, content), name


def _roots(bench: KitBench) -> list[bytes]:
    """Of every record there is, as the platform opens it: nothing on disk holds them."""
    import json

    from tools.records import platform_key
    from tools.records.record import from_json

    private = platform_key.load_private(bench.private)
    found = [read(file) for file in (bench.store / "records").glob("*.json")]
    for file in (bench.store / "pending").glob("*.json"):
        found.append(from_json(json.loads(file.read_text())["record"], file))
    return [open_root(one, private) for one in found]


def test_a_fault_that_nobody_foresaw_does_not_say_what_was_being_sent(
    bench: KitBench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    board = bench.flashed("a")
    given: list[DeviceKeys] = []

    def fail(_self: Device, keys: DeviceKeys) -> NoReturn:
        given.append(keys)
        raise RuntimeError(f"could not send {keys.up.hex()}")

    monkeypatch.setattr(Device, "write", fail)
    assert cli.main(bench.arguments(board)) == 1
    assert cli.main(["--lang", "zh", *(word for word in bench.arguments(board) if word != "--json")]) == 1
    said = "".join(capsys.readouterr()).encode()
    assert b"RuntimeError" in said
    assert len(given) == 2
    for keys in given:
        assert not _is_in(keys.up, said)
