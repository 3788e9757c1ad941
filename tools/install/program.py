"""A version of the program on this machine: its files, and a Python environment of its own. Owns building it.

    /opt/pingan/versions/<version>/           a virtual environment
        program/                              the files of the source
        lib/python3.x/site-packages/*.pth     names program/
        complete                              written last: what is there is whole

Files are copied rather than made into a wheel and installed: what runs is byte for byte what was tested, nothing is
built on the gateway, and the whole has one digest. Packages come from the lock, each by its hash, from the index or,
offline, from a directory; as wheels but for one, so there is no compiler here. Nothing is ever changed in a version
that is complete.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.install import files, system
from tools.install.places import PROGRAM, PUBLIC_DIRECTORY, PUBLIC_FILE, Places
from tools.install.source import LOCK, Source
from tools.install.step import Act, act

# Debian's own: its security updates reach the gateway without us.
PYTHON = Path("/usr/bin/python3")
# A package of the lock: its name, and all its lines.
_REQUIREMENT = re.compile(r"^(?P<all>(?P<name>[a-zA-Z0-9][\w.-]*)==.*\n(?:[ \t].*\n)*)", re.MULTILINE)
# What its makers publish as source alone: built here by setuptools, which is in the lock, and nothing else.
_NO_WHEELS = ("esptool",)
_COMPLETE = "complete"
_VENV_WITHIN_S = 180.0
_PIP_WITHIN_S = 1800.0
_COMMAND = '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -P -m tools.cli "$@"\n'


@dataclass(frozen=True)
class Program:
    """One version. `wheels`: take packages from this directory alone."""

    places: Places
    source: Source
    wheels: Path | None = None

    @property
    def version(self) -> str:
        """Its name."""
        return self.source.version

    @property
    def directory(self) -> Path:
        """Where it lies."""
        return self.places.versions / self.version

    def wanted(self) -> list[Act]:
        """What is missing: all of it, or nothing."""
        if is_complete(self.directory):
            return []
        packages = len(_REQUIREMENT.findall(self._lock()))
        found_at = self.wheels or "index"
        return [
            act("program", directory=self.directory, files=len(self.source.files)),
            act("packages", directory=self.directory, count=packages, found_at=found_at),
        ]

    def build(self) -> None:
        """Build it anew, over whatever an interrupted attempt has left. Raises Failed."""
        files.remove(self.directory)
        for directory in (self.places.opt, self.places.versions, self.directory):
            files.make_directory(directory, PUBLIC_DIRECTORY)
        self._copy()
        self._environment()
        _make_readable(self.directory)
        # One word to the kernel for thousands of files; the mark says that it was kept.
        os.sync()
        mark = {"version": self.version, "digest": self.source.digest, "python": python_version()}
        files.write(self.directory / _COMPLETE, json.dumps(mark).encode() + b"\n", PUBLIC_FILE)

    def _lock(self) -> str:
        return (self.source.tree / LOCK).read_text(encoding="utf-8")

    def _copy(self) -> None:
        for name in self.source.files:
            target = self.directory / "program" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.source.tree / name, target)
        command = self.directory / "bin/pingan"
        command.parent.mkdir()
        command.write_text(_COMMAND)
        command.chmod(PROGRAM)

    def _environment(self) -> None:
        needs_pip = "==" in self._lock()
        bare = [] if needs_pip else ["--without-pip"]
        system.run(PYTHON, "-m", "venv", *bare, self.directory, within_s=_VENV_WITHIN_S)
        (packages,) = self.directory.glob("lib/python3*/site-packages")
        # Relative to the file itself, so that `current` may stand in its way.
        (packages / "pingan.pth").write_text("../../../program\n")
        python = self.directory / "bin/python"
        if needs_pip:
            self._install(python, "wheels", ["--only-binary", ":all:"], lambda name: name not in _NO_WHEELS)
            self._install(python, "sources", ["--no-build-isolation"], lambda name: name in _NO_WHEELS)
        # The service may not write beside its program: what it would compile at each start is compiled now.
        system.run(python, "-m", "compileall", "-q", self.directory / "program", within_s=_VENV_WITHIN_S)

    def _install(self, python: Path, of: str, how: list[str], chosen: Callable[[str], bool]) -> None:
        """Have pip install part of the lock. Raises Failed."""
        part = self.directory / f"requirements-{of}.txt"
        part.write_text("".join(text for text, name in _REQUIREMENT.findall(self._lock()) if chosen(name)))
        index = [] if self.wheels is None else ["--no-index", "--find-links", str(self.wheels.resolve())]
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
        system.run(python, "-m", "pip", "install", *quiet, *index, *how, "-r", part, within_s=_PIP_WITHIN_S)


def python_version() -> str:
    """Debian's Python, as in the path of its packages: 3.11. An environment does not outlive a change of it."""
    return Path(os.path.realpath(PYTHON)).name.removeprefix("python")


def is_complete(directory: Path) -> bool:
    """Whether a version was built to its end, for the Python that is there now."""
    mark = read_mark(directory)
    return bool(mark) and mark.get("python") == python_version()


def read_mark(directory: Path) -> dict[str, str]:
    """Version, digest and Python of a complete version; nothing for one that is not."""
    try:
        mark = json.loads((directory / _COMPLETE).read_bytes())
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}


def current(places: Places) -> str | None:
    """The version that `current` names, if any."""
    return places.current.readlink().name if places.current.is_symlink() else None


def previous(places: Places) -> str | None:
    """The version that ran before it, if any."""
    return places.previous.readlink().name if places.previous.is_symlink() else None


def switch(places: Places, version: str) -> None:
    """Make a version the current one, and remember which was before."""
    before = current(places)
    if before not in (None, version):
        files.link(places.previous, f"versions/{before}")
    files.link(places.current, f"versions/{version}")


def surplus(places: Places) -> list[Path]:
    """Versions beside the current one and the one before: two are kept."""
    if not places.versions.is_dir():
        return []
    kept = {current(places), previous(places)}
    return sorted(entry for entry in places.versions.iterdir() if entry.name not in kept)


def _make_readable(directory: Path) -> None:
    """Whatever root's umask is, the service's user must read what root wrote."""
    for folder, names, found in os.walk(directory):
        Path(folder).chmod(PUBLIC_DIRECTORY)
        for name in [*names, *found]:
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                path.chmod(PROGRAM if path.stat().st_mode & 0o100 else PUBLIC_FILE)
