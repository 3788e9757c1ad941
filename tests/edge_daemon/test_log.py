"""Every line is one JSON object, whatever a peer has put into it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from edge_daemon import log


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


Stderr = pytest.CaptureFixture[str]


def test_fields_time_and_trace_are_in_one_line(capsys: Stderr) -> None:
    log.set_up("INFO")
    try:
        int("two\nlines")
    except ValueError as error:
        log.Log("room").error("failed", exc=error, event="e-1", count=2)
    log.Log("room").debug("not at this level")
    (line,) = capsys.readouterr().err.splitlines()
    row = json.loads(line)
    assert (row["level"], row["room"], row["log"], row["event"], row["count"]) == ("error", "room", "failed", "e-1", 2)
    assert "ValueError" in row["trace"]
    assert "\n" in row["trace"]
    assert row["t"].endswith("Z")


@pytest.mark.parametrize("said", ["a\nb", '"}{"', "\x1b[31m", "\u2028", "平安", "\ud800"])
def test_what_a_peer_says_stays_in_its_field(capsys: Stderr, said: str) -> None:
    log.set_up("INFO")
    log.Log("room").warning("heard", why=said)
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert json.loads(line)["why"] == said
    assert "\x1b" not in line
    line.encode()


def test_the_libraries_chatter_is_kept_out(capsys: Stderr) -> None:
    log.set_up("DEBUG")
    for name in ("aiomqtt", "aiosqlite", "asyncio", "bleak", "bumble"):
        logging.getLogger(name).info("chatter")
    assert capsys.readouterr().err == ""
