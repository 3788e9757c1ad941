"""Where a version comes from: a checkout, the program of an installed version, or an archive of either.

Owns what belongs to the program, and the version's name: the number and the digest of every file. Two trees of one name
are the same byte for byte, so a repeated install changes nothing, and a changed checkout is another version though
nobody raised the number.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from edge_daemon.errors import Refusal

LOCK = "requirements-gateway.lock"
# hil_tests/ is the bench's; a gateway has none.
_FOLDERS = ("protocol", "edge_daemon", "tools", "firmware")
_FILES = ("pyproject.toml", LOCK, "LICENSE")
_DIGITS = 10
_ENTRIES_MOST = 20_000


@dataclass(frozen=True)
class Source:
    """A tree that holds the program."""

    tree: Path

    @cached_property
    def files(self) -> list[str]:
        """Every file of the program, by its path in the tree."""
        found = [name for name in _FILES if (self.tree / name).is_file()]
        for folder in _FOLDERS:
            entries = (entry for entry in (self.tree / folder).rglob("*") if "__pycache__" not in entry.parts)
            found += [str(entry.relative_to(self.tree)) for entry in entries if entry.is_file()]
        return sorted(found)

    @cached_property
    def version(self) -> str:
        """Number and digest, a directory's name: 0.1.0-3fa9c2d1e0. Raises Refusal for a tree that is no program."""
        try:
            text = (self.tree / "edge_daemon/__init__.py").read_text(encoding="utf-8")
            number = re.search(r'^__version__ = "([0-9A-Za-z.+]{1,40})"$', text, re.MULTILINE)
            lock = (self.tree / LOCK).is_file()
        except (OSError, UnicodeDecodeError):
            number, lock = None, False
        if number is None or not lock:
            raise Refusal("install.no_program", file=self.tree)
        return f"{number[1]}-{self.digest[:_DIGITS]}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents."""
        whole = hashlib.sha256()
        for name in self.files:
            whole.update(name.encode() + b"\0" + hashlib.sha256((self.tree / name).read_bytes()).digest())
        return whole.hexdigest()

    def deploy(self, name: str) -> bytes:
        """A file for the system, as this version wants it."""
        return (self.tree / "edge_daemon/deploy" / name).read_bytes()


def own() -> Source:
    """The tree that this very program runs from."""
    return Source(Path(__file__).resolve().parents[2])


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[Source]:
    """The source at `path`: a directory, or an archive, unpacked for as long as the context lasts. None: our own.

    Raises Refusal for what is neither.
    """
    if path is None:
        yield own()
    elif path.is_dir():
        yield Source(path.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="pingan-") as place:
            yield Source(_unpacked(path, Path(place)))


def _unpacked(archive: Path, place: Path) -> Path:
    """Unpack files and directories, and refuse all else: Debian 12's tarfile has no filter of its own."""
    try:
        with tarfile.open(archive) as file:
            for number, member in enumerate(file):
                name = PurePosixPath(member.name)
                inside = not name.is_absolute() and ".." not in name.parts
                if number >= _ENTRIES_MOST or not inside or not (member.isfile() or member.isdir()):
                    raise Refusal("install.bad_archive", file=archive, why=member.name)
                content = file.extractfile(member)
                if content is not None:
                    target = place / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
    except (OSError, tarfile.TarError, EOFError) as error:
        raise Refusal("install.bad_archive", file=archive, why=error) from error
    found = [place, *(entry for entry in place.iterdir() if entry.is_dir())]
    trees = [tree for tree in found if (tree / "edge_daemon").is_dir()]
    if not trees:
        raise Refusal("install.no_program", file=archive)
    return trees[0]
