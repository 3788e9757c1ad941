"""The machine's own commands: apt, systemctl, sysusers, pip. Owns how they are run and what is said when one fails.

Must not know why. A failure is a Failed with the command and the last it said; arguments never hold a secret.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

_TAIL = 600


class Failed(Exception):
    """A step could not be done: exit code 1. `key` is a catalogue key, `names` what the sentence names."""

    def __init__(self, key: str, /, **names: object) -> None:
        super().__init__(f"{key} {names}")
        self.key = key
        self.names = names


def run(*command: object, within_s: float, user: str | None = None, given: str = "", **environment: str) -> str:
    """Run a command to its end, as another user if asked, `given` on its stdin, and return what it printed.

    Raises Failed for an exit code other than 0, for a command that is not there, and after `within_s` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=within_s,
            input=given,
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
            **as_user(user),  # type: ignore[call-overload]
        )
    except subprocess.TimeoutExpired as error:
        raise Failed("install.too_slow", command=_shown(words), seconds=round(within_s)) from error
    except OSError as error:
        raise Failed("install.command_failed", command=_shown(words), why=error.strerror) from error
    if done.returncode:
        said = " ".join((done.stdout + "\n" + done.stderr).split())[-_TAIL:]
        raise Failed("install.command_failed", command=_shown(words), why=said or done.returncode)
    return str(done.stdout)


def as_user(user: str | None) -> dict[str, object]:
    """What subprocess needs to run a command as that user, with no group but its own."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": [], "cwd": "/", "umask": 0o077}


def succeeds(*command: object, within_s: float) -> bool:
    """Whether a command ends with 0. Raises Failed when it cannot be run, or not in time."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, check=False, timeout=within_s, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise Failed("install.too_slow", command=_shown(words), seconds=round(within_s)) from error
    except OSError as error:
        raise Failed("install.command_failed", command=_shown(words), why=error.strerror) from error
    return done.returncode == 0


def _shown(words: Sequence[str]) -> str:
    shown = " ".join(words)
    return shown if len(shown) <= 120 else shown[:117] + "..."
