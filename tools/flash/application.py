"""Our application onto a board that runs MicroPython: what differs is sent, what is foreign goes, all is read back.

Owns the order, which is what makes a pulled cable harmless: first `main.py` and `boot.py` go, so that from then on
the prompt is open; they come last, when everything they import is there and compared. A second run ends what the
first began.
"""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any

from tools.flash import esptool
from tools.flash.application_prompt import CodeFailed, Prompt, open_prompt
from tools.image import Image
from tools.kit.telling import Telling

_STEP = "application"
_LAST = ("boot.py", "main.py")
_START_S = 20.0
# A tree of a hundred files is hashed in some seconds.
_LOOK_S = 60.0
_READY = re.compile(r"^ready (\d+\.\d+\.\d+)\r?$", re.MULTILINE)
# Mounted there by others, and none of the image's business: identity and outbox, the interpreter's own read-only files.
_LOOK = """
import os, hashlib, binascii
def _look(folder):
    for entry in list(os.ilistdir(folder or "/")):
        path = folder + "/" + entry[0]
        if path in ("/flash", "/rom"):
            continue
        if entry[1] & 0x4000:
            print("folder", "-", path)
            _look(path)
            continue
        digest = hashlib.sha256()
        buf = bytearray(512)
        with open(path, "rb") as file:
            while True:
                size = file.readinto(buf)
                if not size:
                    break
                digest.update(memoryview(buf)[:size])
        print("file", binascii.hexlify(digest.digest()).decode(), path)
_look("")
"""


def install(
    port: str, chip: str, image: Image, telling: Telling, stop: threading.Event | None = None
) -> dict[str, Any]:
    """Make the board at `port` hold this image and nothing else, and start it; return the facts that were told.

    Raises Refusal "application.closed"; esptool.ToolFailed (its key says why); esptool.Stopped when `stop` is set.
    """
    telling.begin(port, _STEP)
    with open_prompt(port, chip) as prompt:
        facts = _Installation(port, prompt, image, telling, stop or threading.Event()).run()
        facts |= _locked(prompt) if image.release else _started(prompt)
    telling.end(port, _STEP, **facts)
    return facts


class _Installation:
    def __init__(self, port: str, prompt: Prompt, image: Image, telling: Telling, stop: threading.Event) -> None:
        self._port = port
        self._prompt = prompt
        self._image = image
        self._telling = telling
        self._stop = stop
        self._wanted = {f"/{place}": _digest(image.directory / place) for place in image.sizes}

    def run(self) -> dict[str, Any]:
        try:
            files, folders = self._look()
            differing = [path for path, digest in self._wanted.items() if files.get(path) != digest]
            foreign = [path for path in files if path not in self._wanted]
            if differing or foreign:
                self._clear([path for path in files if path.strip("/") in _LAST] + foreign, folders)
                self._send(sorted({*differing, *(f"/{name}" for name in _LAST)}, key=_order))
                self._compare()
        except CodeFailed as failed:
            raise esptool.ToolFailed("application.refused_a_file", why=failed) from failed
        return {
            "files": len(self._wanted),
            "sent": len(differing),
            "removed": len(foreign),
            "bytes": self._image.total,
            "fingerprint": self._image.fingerprint,
        }

    def _look(self) -> tuple[dict[str, str], list[str]]:
        """What lies on the board: path -> SHA-256, and its folders, each before what is in it."""
        files, folders = {}, []
        for line in self._prompt.run(_LOOK, _LOOK_S).splitlines():
            kind, digest, path = line.strip().split(" ", 2)
            if kind == "folder":
                folders.append(path)
            else:
                files[path] = digest
        return files, folders

    def _clear(self, gone: list[str], folders: list[str]) -> None:
        kept = {str(parent) for path in self._wanted for parent in Path(path).parents}
        for path in sorted(gone, key=_order, reverse=True):
            self._run(f"import os; os.remove({path!r})")
        for folder in reversed(folders):
            if folder not in kept:
                self._run(f"import os; os.rmdir({folder!r})")
        for folder in sorted(kept - {"/"} - set(folders)):
            self._run(f"import os; os.mkdir({folder!r})")

    def _send(self, paths: list[str]) -> None:
        whole = sum(self._image.sizes[path.lstrip("/")] for path in paths)
        done = 0
        for path in paths:
            if path.strip("/") == _LAST[0]:
                # Before the two that start it: everything else is whole, read back from flash.
                self._compare(without_last=True)
            self._look_up_from_work()
            self._prompt.write_file(path, (self._image.directory / path.lstrip("/")).read_bytes())
            done += self._image.sizes[path.lstrip("/")]
            self._telling.part(self._port, _STEP, done, whole)

    def _compare(self, *, without_last: bool = False) -> None:
        found, _ = self._look()
        wanted = {
            path: digest for path, digest in self._wanted.items() if not (without_last and path.strip("/") in _LAST)
        }
        wrong = sorted(path for path in {*wanted, *found} if wanted.get(path) != found.get(path))
        if wrong:
            raise esptool.ToolFailed("application.differs", file=wrong[0], count=len(wrong))

    def _run(self, code: str) -> None:
        self._look_up_from_work()
        self._prompt.run(code)

    def _look_up_from_work(self) -> None:
        if self._stop.is_set():
            raise esptool.Stopped


def _order(path: str) -> tuple[int, str]:
    """boot.py, then main.py, behind everything else."""
    name = path.strip("/")
    return (_LAST.index(name) + 1 if name in _LAST else 0, path)


def _started(prompt: Prompt) -> dict[str, Any]:
    """A development build says on its console when it takes presses."""
    said = prompt.start(b"ready ", _START_S)
    ready = _READY.search(said)
    if not ready:
        # Its own last word, not that of the prompt it fell into.
        lines = [line.strip() for line in said.partition("\nMicroPython ")[0].splitlines() if line.strip()]
        raise esptool.ToolFailed("application.no_start", why=lines[-1] if lines else "-")
    return {"version": ready[1]}


def _locked(prompt: Prompt) -> dict[str, Any]:
    """A release says nothing: what can be seen is that it lets nobody in."""
    prompt.start(b"\0", 2.0)
    if prompt.answers():
        raise esptool.ToolFailed("application.open")
    return {"locked": True}


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
