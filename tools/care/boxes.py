"""The two boxes of one wearable, under one version. Owns what is sealed for whom, under which key, and nothing else."""

from __future__ import annotations

import os
from typing import Any

from protocol import box
from protocol.keys import DeviceKeys
from tools.care import content
from tools.care.wearer import Wearer


def sealed(wearer: Wearer, keys: DeviceKeys, version: int) -> dict[str, Any]:
    """A row of down/care: plan and settings. Raises Refusal where the plan is none that a gateway would take."""
    plan = content.plan(wearer)
    settings = content.of_wearable(wearer).pack()
    return {
        "wearable": wearer.handle,
        "plan": _box(box.care_key(keys.down), box.CARE, version, plan),
        "settings": _box(keys.trail, box.SETTINGS, version, settings),
    }


def _box(key: bytes, purpose: int, version: int, inside: bytes) -> dict[str, Any]:
    salt = os.urandom(box.SALT_SIZE)
    return {"version": version, "box": box.seal(key, purpose, version, salt, inside).hex()}
