"""A PostgreSQL of our own for tests: on a unix socket in a directory of its own, gone when the test is.

Owns the server's life. It will not run as root, so for root it runs as `nobody`. Must not know the desk.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USER = "pingan"
_UNPRIVILEGED = "nobody"
_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 30.0
_POLL_S = 0.05


class PostgresFailed(AssertionError):
    """The server did not do what it is for; the message ends with its log."""


def find_binaries() -> Path | None:
    """The folder of initdb and postgres, the newest installed; None where there is none."""
    on_path = shutil.which("initdb")
    folders = [*_INSTALLED, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Postgres:
    """`with Postgres(binaries) as server:`, then `new_database(name)` gives a URL for the desk."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # Not pytest's directory: that is closed to other users, and a socket's path must be short.
        self.directory = Path(tempfile.mkdtemp(prefix="pingan-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self.directory, _UNPRIVILEGED)
            self._as = {"user": _UNPRIVILEGED, "group": "nogroup", "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, timeout=_START_WITHIN_S, **self._as
        )
        if done.returncode != 0:
            raise PostgresFailed(f"{program}: {done.stderr[-2000:]}")

    def start(self) -> None:
        """Start and wait until it takes connections. Raises PostgresFailed."""
        data = self.directory / "data"
        if not data.exists():
            # C.UTF-8: no locale of the machine decides how the desk's text is kept.
            self._run("initdb", "-D", str(data), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        command = [str(self._binaries / "postgres"), "-D", str(data), "-k", str(self.directory), "-h", ""]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._as
            )
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._run("psql", *self._connect("postgres"), "-c", "SELECT 1")
            except PostgresFailed:
                time.sleep(_POLL_S)
            else:
                return
        raise PostgresFailed(f"postgres did not start: {(self.directory / 'log').read_text()[-2000:]}")

    def _connect(self, database: str) -> list[str]:
        return ["-h", str(self.directory), "-U", _USER, "-d", database]

    def new_database(self, name: str) -> str:
        """Make an empty database; its URL, over the unix socket."""
        self.execute("postgres", f'CREATE DATABASE "{name}"')
        return f"postgresql://{_USER}@/{name}?host={self.directory}"

    def execute(self, database: str, statement: str) -> None:
        """Run a statement as the server's owner."""
        self._run("psql", *self._connect(database), "-c", statement)

    def crash(self) -> None:
        """End it at once and without a checkpoint: the next start recovers from its write-ahead log."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """End it the orderly way, whoever is connected."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise PostgresFailed(f"postgres did not stop in {_STOP_WITHIN_S:.0f} s") from None
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)
