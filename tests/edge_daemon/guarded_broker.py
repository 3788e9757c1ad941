"""A real mosquitto under the shipped example files, with certificates of the test's own. Owns process and files.

Exchanged in the examples: paths, ports, the user to run as, and how often it saves. Everything else is as shipped.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from hil_tests.broker.mosquitto import find_binary
from hil_tests.ports import free_port

from .certificates import Authority

DEPLOY = Path(__file__).resolve().parents[2] / "edge_daemon/deploy"
AREA = "jianghai"
DESK, DESK_OF_ALL = "desk.jianghai.1", "desk.all.1"
_START_WITHIN_S = 20.0


class GuardedBroker:
    """`gateways` and `desks` are the two ports, `*_authority` who signs for them."""

    def __init__(self, directory: Path, *, open_lists: bool = False, dotless: bool = True) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.directory = directory
        self.gateway_authority = Authority(directory, "ca-gateways-jianghai", dotless=dotless)
        self.desk_authority = Authority(directory, "ca-desks")
        self.gateways, self.desks = free_port(), free_port()
        certificate, key = Authority(directory, "ca-broker").issue("broker")
        self.broker_ca = directory / "test_only_ca-broker_ca.pem"
        for made, name in (
            (certificate, "broker.pem"),
            (key, "broker-key.pem"),
            (self.gateway_authority.file, "ca-gateways-jianghai.pem"),
            (self.desk_authority.file, "ca-desks.pem"),
            (DEPLOY / "mosquitto/access.acl", "access.acl"),
        ):
            shutil.copy(made, directory / name)
        self._list = directory / "access.acl"
        if open_lists:
            self._list.write_text("pattern readwrite #\npattern read $SYS/#\n", encoding="utf-8")
        self._file = directory / "mosquitto.conf"
        self._file.write_text(self._configuration(), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def _configuration(self) -> str:
        text = (DEPLOY / "mosquitto/mosquitto.conf").read_text(encoding="utf-8")
        for shipped, ours in (
            ("/etc/mosquitto/pingan/", f"{self.directory}/"),
            ("listener 8883\n", f"listener {self.gateways} 127.0.0.1\n"),
            ("listener 8884\n", f"listener {self.desks} 127.0.0.1\n"),
            ("user mosquitto\n", f"user {pwd.getpwuid(os.getuid()).pw_name}\n"),
            ("persistence_location /var/lib/mosquitto/\n", f"persistence_location {self.directory}/\n"),
            ("autosave_interval 60\n", "autosave_interval 1\n"),
        ):
            assert text.count(shipped) >= 1, f"the example has no {shipped!r} any more"
            text = text.replace(shipped, ours)
        assert not re.search(r"^[^#\n]*(/etc/|/var/)", text, re.MULTILINE)
        # Monitoring, faster than every 10 s, so that who must not hear it can be seen not to.
        return f"{text}\nsys_interval 1\n"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait for both ports."""
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([find_binary(), "-c", self._file], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_WITHIN_S
        for port in (self.gateways, self.desks):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert self._process.poll() is None, self.log()
                    assert time.monotonic() < deadline, "mosquitto did not open its port"
                    time.sleep(0.02)

    def stop(self) -> None:
        """The orderly end: it writes its sessions first."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def permit(self, lines: str) -> None:
        """Add to the list of rights, and have it read anew."""
        assert self._process is not None
        with self._list.open("a", encoding="utf-8") as file:
            file.write(f"\n{lines}\n")
        self._process.send_signal(signal.SIGHUP)

    def log(self) -> str:
        return (self.directory / "mosquitto.log").read_text(encoding="utf-8", errors="replace")[-3000:]
