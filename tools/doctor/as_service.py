"""Looks with the gateway's own eyes: what root may read says nothing about what the gateway may.

Owns the change of user. Irreversible for the process, as a look needs it to be.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def become_owner_of(state_dir: Path) -> None:
    """Where root asks, go on as the user whose state directory it is. Nothing happens for others, or without one."""
    if os.geteuid() != 0 or not state_dir.exists():
        return
    owner = state_dir.stat().st_uid
    if owner == 0:
        return
    user = pwd.getpwuid(owner)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(owner)
