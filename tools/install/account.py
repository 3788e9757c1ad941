"""The gateway's system user and the groups it needs. Owns looking them up under a root.

Made by systemd-sysusers from deploy/pingan-gateway.sysusers.conf, which takes a root as well and changes nothing twice.
"""

from __future__ import annotations

from pathlib import Path

from tools.install import system
from tools.install.files import Owner
from tools.install.places import USER, Places
from tools.install.step import Act, act

_GROUPS = (USER, "dialout", "bluetooth")
_WITHIN_S = 60.0


def _rows(file: Path) -> dict[str, list[str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: line.split(":") for line in lines if line.count(":") >= 3}


def owner(places: Places) -> Owner | None:
    """Numbers of the user and its group under this root; None as long as it has no such user."""
    user = _rows(places.root / "etc/passwd").get(USER)
    return None if user is None else Owner(int(user[2]), int(user[3]))


def must_be(places: Places) -> Owner:
    """The same, where the user has been made. Raises Failed."""
    found = owner(places)
    if found is None:
        raise system.Failed("install.no_user", name=USER)
    return found


def wanted(places: Places) -> list[Act]:
    """The user and the groups that are missing."""
    groups = _rows(places.root / "etc/group")
    missing = [act("group", name=name) for name in _GROUPS if name not in groups]
    return missing + ([] if owner(places) else [act("user", name=USER)])


def make(places: Places) -> None:
    """Make them. Raises Failed."""
    wanted = places.for_system()["pingan-gateway.sysusers.conf"].read_text(encoding="utf-8")
    # What is named by a path is looked for under the root or not, as versions of systemd differ.
    system.run("systemd-sysusers", f"--root={places.root}", "-", within_s=_WITHIN_S, given=wanted)


def present(places: Places) -> list[Act]:
    """What remove would take away."""
    return [act("remove", what=f"user {USER}")] if owner(places) else []


def remove(places: Places) -> None:
    """Take the user away; its own group goes with it. Raises Failed."""
    prefix = [] if places.live else ["--prefix", str(places.root)]
    system.run("userdel", *prefix, USER, within_s=_WITHIN_S)
