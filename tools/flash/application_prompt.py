"""The prompt of a board that runs MicroPython: opened, given code, left again. mpremote's own transport does the work.

Owns finding out why there is no prompt. Must not know what the code is for. Every wait is bounded. mpremote is imported
and not a process beside ours: it is MIT, and one connection serves a whole installation.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge_daemon.errors import Refusal
from tools.flash import esptool

# A read that brings nothing ends after this; then mpremote looks at its own time.
_READ_S = 2.0
_ANSWER_S = 10.0
# A Ctrl-C that falls into a callback ends only that callback, as MicroPython has it.
_TRIES = 4
_INTERRUPT_S = 1.0
_BETWEEN_S = 0.01
_TRY_S = 1.0
_QUIET_S = 0.15
_LOOK_EVERY_S = 0.005
# A command of mpremote each; four times its own choice, and no burden for a board whose application does not run.
_CHUNK = 1024
_FRIENDLY = b">>> "
_RAW = b"raw REPL; CTRL-B to exit\r\n"
_CTRL_C, _TO_RAW, _TO_FRIENDLY, _SOFT_RESET = b"\x03", b"\r\x01", b"\r\x02", b"\x04"


class CodeFailed(Exception):
    """The board raised an exception; the text is its traceback's last line."""


class Prompt:
    """Make it with open_prompt(). Raises esptool.ToolFailed "flash.cable" when the cable goes."""

    def __init__(self, transport: Any, error: type[Exception], exec_error: type[Exception]) -> None:
        self._transport = transport
        self._error = error
        self._exec_error = exec_error

    def enter(self, *, soft_reset: bool = True) -> bool:
        """The raw prompt; with `soft_reset` boot.py has run anew and main.py has not. False when there is none."""
        with _cable(self._error):
            for _ in range(_TRIES):
                self._interrupt()
                self._transport.serial.write(_TO_RAW)
                if not self._read(_TRY_S, _RAW + b">").endswith(_RAW + b">"):
                    continue
                # What an earlier try still brings must not be taken for the answer to the next word.
                self._read(_QUIET_S)
                # The prompt's sign after it is left for mpremote, which looks for it before each command.
                self._transport.serial.write(_SOFT_RESET if soft_reset else _TO_RAW)
                if self._read(_ANSWER_S, _RAW).endswith(_RAW):
                    self._transport.in_raw_repl = True
                    return True
        return False

    def _interrupt(self) -> None:
        """Ctrl-C until there is a prompt: a board in a boot loop hears it in a part of each turn only."""
        self._transport.serial.write(b"\r")
        ends_s = time.monotonic() + _INTERRUPT_S
        said = b""
        while time.monotonic() < ends_s and not said.endswith(_FRIENDLY):
            self._transport.serial.write(_CTRL_C)
            said = (said + self._read(_BETWEEN_S, _FRIENDLY))[-len(_FRIENDLY) :]
        self._read(_QUIET_S)

    def run(self, code: str, within_s: float = _ANSWER_S) -> str:
        """What the code prints. Raises CodeFailed; code that is silent for `within_s` counts as a lost cable."""
        with _cable(self._error):
            try:
                said, raised = self._transport.exec_raw(code, timeout=within_s)
            except self._exec_error as error:  # not raised by exec_raw, and no lost cable if it ever is
                raise CodeFailed(str(error)) from error
        if raised:
            raise CodeFailed(raised.decode(errors="replace").strip().splitlines()[-1])
        return str(said.decode(errors="replace"))

    def write_file(self, path: str, data: bytes) -> None:
        """A whole file. Raises CodeFailed, or OSError as the board had it."""
        with _cable(self._error):
            try:
                self._transport.fs_writefile(path, data, chunk_size=_CHUNK)
            except self._exec_error as error:
                raise CodeFailed(str(error).strip().splitlines()[-1]) from error

    def start(self, wanted: bytes, within_s: float) -> str:
        """Leave by a soft reset, which runs boot.py and main.py; all that is said up to the line with `wanted`.

        Ends after `within_s`, or at a prompt where main.py has ended, with whatever was said.
        """
        with _cable(self._error):
            self._transport.serial.write(_TO_FRIENDLY)
            self._read(_ANSWER_S, _FRIENDLY)
            self._transport.serial.write(_SOFT_RESET)
            self._transport.in_raw_repl = False
            ends_s = time.monotonic() + within_s
            said = self._read(within_s, wanted, _FRIENDLY)
            if said.endswith(_FRIENDLY):
                return said.decode(errors="replace")
            return (said + self._read(ends_s - time.monotonic(), b"\n")).decode(errors="replace")

    def answers(self) -> bool:
        """Whether Ctrl-C leads into a prompt, as it does on a development build."""
        return self.enter(soft_reset=False)

    def leave(self) -> None:
        """To the friendly prompt; what runs next is the board's own business."""
        with _cable(self._error):
            self._transport.serial.write(_TO_FRIENDLY)

    def close(self) -> None:
        """Give the port back. Never raises."""
        try:
            self._transport.close()
        except OSError:
            pass

    def _read(self, within_s: float, *wanted: bytes) -> bytes:
        """What comes up to one of `wanted`, or within that time. Unlike mpremote's it ends while a board chatters."""
        serial = self._transport.serial
        said = b""
        ends_s = time.monotonic() + within_s
        while time.monotonic() < ends_s and not said.endswith(wanted):
            if serial.in_waiting:
                said += serial.read(1)
            else:
                time.sleep(_LOOK_EVERY_S)
        return said


@contextmanager
def open_prompt(port: str, chip: str, *, soft_reset: bool = True) -> Iterator[Prompt]:
    """The raw prompt of the board at `port`. Closed at the end.

    `chip` is esptool's name of it. Raises Refusal "application.closed" when the chip is alive and its program lets
    nobody in; esptool.ToolFailed "application.dead" when nothing answers, "flash.busy" or "flash.no_port".
    """
    prompt = _connect(port)
    try:
        entered = prompt.enter(soft_reset=soft_reset)
        if entered:
            yield prompt
    finally:
        prompt.close()
    if not entered:
        _say_why_not(port, chip)


def _connect(port: str) -> Prompt:
    # Imported here: `pingan gateway run` must not load them.
    serial = importlib.import_module("mpremote.transport_serial")
    transport = importlib.import_module("mpremote.transport")
    # It prints what it did not expect: on our standard output that would be among the JSON lines.
    serial.__dict__["print"] = _silent
    try:
        connection = serial.SerialTransport(port, timeout=_READ_S)
    except transport.TransportError as error:
        raise esptool.ToolFailed("flash.cable", why=error) from error
    connection.serial.write_timeout = _ANSWER_S
    return Prompt(connection, transport.TransportError, transport.TransportExecError)


def _silent(*_said: object, **_more: object) -> None:
    pass


@contextmanager
def _cable(error: type[Exception]) -> Iterator[None]:
    """Whatever mpremote, pyserial and the system call a lost board is one thing here."""
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    try:
        yield
    except (error, OSError, struct.error, termios.error) as lost:
        raise esptool.ToolFailed("flash.cable", why=lost or type(lost).__name__) from lost


def _say_why_not(port: str, chip: str) -> None:
    """The ROM loader answers on any chip that lives, whatever its program does; the chip is reset by asking."""
    import threading  # noqa: PLC0415

    command = esptool.command(port, chip, ["chip-id"], after="hard-reset")
    try:
        esptool.run(command, lambda _done, _whole: None, threading.Event())
    except esptool.ToolFailed as failed:
        raise esptool.ToolFailed("application.dead", why=failed.names.get("why", "")) from failed
    raise Refusal("application.closed")
