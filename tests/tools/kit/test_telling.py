"""Three shapes of one telling: JSON lines, plain lines; a step never stays open."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from tools.kit.telling import STATES, Telling
from tools.messages import Messages, catalogue

ROOT = Path(__file__).resolve().parents[3]


def _told(capsys: pytest.CaptureFixture[str], *, as_json: bool, lang: str = "en") -> list[str]:
    with Telling("kit", Messages(lang), as_json=as_json) as telling:
        telling.end("/dev/ttyACM0", "all", "refused", "cli.bad_arguments", command="x", why="y")
    return capsys.readouterr().out.splitlines()


def test_json_is_one_object_a_line_with_keys_and_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with Telling("flash", Messages("zh"), as_json=True) as telling:
        telling.begin("p1", "write")
        telling.part("p1", "write", 5, 10)
        telling.end("p1", "write", bytes=7)
        telling.begin("p1", "check")
        telling.verdict("p1", "failed", "cli.bad_arguments", command="x", why="y")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["step"], row["state"]) for row in rows] == [
        ("write", "begun"),
        ("write", "done"),
        ("check", "begun"),
        ("check", "failed"),
        ("all", "failed"),
    ]
    assert all(row["v"] == 1 and row["command"] == "flash" and row["of"] == "p1" for row in rows)
    assert rows[1]["bytes"] == 7
    assert rows[1]["took_s"] >= 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_plain_lines_are_sentences_in_the_persons_language(capsys: pytest.CaptureFixture[str], lang: str) -> None:
    (line,) = _told(capsys, as_json=False, lang=lang)
    assert line.startswith("/dev/ttyACM0  " + catalogue()["kit.state.refused"][lang])
    assert "y" in line


def test_square_brackets_are_text_and_a_path_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    with Telling("kit", Messages("en")) as telling:
        telling.end("p1", "all", "failed", "cli.bad_arguments", command="x", why="[bold]7[/bold]")
    assert "[bold]7[/bold]" in capsys.readouterr().out
    with Telling("kit", Messages("en"), as_json=True) as telling:
        telling.end("p1", "all", file=Path("/tmp/x"))
    assert json.loads(capsys.readouterr().out)["file"] == "/tmp/x"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_terminal_of_80_columns_shows_a_bar_per_device_and_breaks_no_word(lang: str) -> None:
    code = (
        "from tools.kit.telling import Telling; from tools.messages import Messages\n"
        f"with Telling('flash', Messages({lang!r})) as telling:\n"
        "    for of in ('/dev/ttyACM0', '/dev/serial/by-id/usb-Espressif_USB_JTAG_serial_debug_unit_34:85:18-if00'):\n"
        "        telling.begin(of, 'write'); telling.part(of, 'write', 40, 100)\n"
        "    telling.verdict(of, 'refused', 'flash.provisioned')\n"
        "    telling.verdict('/dev/ttyACM0', 'done', 'flash.done')\n"
    )
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    environment.pop("COLUMNS", None)
    with subprocess.Popen([sys.executable, "-c", code], stdout=terminal, stdin=terminal, env=environment) as child:
        os.close(terminal)
        said = b""
        with contextlib.suppress(OSError):  # EIO: the last one has closed it
            while data := os.read(main, 4096):
                said += data
        assert child.wait(60) == 0
    os.close(main)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()).replace("\r", "\n").split("\n")
    assert max(cell_len(line) for line in lines) <= 80
    assert any("…" in line and "-if00" in line for line in lines)
    sentence = catalogue()["flash.provisioned"][lang]
    assert "".join(sentence.split()) in "".join("".join(lines).split())
    assert lang == "zh" or set(sentence.split()) <= {word for line in lines for word in line.split()}


def test_every_state_has_its_word() -> None:
    assert {f"kit.state.{state}" for state in STATES} <= set(catalogue())


def test_a_bar_says_of_a_step_that_has_ended_how_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that was left out may be worded as what a person is to do."""
    screen = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr("tools.kit.telling.Console", partial(Console, force_terminal=True, width=80))
    with Telling("prove", Messages("en"), as_json=False) as telling:
        telling.end("gateway", "mains_back", "skipped")
    # A line is erased and written anew each time.
    last = screen.getvalue().split("\x1b[2K")[-1]
    assert Messages("en").text("prove.step.mains_back") in last
    assert Messages("en").text("kit.state.skipped") in last
