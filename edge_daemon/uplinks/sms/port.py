"""A modem's tty. Owns its file descriptor, the cutting into lines, and what waits to be written.

Must not know what a line says. Whatever the kernel says of the port is told by `on_lost` from here on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import termios
from collections.abc import Callable

import serial

from edge_daemon.uplinks.sms.failures import PortMissing

_READ_SIZE = 4096
# TS 27.005's longest line is a PDU of some 500 characters.
_LINE_MOST = 2048
_UNWRITTEN_MOST = 4096
_ENDS = re.compile(rb"[\r\n]")


class Port:
    """An open port. Raises PortMissing on opening. `on_line` gets each line that is not empty; `on_lost` comes once.

    `on_prompt` is called when the last thing that came is a ">" at the start of a line that has not ended.
    """

    def __init__(
        self,
        device: str,
        baud: int,
        on_line: Callable[[str], None],
        on_prompt: Callable[[], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._on_line = on_line
        self._on_prompt = on_prompt
        self._on_lost = on_lost
        self._heard = b""
        self._unwritten = bytearray()
        try:
            self._port = serial.Serial(device, baud, timeout=0, exclusive=True)
        # termios.error: it went while pyserial set it up. ValueError: a speed that it has not.
        except (serial.SerialException, termios.error, OSError, ValueError) as error:
            raise PortMissing("port not opened") from error
        self._fd: int = self._port.fileno()
        os.set_blocking(self._fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable)
        self._open = True

    def write(self, data: bytes) -> None:
        """Queue bytes. A modem that takes nothing loses its port."""
        if not self._open:
            return
        self._unwritten += data
        if len(self._unwritten) > _UNWRITTEN_MOST:
            self._lost("port takes nothing")
            return
        self._writable()

    def forget(self) -> None:
        """Forget the beginning of a line."""
        self._heard = b""

    def close(self) -> None:
        """Let the port go. Safe to call twice."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        # What a dead modem has not taken would keep the kernel in close() for half a minute, and us with it.
        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._fd, termios.TCIOFLUSH)
        with contextlib.suppress(OSError):
            self._port.close()

    def _lost(self, why: str) -> None:
        if self._open:
            self.close()
            self._on_lost(why)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            self._lost("port lost")
            return
        if not data:
            self._lost("port closed")
            return
        *whole, rest = _ENDS.split(self._heard + data)
        # What is longer is noise: what follows it may be a line again.
        self._heard = rest if len(rest) <= _LINE_MOST else b""
        for line in whole:
            text = line.decode("ascii", "replace").strip(" \x00")
            if text and self._open:
                self._on_line(text)
        if self._open and self._heard.strip(b" \x00") == b">":
            self._on_prompt()

    def _writable(self) -> None:
        try:
            written = os.write(self._fd, self._unwritten)
        except BlockingIOError:
            written = 0
        except OSError:
            self._lost("port lost")
            return
        del self._unwritten[:written]
        if self._unwritten:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)
