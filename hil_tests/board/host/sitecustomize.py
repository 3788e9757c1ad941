"""The host's end of a bench board: what the kernel's driver would do with the lines of a tty that is really a pty.

Put this folder on PYTHONPATH and name the bench's registry in PINGAN_BENCH_PORTS; then any Python program, esptool and
mpremote unchanged among them, finds the boards among its serial ports and its modem-control calls reach them. A pty
answers those calls with ENOTTY. Must not touch data: that goes over the pty itself.
"""  # noqa: INP001 # Python imports a module of this name by itself; a package could not have it

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import struct
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DTR, _RTS = termios.TIOCM_DTR, termios.TIOCM_RTS
_REQUESTS = (termios.TIOCMGET, termios.TIOCMSET, termios.TIOCMBIS, termios.TIOCMBIC)
_WITHIN_S = 20.0
_kernel_ioctl: Any = fcntl.ioctl


def _boards(registry: str) -> Iterator[dict[str, Any]]:
    for file in Path(registry).glob("*.json"):
        try:
            yield json.loads(file.read_text())
        except (OSError, ValueError):
            continue  # unplugged this moment


class _Lines:
    """The lines of one open tty. As cdc_acm does: opening asserts both; closing, also by dying, drops both."""

    def __init__(self, place: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_WITHIN_S)
        self._socket.connect(place)
        self.bits = 0
        self.put(_DTR | _RTS)

    def put(self, bits: int) -> None:
        """Set both; raises OSError when the board is gone."""
        self.bits = bits & (_DTR | _RTS)
        self._socket.sendall(struct.pack("B", self.bits))
        if not self._socket.recv(1):
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class _Driver:
    """Modem control of every tty this process has open."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._opened: dict[tuple[int, str, str], _Lines] = {}

    def ioctl(self, fd: Any, request: int, arg: Any = 0, mutate: bool = True) -> Any:
        """In place of fcntl.ioctl."""
        lines = self._lines(fd if isinstance(fd, int) else fd.fileno()) if request in _REQUESTS else None
        if lines is None:
            return _kernel_ioctl(fd, request, arg, mutate)
        if request == termios.TIOCMGET:
            return struct.pack("I", lines.bits)
        bits = struct.unpack("I", arg)[0]
        becomes = {termios.TIOCMSET: bits, termios.TIOCMBIS: lines.bits | bits, termios.TIOCMBIC: lines.bits & ~bits}
        lines.put(becomes[request])
        return arg

    def comports(self, include_links: bool = False) -> list[Any]:  # noqa: ARG002 # pyserial's own signature
        """In place of pyserial's list of ports."""
        from serial.tools.list_ports_common import ListPortInfo

        ports = []
        for board in _boards(self._registry):
            port = ListPortInfo(board["tty"])
            port.vid, port.pid, port.serial_number = board["vid"], board["pid"], board["serial"]
            port.product = board["product"]
            ports.append(port)
        return sorted(ports, key=lambda port: str(port.device))

    def _lines(self, fd: int) -> _Lines | None:
        try:
            tty = str(Path(f"/proc/self/fd/{fd}").readlink())
        except OSError:
            return None
        board = next((board for board in _boards(self._registry) if board["tty"] == tty), None)
        if board is None:
            return None
        key = fd, tty, board["lines"]
        if key not in self._opened:
            self._opened[key] = _Lines(board["lines"])
        return self._opened[key]


def _install(registry: str) -> None:
    from serial.tools import list_ports

    driver = _Driver(registry)
    fcntl.ioctl = driver.ioctl
    list_ports.comports = driver.comports


if os.environ.get("PINGAN_BENCH_PORTS"):
    _install(os.environ["PINGAN_BENCH_PORTS"])
