"""A process of the bench does what it is told, says what went wrong, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from hil_tests.child import Child, ChildFailed

_WITHIN_S = 20.0
_PARENT = """
import asyncio, sys
from pathlib import Path
from hil_tests.child import Child

async def main():
    code = "print('here'); import time; time.sleep(600)"
    child = await Child.start("grandchild", [sys.executable, "-c", code], Path(sys.argv[1]))
    await child.said(lambda line: line == "here", 20)
    print("grandchild", child.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _state(pid: int) -> str:
    """The process's state in /proc, "" when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def _gone(pid: int) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while True:
            if _state(pid) in ("", "Z"):  # Z: dead, and whoever inherited it has not looked yet
                return
            await asyncio.sleep(0.02)


async def test_what_it_says_is_kept_and_waited_for_and_told_when_it_fails(tmp_path: Path) -> None:
    child = await Child.start("speaker", _python("print('one'); import sys; print('two', file=sys.stderr)"), tmp_path)
    assert await child.said(lambda line: line.startswith("tw"), _WITHIN_S) == "two"
    with pytest.raises(ChildFailed, match=r"(?s)ended without.*two"):
        await child.said(lambda line: line == "three", _WITHIN_S)
    assert await child.ended(_WITHIN_S) == 0
    assert sorted((tmp_path / "speaker.log").read_text().split()) == ["one", "two"]


async def test_who_does_not_hear_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid);"
        "import time; time.sleep(600)"
    )
    child = await Child.start("deaf", _python(code), tmp_path)
    grandchild = int(await child.said(str.isdigit, _WITHIN_S))
    with pytest.raises(ChildFailed, match="has not ended"):
        await child.stop(within_s=0.3)
    assert not child.running
    await _gone(grandchild)


async def test_a_killed_parent_takes_its_children_with_it(tmp_path: Path) -> None:
    parent = await Child.start("parent", [*_python(_PARENT), tmp_path], tmp_path)
    line = await parent.said(lambda text: text.startswith("grandchild "), _WITHIN_S)
    os.kill(parent.pid, signal.SIGKILL)  # not its group, and the grandchild has one of its own
    await _gone(int(line.split()[1]))
    await parent.kill()
