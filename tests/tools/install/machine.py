"""A whole machine for one test: a real systemd as the first process, over a private copy of this machine's files.

Owns its namespaces, its files and its life. What it changes lies in a directory of the test's; a stopped machine can be
started again, or be what others begin as a copy of. Needs root and a kernel that lets it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

BOOT = Path(__file__).parent / "boot.sh"
WITHIN_S = 150.0
_NAMESPACES = ["--mount", "--pid", "--uts", "--cgroup", "--ipc"]
_numbers = itertools.count()


class NoMachine(Exception):
    """Here is none to be had; the message says why."""


class Machine:
    """`shared` is /mnt in it. `ground`: the place of a stopped machine that it begins as a copy of.

    `lower`: the files it begins with, this machine's or a tree's; they are not changed.
    """

    def __init__(self, place: Path, shared: Path, ground: Path | None = None, lower: Path = Path("/")) -> None:
        self.place = place
        self.shared = shared
        self.ground = ground
        self.lower = lower
        self._unshare: subprocess.Popen[bytes] | None = None
        self._init = 0
        self._cgroup = _cgroup2() / f"pingan-test-{os.getpid()}-{next(_numbers)}"

    def start(self) -> None:
        """Boot, and return when the machine is up. Raises NoMachine."""
        if os.geteuid() != 0:
            raise NoMachine("not root")
        self.place.mkdir(exist_ok=True)
        if self.ground is not None and not (self.place / "upper").exists():
            # With what marks it as a layer: whiteouts are devices, opaque directories have an attribute.
            subprocess.run(["cp", "-a", self.ground / "upper", self.place / "upper"], check=True, timeout=WITHIN_S)
        self._cgroup.mkdir(exist_ok=True)
        enter = f"echo 0 > {self._cgroup}/cgroup.procs && exec unshare {' '.join(_NAMESPACES)} --fork --kill-child "
        command = ["sh", "-c", enter + '"$@"', "sh", "sh", BOOT, self.place, self.shared, self.lower]
        with (self.place / "boot.log").open("ab") as log:
            self._unshare = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait(self._is_up)
        except TimeoutError as error:
            log_text = (self.place / "boot.log").read_text(errors="replace")[-2000:]
            self.stop()
            raise NoMachine(log_text or "systemd does not come up") from error

    def _is_up(self) -> bool:
        assert self._unshare is not None
        if self._unshare.poll() is not None:
            raise TimeoutError
        pid = self._unshare.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return False
        self._init = int(children[0])
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in ("running", "degraded")

    def _wait(self, until: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not until():
            if time.monotonic() > deadline_s:
                raise TimeoutError
            time.sleep(0.1)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it, for a few minutes at most."""
        self._wait(condition)

    def stop(self) -> None:
        """The power cut: every process of it is gone at once, what is on disk stays."""
        if self._unshare is not None:
            self._unshare.kill()
            self._unshare.wait(WITHIN_S)
            self._unshare = None
        self._wait(self._is_gone)

    def _is_gone(self) -> bool:
        for group in sorted((entry for entry in self._cgroup.rglob("*") if entry.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                group.rmdir()
        with contextlib.suppress(OSError):
            self._cgroup.rmdir()
        return not self._cgroup.exists()

    def command(self, *words: object) -> list[str]:
        """A command line that runs `words` in the machine."""
        enter = ["nsenter", "-t", str(self._init), "-m", "-p", "-u", "-C", "-i", "-r", "-w", "--"]
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [*enter, "/usr/bin/env", f"PATH={path}", "HOME=/root", *(str(word) for word in words)]

    def run(
        self, *words: object, check: bool = True, given: str = "", within_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the machine's root."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, timeout=within_s, input=given
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done


def _cgroup2() -> Path:
    for line in Path("/proc/mounts").read_text().splitlines():
        if line.split()[2] == "cgroup2":
            return Path(line.split()[1])
    raise NoMachine("no cgroup2 is mounted")
