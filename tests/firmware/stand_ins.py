"""Ends for an interpreter that runs alone: a radio and a body that record everything, a tty nobody answers on."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import tty
from pathlib import Path

_INIT, _DEINIT, _ADVERTISE, _STOP = 0x01, 0x02, 0x03, 0x04
_SERVICES_BEGIN, _SERVICE, _SERVICES_END, _ADDRESS_MODE = 0x05, 0x06, 0x07, 0x0D
_REPLY = 0x80
_CARRIED_WITHIN_S = 3.0
_QUIET_S = 0.2
_ADDRESS = bytes([1, 1, 2, 3, 4, 5, 6])
_REPLIES = {
    _INIT: b"\0" + _ADDRESS,
    _ADDRESS_MODE: b"\0" + _ADDRESS,
    _DEINIT: b"\0",
    _SERVICES_BEGIN: b"\0",
    # Handles of the two characteristics.
    _SERVICE: b"\0\x03\0\x06\0",
    _SERVICES_END: b"\0",
}


class RadioStandIn:
    """The other end of variant/radio_link.h, alone in the world. `frames`: what was advertised."""

    def __init__(self, path: Path) -> None:
        self.frames: list[bytes] = []
        self._connection: socket.socket | None = None
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """When the interpreter has ended."""
        self._server.shutdown(socket.SHUT_RDWR)
        self.fail()
        self._thread.join(10)
        self._server.close()

    def fail(self) -> None:
        """The radio dies under the interpreter that uses it; the next one to ask finds it alive."""
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it has gone by itself
                self._connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        """One interpreter after another: a deep sleep ends in a new one."""
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return  # closed
            self._connection = connection
            with connection, connection.makefile("rb") as stream:
                stream.readline()  # who it is
                while len(head := stream.read(3)) == 3:
                    payload = stream.read(int.from_bytes(head[:2], "little") - 1)
                    self._take(connection, head[2], payload)

    def _take(self, connection: socket.socket, code: int, payload: bytes) -> None:
        if code == _ADVERTISE:
            self.frames.append(payload[7:][7:31])
        elif code in _REPLIES:
            reply = _REPLIES[code]
            connection.sendall((len(reply) + 1).to_bytes(2, "little") + bytes([_REPLY]) + reply)


class BodyStandIn:
    """The other end of firmware/drivers/body_line.py: says that all is well, keeps the `lines` it is told."""

    def __init__(self, path: Path) -> None:
        self.lines: list[str] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """When the interpreter has ended."""
        self._thread.join(10)
        self._server.close()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection, connection.makefile("r") as stream:
            connection.sendall(b"battery 3950\nusb 0\nbutton up\n")
            self.lines.extend(line.rstrip("\n") for line in stream)


class Tty:
    """A pseudo-terminal: `path` for the wearable, read() for the test."""

    def __init__(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.path = os.ttyname(self._far)

    def read(self) -> bytes:
        """All that has been written. The kernel carries it over when it has time, so a busy machine is waited for."""
        found = b""
        while select.select([self._near], [], [], _QUIET_S if found else _CARRIED_WITHIN_S)[0]:
            found += os.read(self._near, 65536)
        return found

    def close(self) -> None:
        """Both ends."""
        os.close(self._near)
        os.close(self._far)
