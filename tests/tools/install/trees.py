"""Versions of the program to install: this tree's files, changed as a test wants. Owns their short list of packages."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hil_tests import cache
from tools.install import source

# What a gateway runs with; the rest of the lock is the technician's kit, and a minute of each installation.
_SERVES = {
    "aiomqtt", "aiooui", "aiosqlite", "bleak", "bleak-retry-connector", "bluetooth-adapters", "cffi", "cryptography",
    "dbus-fast", "markdown-it-py", "mdurl", "paho-mqtt", "pycparser", "pygments", "pyserial", "rich",
    "typing-extensions", "uart-devices", "usb-devices",
}  # fmt: skip
_PACKAGE = re.compile(r"^(([\w.-]+)==.*\n(?:[ \t].*\n)*)", re.MULTILINE)


def small_lock() -> str:
    """Of the gateway's lock what it runs with."""
    whole = source.own().tree.joinpath(source.LOCK).read_text()
    found = {name: text for text, name in _PACKAGE.findall(whole)}
    return "".join(found[name] for name in sorted(_SERVES))


Changes = Mapping[str, tuple[str, str]]


def make(place: Path, number: str = "0.1.0", changes: Changes | None = None, *, lock: str | None = None) -> Path:
    """A tree of this version number. `changes`: a file of it -> (a text that is in it, what is to stand there)."""
    ours = source.own()
    for name in ours.files:
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ours.tree / name, target)
    (place / source.LOCK).write_text(small_lock() if lock is None else lock)
    change(place / "edge_daemon/__init__.py", '__version__ = "0.1.0"', f'__version__ = "{number}"')
    for name, (old, new) in (changes or {}).items():
        change(place / name, old, new)
    return place


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")


def wheels() -> Path:
    """A directory with the packages of the small lock for Debian's Python, fetched once."""
    lock = small_lock()
    place = cache.directory() / f"gateway-wheels-{hashlib.sha256(lock.encode()).hexdigest()[:12]}"
    if not (place / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "lock").write_text(lock)
        version = Path("/usr/bin/python3").resolve().name.removeprefix("python")
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-d", str(place)]
        chosen = ["--only-binary", ":all:", "--python-version", version, "-r", str(place / "lock")]
        subprocess.run([*fetch, *chosen], check=True, timeout=600)
        (place / "complete").touch()
    return place


def tiny(place: Path, number: str = "0.1.0") -> Path:
    """A tree with all that an installation looks at, and no program: for what is not started."""
    ours = source.own()
    for name in ours.files:
        if name.startswith("edge_daemon/deploy/pingan") or name == "edge_daemon/__init__.py":
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ours.tree / name, target)
    (place / source.LOCK).write_text("# nothing\n")
    change(place / "edge_daemon/__init__.py", '__version__ = "0.1.0"', f'__version__ = "{number}"')
    return place
