"""A jig of the bench: what it presses and measures is the body of a board whose chip runs on this machine.

Two ends: the chip's world comes to `body` (a unix socket, lines as of hil_tests/wearable/body.py), the factory's
command to `port` (a pty, lines as tools/factory/hand.py has them).
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
import time
import tty
from pathlib import Path
from typing import Self


class BenchJig:
    """`presses`: the edges one press makes, as (level, ms until the next)."""

    def __init__(self, *, battery_mv: int = 4000, presses: list[tuple[str, int]] | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="pingan-jig-")
        self.body = Path(self._directory.name) / "body"
        self.shows = {"led": "000000", "motor": "0"}
        self.level = "up"
        self._battery_mv = battery_mv
        self._presses = [("down", 150), ("up", 0)] if presses is None else presses
        self._changed = threading.Condition()
        self._lines: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.body))
        self._listener.listen()
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._accept, self._answer)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.write(self._far, b"end\n")
        for thread in self._threads:
            thread.join(10)
        for line in self._lines:
            line.close()
        os.close(self._near)
        os.close(self._far)
        self._directory.cleanup()

    def _accept(self) -> None:
        """Each restart of the chip comes anew."""
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            line.sendall(f"battery {self._battery_mv}\nusb 1\nbutton {self.level}\n".encode())
            threading.Thread(target=self._listen, args=(line,), daemon=True).start()

    def _listen(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line.makefile("r") as said:
            for text in said:
                word, _, value = text.strip().partition(" ")
                if word in self.shows:
                    with self._changed:
                        self.shows[word] = value
                        self._changed.notify_all()

    def _answer(self) -> None:
        with os.fdopen(os.dup(self._near), "rb") as asked:
            for text in iter(asked.readline, b"end\n"):
                word = text.split()[0].decode()
                if word == "press":
                    self.press()
                answer = "ok" if word == "press" else f"{word} {self.shows[word]}"
                os.write(self._near, answer.encode() + b"\n")

    def shows_within(self, what: str, value: str, within_s: float) -> None:
        """Wait until it does: what was told to the board comes over two sockets."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.shows[what] == value, within_s), (what, self.shows)

    def press(self) -> None:
        """As whoever works the button does."""
        for level, for_ms in self._presses:
            self.level = level
            self._lines[-1].sendall(f"button {level}\n".encode())
            time.sleep(for_ms / 1000)
