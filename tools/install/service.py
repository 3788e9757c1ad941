"""The service under systemd: known, enabled, started, and whether it runs. Owns each call of systemctl.

Must not know why it is started, nor what runs in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tools.install import system
from tools.install.places import UNIT, Places

_WITHIN_S = 60.0
_STOP_WITHIN_S = 60.0
_POLL_S = 0.2
_GUARD = "pingan-upgrade-guard"
_GUARD_S = 30
# A container has no udevd.
_UDEV = Path("/run/udev/control")
_SETTLED_AFTER_S = 2.0


@dataclass(frozen=True)
class State:
    """What systemd says of the unit. `restarts`: how often it has been started anew by itself since we started it."""

    active: str
    sub: str
    restarts: int
    pid: int
    result: str
    needs_reload: bool

    @property
    def runs(self) -> bool:
        """It has said READY and has not ended since."""
        return self.active == "active" and self.sub == "running"

    @property
    def fell(self) -> bool:
        """It has ended by itself at least once."""
        return self.restarts > 0 or self.active == "failed" or self.sub == "auto-restart"


_WORDS = {
    "ActiveState": "inactive",
    "SubState": "dead",
    "NRestarts": "0",
    "MainPID": "0",
    "Result": "",
    "NeedDaemonReload": "no",
}


def state() -> State:
    """Ask systemd. Raises Failed when it does not answer."""
    asked = ",".join(_WORDS)
    said = system.run("systemctl", "show", UNIT, f"--property={asked}", within_s=_WITHIN_S)
    words = _WORDS | dict(line.partition("=")[::2] for line in said.splitlines())
    return State(
        active=words["ActiveState"],
        sub=words["SubState"],
        restarts=int(words["NRestarts"] or 0),
        pid=int(words["MainPID"] or 0),
        result=words["Result"],
        needs_reload=words["NeedDaemonReload"] == "yes",
    )


def is_enabled(places: Places) -> bool:
    """Whether it comes up with the machine."""
    return (places.root / "etc/systemd/system/multi-user.target.wants" / UNIT).is_symlink()


def enable(places: Places, *, on: bool = True) -> None:
    """Have it come up with the machine, or no longer. Raises Failed."""
    root = [] if places.live else [f"--root={places.root}"]
    system.run("systemctl", *root, "--quiet", "enable" if on else "disable", UNIT, within_s=_WITHIN_S)


def start() -> None:
    """Ask for the start, and do not wait for it. Raises Failed."""
    system.run("systemctl", "start", "--no-block", UNIT, within_s=_WITHIN_S)


def stop() -> None:
    """Stop it and wait until it has; systemd kills what does not go. Raises Failed."""
    system.run("systemctl", "stop", UNIT, within_s=_STOP_WITHIN_S)


def guard(lock: Path) -> None:
    """Have systemd start it as soon as nobody holds `lock` any more, looking each half minute. Raises Failed.

    For whoever stops it and may be killed: a gateway must not stay stopped because of that.
    """
    unguard()
    every = [f"--on-active={_GUARD_S}", f"--on-unit-active={_GUARD_S}", "--timer-property=AccuracySec=1"]
    start = ["flock", "--nonblock", lock, "systemctl", "start", "--no-block", UNIT]
    # Collected: one that found the lock held has failed, and would be in the next one's way.
    how = ["--quiet", "--collect", f"--unit={_GUARD}", "--service-type=oneshot"]
    system.run("systemd-run", *how, *every, *start, within_s=_WITHIN_S)


def unguard() -> None:
    """It is started, or shall stay stopped. Raises Failed."""
    if system.succeeds("systemctl", "is-active", "--quiet", f"{_GUARD}.timer", within_s=_WITHIN_S):
        system.run("systemctl", "stop", f"{_GUARD}.timer", within_s=_WITHIN_S)


def reload() -> None:
    """Have systemd read unit files anew, and udev its rules, for what is plugged in already too. Raises Failed."""
    system.run("systemctl", "daemon-reload", within_s=_WITHIN_S)
    if _UDEV.exists():
        system.run("udevadm", "control", "--reload", within_s=_WITHIN_S)
        plugged = ["--action=add", "--subsystem-match=usb", "--subsystem-match=leds"]
        system.run("udevadm", "trigger", *plugged, within_s=_WITHIN_S)


def wait_until_it_runs(within_s: float) -> State:
    """Wait until it runs and has gone on running for a moment. Returns the last state seen: whether it does.

    Returns early when it has fallen: it was started to stay.
    """
    deadline_s = time.monotonic() + within_s
    # Since when it runs as one process, and which.
    since_s, pid = 0.0, 0
    while True:
        seen = state()
        now_s = time.monotonic()
        if not seen.runs:
            pid = 0
        elif seen.pid != pid:
            since_s, pid = now_s, seen.pid
        settled = pid != 0 and now_s - since_s >= _SETTLED_AFTER_S
        if settled or seen.fell or now_s >= deadline_s:
            return seen
        time.sleep(_POLL_S)
