"""A worker at a terminal: asked, answering, reading the table; and who is refused."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from hil_tests import micropython
from hil_tests.board.program import Around
from tests.hil_tests.board.cabled import Cabled
from tests.tools.factory.jig import BenchJig
from tools import cli
from tools.messages import Messages

pytestmark = pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build")
COLUMNS = 80
WITHIN_S = 90.0


class Terminal:
    """The command at a terminal of 80 columns."""

    def __init__(self, *arguments: str) -> None:
        self._near, far = os.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        command = [sys.executable, "-m", "tools.cli", *arguments]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(COLUMNS)}
        self.process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=environment)
        os.close(far)
        self.said = ""

    def hears(self, wanted: str) -> None:
        """From here on; what was heard before does not count."""
        said, ends_s = b"", time.monotonic() + WITHIN_S
        while wanted not in said.decode(errors="ignore"):
            left_s = ends_s - time.monotonic()
            assert left_s > 0, f"no {wanted!r} in {said.decode(errors='replace')}"
            if select.select([self._near], [], [], left_s)[0]:
                said += os.read(self._near, 1)
        self.said += said.decode(errors="replace")

    def types(self, text: str) -> None:
        os.write(self._near, text.encode() + b"\n")

    def ends(self) -> int:
        """The rest of what it says, and its exit code."""
        while True:
            try:
                data = os.read(self._near, 4096)
            except OSError:
                break
            self.said += data.decode(errors="replace")
        os.close(self._near)
        return self.process.wait(WITHIN_S)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("good", [True, False])
def test_a_worker_answers_and_the_table_says_what_was_found(
    flash: bytes, tmp_path: Path, lang: str, good: bool
) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    words = Messages(lang)
    book = tmp_path / "book"
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body)) as board:
        terminal = Terminal("--lang", lang, "factory-test", "--port", board.port, "--results", str(book))
        for rgb in ("ff0000", "00ff00", "0000ff") if good else ("ff0000",):
            terminal.hears(words.text("factory.sees", colour=words.text(f"factory.colour.{rgb}")))
            jig.shows_within("led", rgb, WITHIN_S)
            terminal.types("y" if good else "n")
        terminal.hears(words.text("factory.feels"))
        jig.shows_within("motor", "1", WITHIN_S)
        terminal.types("")
        terminal.hears(words.text("factory.press_now"))
        jig.press()
        # The bench's radio is off: that part fails here, and is not this test's.
        assert terminal.ends() == 1
        # The application runs again: there is something to interrupt.
        board.type(b"\x03")
        assert board.hears("KeyboardInterrupt")
    parts = json.loads(book.read_text())["parts"]
    assert parts["led"]["state"] == ("done" if good else "failed")
    assert parts["motor"]["state"] == parts["button"]["state"] == "done"
    table = terminal.said[terminal.said.rindex("6055f9000001") :]
    assert words.text("factory.step.button") in table
    assert words.text("factory.state.skipped") in table
    plain = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", table)
    wide = [line for line in plain.splitlines() if sum(1 + (ord(char) > 0x2E80) for char in line.rstrip()) > COLUMNS]
    assert not wide


def test_ctrl_c_leaves_a_wearable_whose_application_runs(flash: bytes, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    book = tmp_path / "book"
    with BenchJig() as jig, Cabled(tmp_path, Around(body=jig.body)) as board:
        terminal = Terminal("factory-test", "--port", board.port, "--results", str(book))
        terminal.hears(Messages("en").text("factory.sees", colour="red"))
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ends() == 130
        board.type(b"\x03")
        assert board.hears("KeyboardInterrupt")
    assert not book.exists()


def test_without_a_terminal_and_without_a_jig_nobody_can_be_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert cli.main(["--lang", "en", "factory-test", "--port", "/dev/none"]) == 2
    assert "--measured" in capsys.readouterr().err


def test_a_board_without_our_application_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with BenchJig() as jig, Cabled(tmp_path) as board:
        arguments = ["factory-test", "--port", board.port, "--measured", jig.port, "--results", str(tmp_path / "book")]
        assert cli.main(["--lang", "en", *arguments]) == 2
    assert "pingan flash" in capsys.readouterr().err
    assert not (tmp_path / "book").exists()


def test_a_jig_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], flash: bytes, tmp_path: Path) -> None:
    (tmp_path / "flash.bin").write_bytes(flash)
    near, far = os.openpty()
    with Cabled(tmp_path) as board:
        arguments = ["factory-test", "--port", board.port, "--measured", os.ttyname(far)]
        assert cli.main(["--lang", "en", *arguments, "--results", str(tmp_path / "book")]) == 2
    os.close(near)
    os.close(far)
    assert "jig" in capsys.readouterr().err
