"""The factory's test on the real firmware over the bench's chip: a good board passes, each broken part is found."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bleak
import pytest

from hil_tests import micropython
from hil_tests.board.program import Around
from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.scanner import BumbleScanner
from tests.hil_tests.board.cabled import Cabled
from tests.tools.factory.jig import BenchJig
from tools import cli
from tools.factory import bench

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")
RECORDS = 0x3C0000
Run = Callable[..., tuple[int, dict[str, Any], list[dict[str, Any]]]]


class OwnScanner(BumbleScanner):
    """Gives the adapter back at the end: each ear has an event loop of its own."""

    async def stop(self) -> None:
        await super().stop()
        await self._adapter.close()


class Room:
    """The bench's radio, with this computer's own adapter in it."""

    def __init__(self, sockets: Path) -> None:
        self.wearables, self._control, self.adapter = (sockets / name for name in ("wearables", "control", "ear"))
        command = [sys.executable, "-m", "hil_tests.radio", "--wearables", str(self.wearables), "--seed", "1"]
        command += ["--control", str(self._control), "--gateway", f"ear=unix:{self.adapter}"]
        with (sockets / "log").open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", (sockets / "log").read_text()

    def ask(self, **request: object) -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self._control))
            control.sendall(json.dumps(request).encode() + b"\n")
            with control.makefile() as answers:
                assert json.loads(answers.readline())["ok"]

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with tempfile.TemporaryDirectory(prefix="pingan-room-") as sockets:
        made = Room(Path(sockets))
        yield made
        made.close()


@pytest.fixture
def tested(
    flash: bytes, room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run the command on a board with something broken: exit code, parts, the book's lines."""
    monkeypatch.setattr(bench, "PRESS_WITHIN_S", 2.0)
    monkeypatch.setattr(bench, "HEAR_WITHIN_S", 2.0)

    def run(broken: str = "", *, dead: str = "", rssi_dbm: int = -50, radio: bool = True, **jig_is: Any) -> Any:
        (tmp_path / "flash.bin").write_bytes(flash)
        environment = {"PINGAN_BROKEN": broken, **({"PINGAN_DEAD_FLASH": dead} if dead else {})}
        scanner = functools.partial(OwnScanner, Adapter(f"unix:{room.adapter}"))
        monkeypatch.setattr(bleak, "get_platform_scanner_backend_type", lambda: (scanner, "bench"))
        room.ask(do="rssi", name=Around.mac, gateway="ear", dbm=rssi_dbm)
        book = tmp_path / "factory.jsonl"
        with BenchJig(**jig_is) as jig:
            around = Around(body=jig.body, radio_socket=room.wearables if radio else None, environment=environment)
            with Cabled(tmp_path, around) as board:
                arguments = ["factory-test", "--port", board.port, "--measured", jig.port, "--results", str(book)]
                code = cli.main([*arguments, "--json"])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        parts = {row["step"]: row for row in rows if row["state"] != "begun" and row["step"] != "all"}
        return code, parts, [json.loads(line) for line in book.read_text().splitlines()]

    return run


def states(parts: dict[str, Any]) -> dict[str, str]:
    return {part: row["state"] for part, row in parts.items()}


GOOD = dict.fromkeys(bench.PARTS, "done") | {"accelerometer": "skipped"}


def test_a_good_board_passes_and_what_it_has_not_is_not_passed(tested: Run) -> None:
    code, parts, book = tested()
    assert states(parts) == GOOD, parts
    assert code == 0
    assert -60 < parts["radio"]["rssi_dbm"] < -40
    assert parts["battery"]["mv"] == 4000
    assert parts["button"]["edges"] == 2
    assert parts["accelerometer"]["reason"] == "factory.not_fitted"
    assert book[0]["serial"] == "6055f9000001"
    assert book[0]["board"] == "pendant-xiao-esp32c3"
    assert book[0]["passed"] is True


@pytest.mark.parametrize(
    ("part", "reason", "how"),
    [
        ("led", "factory.led", {"broken": "led"}),
        ("led", "factory.led", {"broken": "green"}),
        ("motor", "factory.motor", {"broken": "motor"}),
        ("motor", "factory.motor_on", {"broken": "motor_on"}),
        ("button", "factory.no_press", {"presses": []}),
        ("button", "factory.button_stuck", {"broken": "button"}),
        ("button", "factory.bounces", {"presses": [("down", 8), ("up", 8)] * 6 + [("down", 150), ("up", 0)]}),
        ("battery", "factory.battery", {"battery_mv": 0}),
        ("battery", "factory.battery", {"battery_mv": 4600}),
        ("flash", "factory.flash", {"dead": f"{RECORDS + 0x8000},{RECORDS + 0x8FFF}"}),
        ("radio", "factory.radio", {"radio": False}),
        ("radio", "factory.not_heard", {"rssi_dbm": -95}),
    ],
)
def test_each_broken_part_is_found_and_no_other(tested: Run, part: str, reason: str, how: dict[str, Any]) -> None:
    code, parts, book = tested(**how)
    assert code == 1
    assert states(parts) == GOOD | {part: "failed"}, parts
    assert parts[part]["reason"] == reason
    assert book[0]["parts"][part]["state"] == "failed"
