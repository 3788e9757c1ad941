"""esptool as a program beside ours (it is GPL, and never imported): one run, its progress, and why it failed.

Owns the command line, reading the output line by line, and ending the child. Must not know why a step is done.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

BAUD = 460800
_END_WITHIN_S = 5.0
_PROGRESS = re.compile(r"^(?:Writing|Reading) .*? (\d+(?:\.\d+)?)%")
_TAIL = 300

Progress = Callable[[float, float], None]

_BROKEN = r"MD5 of file does not match|flash region is empty|Failed to write|occurred: Verification failed"
_LOST = (
    r"Could not open|No such file|Bad file descriptor|Input/output error|device disconnected|(read|write) failed"
    r"|Write timeout|Lost connection|Failed to|No serial data|No more data|Packet content|Invalid (head|SLIP)"
    r"|data stream stopped|Response doesn't match|Corrupt data|Digest mismatch"
)
# What esptool says -> what a person is told. The first that fits; "flash.tool_failed" carries what nothing fits.
_REASONS = (
    (r"Permission denied", "flash.no_permission"),
    (r"exclusively lock|Device or resource busy", "flash.busy"),
    (r"Secure Download Mode|security features detected|flash encryption", "flash.locked"),
    (_BROKEN, "flash.bad_flash"),
    (_LOST, "flash.cable"),
)


class Stopped(Exception):
    """Ended from outside, before it was done."""


class ToolFailed(Exception):
    """`key`: the catalogue's sentence; `names`: its names; `output`: all the tool said."""

    def __init__(self, key: str, output: str = "", **names: object) -> None:
        super().__init__(key)
        self.output = output
        self.key = key
        self.names = names


def command(port: str, chip: str, arguments: Sequence[str], *, after: str = "no-reset") -> list[str]:
    """The whole command line. `after`: what becomes of the chip, in esptool's words."""
    tool = [sys.executable, "-m", "esptool"]
    return [*tool, "--chip", chip, "--port", port, "--baud", str(BAUD), "--after", after, *arguments]


def run(command_line: Sequence[str], progress: Progress, stop: threading.Event) -> str:
    """All it said. Raises ToolFailed when it ends in failure, Stopped when `stop` is set meanwhile."""
    with subprocess.Popen(
        command_line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C is ours; what becomes of the child we say
    ) as child:
        said = _listen(child, progress, stop)
    if stop.is_set():
        raise Stopped
    output = "".join(said)
    if child.returncode:
        raise ToolFailed(_reason(output), output, why=_last(said))
    return output


def _listen(child: subprocess.Popen[str], progress: Progress, stop: threading.Event) -> list[str]:
    """Its lines, until it has ended."""
    watch = threading.Thread(target=_end_on_stop, args=(child, stop), daemon=True)
    watch.start()
    said = []
    try:
        for line in child.stdout or ():
            said.append(line)
            match = _PROGRESS.match(line)
            if match:
                progress(float(match[1]), 100.0)
        child.wait()
    finally:
        _end(child)
        watch.join()
    return said


def _end_on_stop(child: subprocess.Popen[str], stop: threading.Event) -> None:
    while child.poll() is None:
        if stop.wait(0.1):
            _end(child)
            return


def _end(child: subprocess.Popen[str]) -> None:
    """Surely ended; esptool leaves the chip where it is, and the next run begins with a reset."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _reason(output: str) -> str:
    return next((key for pattern, key in _REASONS if re.search(pattern, output)), "flash.tool_failed")


def _last(said: list[str]) -> str:
    lines = [line.strip() for line in said if line.strip()]
    told = [line for line in lines if re.search(r"error|exception|not ", line, re.IGNORECASE)]
    return (told or lines or ["-"])[-1][-_TAIL:]
