"""Debian's packages that a gateway needs. Owns their list and how apt is asked.

They stay when the gateway goes: whether others use them, nobody here knows.
"""

from __future__ import annotations

import subprocess

from tools.install import system
from tools.install.places import Places
from tools.install.step import Act, act

# Package -> what a gateway needs it for.
NEEDED = {
    "bluez": "Bluetooth",
    "ca-certificates": "the package index",
    "dbus": "bluetoothd is asked over it",
    "polkitd": "leave to restart bluetoothd",
    "python3": "the program",
    "python3-venv": "its environment",
    "tzdata": "care plans say local times",
    "udev": "leave to take a dongle out and in",
}
_WITHIN_S = 1200.0
_ASK_WITHIN_S = 60.0


def wanted(places: Places) -> list[Act]:
    """Packages that are missing. Those of a root that does not run are the business of whoever makes it."""
    return [act("package", package=name) for name in missing()] if places.live else []


def missing() -> list[str]:
    """Those of the list that are not installed. Raises Failed where there is no dpkg."""
    try:
        # It fails where one is unknown, and tells of the others all the same.
        listed = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *NEEDED],
            capture_output=True, text=True, check=False, timeout=_ASK_WITHIN_S,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise system.Failed("install.command_failed", command="dpkg-query", why=error) from error
    there = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [name for name in NEEDED if name not in there]


def install() -> None:
    """Have apt install what is missing; a run that was cut in dpkg is finished first. Raises Failed."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    system.run("dpkg", "--configure", "-a", "--force-confold", within_s=_WITHIN_S, **quiet)
    system.run("apt-get", "update", "-qq", within_s=_WITHIN_S, **quiet)
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    system.run("apt-get", "install", *options, *missing(), within_s=_WITHIN_S, **quiet)
