"""Tells systemd that the gateway moves, as long as it does (sd_notify(3)). Owns what "moves" means.

The loop that sends is the loop that everything runs in: if it does not turn, nothing is sent. Beside it each part is
asked. What a restart cannot cure is no reason for one: a broker that is away; a disk that is full, that fails or hangs,
while alarms still go out from memory. Must not know what the parts do.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from edge_daemon.log import Log

log = Log("watchdog")

# Asked this often where nobody waits for our word, for the log.
_EVERY_S = 20.0
# A commit takes milliseconds, on a worn card a second. After this long: is it the disk, or is it us?
_WRITER_LATE_S = 30.0

Moves = Callable[[], bool]


class Notifier:
    """The service manager's socket, if there is one. A word that cannot be sent is logged and lost."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        wanted = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        # How long systemd waits for WATCHDOG=1; None: it does not.
        self.watchdog_s = int(wanted) / 1e6 if wanted.isdigit() and int(wanted) and ours else None

    def say(self, **words: str) -> None:
        """Send READY, WATCHDOG, STATUS, STOPPING. Never blocks, never raises."""
        if not self._address:
            return
        data = "\n".join(f"{name}={' '.join(word.split())}" for name, word in words.items()).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
                line.sendto(data, self._address)
        except OSError as error:
            log.warning("not_notified", words=list(words), why=error.strerror)


class Watchdog:
    """`parts`: name -> whether it has moved since it was last asked. `status`: a line for `systemctl status`."""

    def __init__(self, notifier: Notifier, parts: Mapping[str, Moves], status: Callable[[], str]) -> None:
        self._notifier = notifier
        self._parts = parts
        self._status = status

    async def run(self) -> None:
        """Say that we are ready, and then, three times within what systemd waits, that we move."""
        every_s = self._notifier.watchdog_s / 3 if self._notifier.watchdog_s else _EVERY_S
        self._notifier.say(READY="1")
        try:
            while True:
                stuck = [name for name, moves in self._parts.items() if not moves()]
                if stuck:
                    log.error("stuck", parts=stuck)
                    self._notifier.say(STATUS=f"stuck: {', '.join(stuck)}")
                else:
                    self._notifier.say(WATCHDOG="1", STATUS=self._status())
                await asyncio.sleep(every_s)
        finally:
            self._notifier.say(STOPPING="1")


class Turning:
    """A loop that may rightly sleep: it is woken, and must have turned by the next time it is asked."""

    def __init__(self, turns: Callable[[], int], wake: Callable[[], None]) -> None:
        self._turns = turns
        self._wake = wake
        self._seen = -1

    def __call__(self) -> bool:
        """Whether it has turned since it was last asked."""
        turns = self._turns()
        moved = turns != self._seen
        self._seen = turns
        self._wake()
        return moved


class Writing:
    """A writer that has not come back. If the disk under it answers somebody else, the fault is ours."""

    def __init__(self, since_s: Callable[[], float | None], directory: Path, late_s: float = _WRITER_LATE_S) -> None:
        self._since_s = since_s
        self._directory = directory
        self._late_s = late_s
        self._asked: tuple[float, _Disk] | None = None

    def __call__(self) -> bool:
        """Whether it rests, is in time, has answered with an error, or waits for a disk that answers nobody."""
        since_s = self._since_s()
        if since_s is None or time.monotonic() - since_s < self._late_s:
            self._asked = None
            return True
        if self._asked is None or self._asked[0] != since_s:
            log.warning("writer_late", since_s=round(time.monotonic() - since_s))
            self._asked = since_s, _Disk(self._directory)
            return True
        return not self._asked[1].writes


class _Disk:
    """One write and sync beside the writer, in a thread of its own: it may never come back."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "disk.probe"
        self.writes = False
        threading.Thread(target=self._probe, name="disk probe", daemon=True).start()

    def _probe(self) -> None:
        try:
            descriptor = os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, b".")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("disk_fails", why=error.strerror)
            return
        self.writes = True
