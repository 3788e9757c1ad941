"""The raw prompt of a board's development build, over its cable, by mpremote.

Owns that every wait ends, that nothing is printed, and that no error carries what was sent: that may be keys. Must not
know what is sent.
"""

from __future__ import annotations

import ast
import contextlib
import re
import struct
import threading
import time
from pathlib import Path
from typing import Any, Self

from mpremote import transport_serial  # type: ignore[import-untyped]
from mpremote.transport import TransportError, TransportExecError  # type: ignore[import-untyped]
from serial import SerialException

_LOOK_EVERY_S = 0.2
_READ_WITHIN_S = 10.0
_WRITE_WITHIN_S = 5.0
_ENTER_WITHIN_S = 20.0
_TRY_WITHIN_S = 3.0
_RUN_WITHIN_S = 30.0
# Of a fault on the board: the exception's name and an errno. Its words are left out, whatever they are.
_FAULT = re.compile(r"^(\w+)(?:: (?:\[Errno (\d+)\]|(\d+)\b))?", re.ASCII)


class CableLost(Exception):
    """The board does not answer, or the port is gone."""


class PortBusy(Exception):
    """Another program has the port."""


class NoPrompt(Exception):
    """The port is there, and no raw prompt comes."""


class Stopped(Exception):
    """The person wants to stop (Ctrl-C)."""


class BoardFault(Exception):
    """What was run on the board raised. `what`: the exception's name, and its errno where it has one."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class _Line:
    """The serial device as mpremote uses it. Raises Stopped within a moment of `stop`."""

    def __init__(self, device: Any, stop: threading.Event) -> None:
        self._device = device
        self._stop = stop

    def read(self, size: int) -> bytes:
        """All of `size` bytes, or what has come of them within the time that a busy board may take."""
        data, until_s = b"", time.monotonic() + _READ_WITHIN_S
        while len(data) < size and time.monotonic() < until_s:
            if self._stop.is_set():
                raise Stopped
            data += self._device.read(size - len(data))
        return data

    def write(self, data: bytes) -> None:
        if self._stop.is_set():
            raise Stopped
        self._device.write(data)

    def inWaiting(self) -> int:  # noqa: N802  mpremote calls it so
        if self._stop.is_set():
            raise Stopped
        return int(self._device.in_waiting)


def _say_nothing(*_words: object) -> None:
    """In the place of mpremote's print(): stdout belongs to the command."""


# mpremote prints what it does not understand of a board.
setattr(transport_serial, "print", _say_nothing)  # noqa: B010  a name that its module does not have


class Prompt:
    """One open port. A context: leaving it closes the port. Raises PortBusy, or CableLost when the port is gone."""

    def __init__(self, port: str, stop: threading.Event) -> None:
        self._stop = stop
        try:
            self._transport = transport_serial.SerialTransport(port, timeout=_LOOK_EVERY_S)
        except (TransportError, OSError) as error:
            raise (PortBusy if Path(port).exists() else CableLost) from error
        self._device = self._transport.serial
        self._device.write_timeout = _WRITE_WITHIN_S
        self._transport.serial = _Line(self._device, stop)
        # Else it reads without a look at whether anything has come, and its own times do not hold.
        self._transport.is_pty = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        with contextlib.suppress(OSError, SerialException):
            self._device.close()

    def enter(self, within_s: float = _ENTER_WITHIN_S) -> None:
        """Stop the application and wait for the prompt of a fresh interpreter. Raises NoPrompt, CableLost, Stopped."""
        until_s = time.monotonic() + within_s
        while True:
            try:
                self._transport.enter_raw_repl(timeout_overall=_TRY_WITHIN_S)
            except TransportError:
                if time.monotonic() > until_s:
                    raise NoPrompt from None
            except (OSError, TypeError):
                raise CableLost from None
            else:
                return

    def run(self, code: str) -> str:
        """What `code` printed. Raises BoardFault, CableLost, Stopped; none of them says what the code was."""
        try:
            said, fault = self._transport.exec_raw(code, timeout=_RUN_WITHIN_S)
        except (TransportError, OSError, TypeError, struct.error):
            raise CableLost from None
        if fault:
            raise BoardFault(_fault(fault.decode(errors="replace")))
        return str(said.decode(errors="replace"))

    def evaluate(self, expression: str) -> Any:
        """The value of a Python literal that the board gives. Raises as run()."""
        said = self.run(f"print(repr({expression}))")
        try:
            return ast.literal_eval(said.strip())
        except (ValueError, SyntaxError):
            raise CableLost from None

    def write_file(self, path: str, data: bytes) -> None:
        """Put a file on the board's file system. Raises as run()."""
        try:
            self._transport.fs_writefile(path, data)
        except TransportExecError as error:
            raise BoardFault(_fault(error.error_output)) from None
        except (TransportError, OSError, TypeError, struct.error):
            raise CableLost from None

    def run_and_leave(self, code: str) -> None:
        """Run what does not come back, such as a reset. Raises CableLost, Stopped."""
        try:
            self._transport.exec_raw_no_follow(code)
        except (TransportError, OSError, TypeError, struct.error):
            raise CableLost from None


def _fault(traceback: str) -> str:
    """The exception's name and errno in the last line of a traceback."""
    lines = traceback.strip().splitlines()
    found = _FAULT.match(lines[-1]) if lines else None
    if not found:
        return "?"
    name, *numbers = found.groups()
    number = next((number for number in numbers if number), None)
    return f"{name} {number}" if number else name
