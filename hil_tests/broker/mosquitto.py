"""One mosquitto on loopback: start, stop, kill, start again on the same port. Owns process, port and directory.

Must not know what is published. The broker's session state lives in its directory, so that a stop and a start lose no
subscription and no queued message; a kill loses what mosquitto itself would lose (it saves every second here).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from hil_tests.broker import unpacked
from hil_tests.broker.errors import BrokerFailed
from hil_tests.debian import DebianFailed
from hil_tests.ports import free_port

# A broker on a busy two-core machine comes up in well under a second; ten is a broken machine.
START_WITHIN_S = 10.0
STOP_WITHIN_S = 10.0
_POLL_S = 0.01

_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
user {user}
persistence {persistence}
persistence_location {directory}/
autosave_interval 1
max_queued_messages 0
log_dest file {directory}/mosquitto.log
log_type error
log_type warning
log_type notice
"""


def find_binary() -> Path:
    """The installed mosquitto, else Debian's package out of the cache. Raises BrokerFailed where neither can be had."""
    found = shutil.which("mosquitto", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if found is not None:
        return Path(found)
    try:
        return unpacked.binary()
    except DebianFailed as failure:
        raise BrokerFailed(f"mosquitto is not installed and cannot be fetched: {failure}") from failure


class Broker:
    """A mosquitto of our own on 127.0.0.1:`port`. Use `with Broker() as broker:` or start() and stop().

    Without `directory` it makes one and removes it on leaving the `with` block; `binary` defaults to the installed one.
    With `persistence` False it keeps nothing over its end: sessions, subscriptions and what was queued are gone.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        binary: Path | None = None,
        port: int | None = None,
        persistence: bool = True,
    ) -> None:
        self._persistence = persistence
        self._own_directory = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="pingan-broker-")) if directory is None else directory
        self.host = "127.0.0.1"
        # The port is kept over restarts: that is what a client that reconnects counts on.
        self.port = free_port() if port is None else port
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """`host:port`, as the daemon and the desk take it."""
        return f"{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it takes connections. Raises BrokerFailed; a broker that runs is left alone."""
        if self.running:
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = self.directory / "mosquitto.conf"
        # Started as root mosquitto would become another user, who may not write here.
        user = pwd.getpwuid(os.getuid()).pw_name
        persistence = str(self._persistence).lower()
        text = _CONFIG.format(port=self.port, user=user, directory=self.directory, persistence=persistence)
        config.write_text(text, encoding="utf-8")
        command = [str(self._binary or find_binary()), "-c", str(config)]
        # What it says before it opens its log: that it runs as root, or what it does not like in its configuration.
        with (self.directory / "mosquitto.out").open("ab") as said:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._wait_until_open()

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if not self.running:
                raise BrokerFailed(f"mosquitto ended at once: {self._log_tail()}")
            try:
                socket.create_connection((self.host, self.port), timeout=1.0).close()
            except OSError:
                time.sleep(_POLL_S)
            else:
                return
        self.kill()
        raise BrokerFailed(f"mosquitto did not open port {self.port} in {START_WITHIN_S:.0f} s: {self._log_tail()}")

    def _log_tail(self) -> str:
        logs = [self.directory / name for name in ("mosquitto.out", "mosquitto.log")]
        said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs if log.exists())
        return said[-2000:] or "no log"

    def stop(self) -> None:
        """End it the orderly way: it writes its sessions first. Nothing happens where none runs."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BrokerFailed(f"mosquitto did not stop in {STOP_WITHIN_S:.0f} s") from None
        self._process = None

    def kill(self) -> None:
        """SIGKILL: the power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port with the same sessions."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove the directory if it is our own."""
        self.stop()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
