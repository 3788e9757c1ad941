"""A program of the bench at the end of a real pty, with what a test does to the cable."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path
from typing import Self

from hil_tests.board.program import Around, Program
from tests.on_micropython import ROOT
from tools.flash import partitions

FLASH_BYTES = 4 << 20
WITHIN_S = 20.0
_BETWEEN_S = 0.1
_PROMPT = b">>> "


def blank_flash(file: Path) -> None:
    """An erased chip but for the pendant's partition table."""
    table = partitions.read(ROOT / "firmware/boards/partitions_4MiB.csv", FLASH_BYTES)
    blank = bytearray(b"\xff" * FLASH_BYTES)
    blank[partitions.OFFSET : partitions.OFFSET + partitions.SIZE] = partitions.encode(table)
    file.write_bytes(blank)


class Cabled:
    """A program with both ends of its cable: `port` for tools, a hand on it for what no tool does. A context.

    `pull_after`: the cable is pulled when the host has sent so many bytes: power is gone, and so is the tty.
    Without it `sent` is not counted.
    """

    def __init__(self, directory: Path, around: Around | None = None, pull_after: int | None = None) -> None:
        self.flash = directory / "flash.bin"
        if not self.flash.exists():
            blank_flash(self.flash)
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self.sent = 0
        self.pulled = threading.Event()
        self._pull_after = pull_after
        self._relay_end, self._chip_end = socket.socketpair()
        self._relay = threading.Thread(target=self._carry) if pull_after is not None else None
        self.program = Program(directory, self.flash, self._chip_end.fileno() if self._relay else self._near, around)

    def __enter__(self) -> Self:
        self.program.start()
        if self._relay:
            self._relay.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.program.stop()
        # Its other end may be held by the program only, which has gone.
        self._chip_end.close()
        if self._relay:
            self._relay.join(WITHIN_S)
        if not self.pulled.is_set():
            os.close(self._near)
            os.close(self._far)
        self._relay_end.close()

    def _carry(self) -> None:
        while True:
            for ready in select.select([self._near, self._relay_end], [], [])[0]:
                if ready is self._relay_end:
                    data = self._relay_end.recv(256)
                    if not data:
                        return
                    os.write(self._near, data)
                elif not self._carry_to_chip(os.read(self._near, 256)):
                    return

    def _carry_to_chip(self, data: bytes) -> bool:
        """False when that pulled the cable."""
        left = (self._pull_after or 0) - self.sent
        self.sent += len(data)
        self._relay_end.sendall(data[:left])
        if left > len(data):
            return True
        self.program.stop()
        # First: whoever reads or writes is told by the tty, and may ask whether it was pulled before we run again.
        self.pulled.set()
        # The tty goes with the device.
        os.close(self._far)
        os.close(self._near)
        return False

    def mpremote(self, *arguments: str) -> str:
        """What real mpremote prints, at a board that has come to its prompt."""
        self.prompt()
        command = [sys.executable, "-m", "mpremote", "connect", self.port, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired as hung:
            # On a pty it waits for ever for a byte that does not come.
            raise AssertionError(f"mpremote {arguments} hung at {self.program.state()}") from hung
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def prompt(self) -> None:
        """Ctrl-C until there is a prompt, whatever runs.

        mpremote sends one: while a board starts it is nobody's, main.py runs on, and mpremote waits for ever.
        """
        said = b""
        deadline_s = time.monotonic() + WITHIN_S
        while not said.endswith(_PROMPT):
            assert time.monotonic() < deadline_s, f"no prompt in {said!r} of {self.program.state()}"
            self.type(b"\x03")
            again_s = time.monotonic() + _BETWEEN_S
            while select.select([self._far], [], [], max(0.0, again_s - time.monotonic()))[0]:
                said += os.read(self._far, 256)
                if time.monotonic() > again_s:
                    break

    def write(self, name: str, text: str) -> None:
        """A file on the board."""
        self.mpremote("exec", f"with open({name!r}, 'w') as file:\n file.write({text!r})")

    def type(self, text: bytes) -> None:
        """As a hand at a terminal."""
        os.write(self._far, text)

    def is_silent(self, for_s: float) -> bool:
        """Whether it says nothing for so long."""
        return not select.select([self._far], [], [], for_s)[0]

    def hears(self, wanted: str) -> str:
        """All that comes up to `wanted`."""
        said = b""
        deadline_s = time.monotonic() + WITHIN_S
        while wanted.encode() not in said:
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, f"no {wanted!r} in {said!r}"
            if select.select([self._far], [], [], left_s)[0]:
                said += os.read(self._far, 1)
        return said.decode()
