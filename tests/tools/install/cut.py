"""`python -m tests.tools.install.cut N HOW COUNT ARGUMENTS…`: `pingan` with ARGUMENTS, cut before its N-th change.

HOW: "power" (the process is gone), "ctrl-c". N 0: not at all. What changes a disk or runs a command is counted; the
count goes to the file COUNT. Says with exit code 99 what a power cut could undo: a file that gets its name before its
contents are on disk, a version called complete before it is, a name that is never made to last.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools import cli

_CHANGES = ("replace", "fsync", "mkdir", "chmod", "chown", "fchown", "fchmod", "symlink", "unlink", "rmdir", "sync")


class Cut:
    def __init__(self, before: int, how: str) -> None:
        self.before, self.how = before, how
        self.count = 0
        self.wrong: list[str] = []
        self._on_disk: set[int] = set()
        self._names: dict[int, str] = {}
        self._synced = False

    def wrap(self, holder: Any, name: str) -> None:
        real = getattr(holder, name)
        judge: Callable[..., None] = getattr(self, f"_{name}", lambda *_: None)

        def counted(*arguments: Any, **named: Any) -> Any:
            # Asked until the service is up, so as often as this machine is slow; and nothing to cut.
            if name == "run" and arguments[0][:2] == ["systemctl", "show"]:
                return real(*arguments, **named)
            self.count += 1
            if self.count == self.before:
                if self.how == "power":
                    os._exit(137)
                raise KeyboardInterrupt
            judge(*arguments)
            return real(*arguments, **named)

        setattr(holder, name, counted)

    def _fsync(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self._on_disk.add(found.st_ino)
        if stat.S_ISDIR(found.st_mode):
            self._names.pop(found.st_ino, None)

    def _sync(self) -> None:
        self._synced = True

    def _replace(self, old: Any, new: Any) -> None:
        found = os.lstat(old)
        if stat.S_ISREG(found.st_mode) and found.st_ino not in self._on_disk:
            self.wrong.append(f"{new} gets its name before its contents are on disk")
        if Path(new).name == "complete" and not self._synced:
            self.wrong.append(f"{new} is called complete before it is on disk")
        self._names[Path(new).parent.stat().st_ino] = str(new)

    def judged(self) -> list[str]:
        return [*self.wrong, *(f"{name} may have its old contents after a power cut" for name in self._names.values())]


def main(before: str, how: str, count: str, *arguments: str) -> int:
    cut = Cut(int(before), how)
    for name in _CHANGES:
        cut.wrap(os, name)
    cut.wrap(subprocess, "run")
    code = cli.main(list(arguments))
    Path(count).write_text(str(cut.count))
    for line in cut.judged():
        print(line, file=sys.stderr)
    return 99 if code == 0 and cut.judged() else code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
