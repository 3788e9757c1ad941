"""A USB cable with a serial device at its end: a pty, its entry in the host's registry, and the socket of its lines.

Owns being plugged and pulled, and the bytes either way with their faults. Must not know what the device is. A pulled
cable is a closed pty: the host reads EIO, and the device's name is gone, as with a real one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

from hil_tests.board.faults import Cut, Faults

_CHUNK = 1 << 16
# What a device that nobody reads keeps before it drops the oldest.
_KEPT = 1 << 17


class Cable:
    """`directory` gets the link `tty`, by which the host opens the device. `usb`: what the registry tells of it."""

    def __init__(self, directory: Path, registry: Path, usb: dict[str, object], faults: Faults) -> None:
        self.port = directory / "tty"
        self._place = directory / "lines"
        self._entry = registry / f"{directory.name}.json"
        self._usb = usb
        self._faults = faults
        self._master = self._slave = -1
        self._listener: socket.socket | None = None
        self._hosts: list[socket.socket] = []
        self._out = bytearray()
        self._torn = False

    @property
    def plugged(self) -> bool:
        """The host sees the device."""
        return self._master >= 0

    def plug(self) -> None:
        """The device appears. Nothing when it is there."""
        if self.plugged:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._place.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._place))
        self._listener.listen()
        name = os.ttyname(self._slave)
        link = self.port.with_name("tty.new")
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        link.replace(self.port)
        entry = {"tty": name, "lines": str(self._place), **self._usb}
        fresh = self._entry.with_suffix(".new")
        fresh.write_text(json.dumps(entry))
        fresh.replace(self._entry)

    def pull(self) -> None:
        """The device is gone for the host. Nothing when it was."""
        if not self.plugged:
            return
        self._entry.unlink(missing_ok=True)
        self.port.unlink(missing_ok=True)
        for end in self._ends():
            end.close()
        self._hosts, self._listener = [], None
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._out.clear()
        self._torn = False

    def wait(self, also: list[int], within_s: float) -> list[int]:
        """Which of `also` can be read, after something happened or `within_s`."""
        mine: list[int | socket.socket] = [self._master, *self._ends()] if self.plugged else []
        ready, _, _ = select.select([*mine, *also], [self._master] if self._out else [], [], within_s)
        return [fd for fd in also if fd in ready]

    def received(self) -> bytes:
        """What the host has sent, up to where the cable went; `alive` raises then."""
        try:
            data = os.read(self._master, _CHUNK)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise
        return self._faulty(data)

    def send(self, data: bytes, *, waits: bool = True) -> None:
        """To the host, as soon as it takes it. Without `waits` the device drops the oldest that nobody reads."""
        if self.plugged and not self._torn:
            self._out += self._faulty(data)
            if not waits:
                del self._out[: max(0, len(self._out) - _KEPT)]

    def flush(self) -> None:
        """Hand on what was sent, as much as the host takes."""
        with contextlib.suppress(BlockingIOError):
            while self._out:
                del self._out[: os.write(self._master, self._out[:1024])]

    def alive(self) -> None:
        """Raises Cut when the cable went within what has passed, and the host has all that came before."""
        if self._torn and not self._out:
            raise Cut

    def lines(self) -> Iterator[tuple[bool, bool]]:
        """Changes of (DTR, RTS) since the last call; the host goes on when the next one is asked for."""
        ready, _, _ = select.select(self._ends(), [], [], 0)
        for end in ready:
            if end is self._listener:
                self._hosts.append(end.accept()[0])
                continue
            bits = b""
            with contextlib.suppress(OSError):
                bits = end.recv(1)
            if bits:
                yield bool(bits[0] & termios.TIOCM_DTR), bool(bits[0] & termios.TIOCM_RTS)
                with contextlib.suppress(OSError):
                    end.sendall(b"!")
            else:
                end.close()
                self._hosts.remove(end)
                yield False, False

    def speed(self) -> int:
        """What the host has set, as a termios constant."""
        return int(termios.tcgetattr(self._slave)[5])

    def _ends(self) -> list[socket.socket]:
        return [*([self._listener] if self._listener else []), *self._hosts]

    def _faulty(self, data: bytes) -> bytes:
        arrived = self._faults.passes(data)
        self._torn = self._torn or len(arrived) < len(data)
        return arrived
