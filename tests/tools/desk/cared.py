"""Plans and settings as `pingan care` makes them, what a gateway says of them, and waiting for the desk to know."""

from __future__ import annotations

import json
import os
from typing import Any

from protocol import box
from protocol.settings import Settings
from tests.tools.desk.desk_house import Opened
from tests.tools.desk.gateway import Gateway
from tests.tools.desk.wearable import Wearable

STRANGER = Wearable(bytes([7]) * 16)


def plan(wearable: Wearable, version: int, key: bytes | None = None, **over: Any) -> dict[str, Any]:
    said = {"v": 1, "beneficiary": "older", "centre": "jianghai", "retention_days": 30, **over}
    key = box.care_key(wearable.keys.down) if key is None else key
    sealed = box.seal(key, box.CARE, version, os.urandom(8), json.dumps(said).encode())
    return {"version": version, "box": sealed.hex()}


def own_settings(wearable: Wearable, version: int) -> dict[str, Any]:
    sealed = box.seal(wearable.keys.trail, box.SETTINGS, version, os.urandom(8), Settings().pack())
    return {"version": version, "box": sealed.hex()}


def row(wearable: Wearable, **parts: Any) -> dict[str, Any]:
    return {"wearable": wearable.handle, "plan": None, "settings": None, **parts}


async def says(gateway: Gateway, wearable: Wearable, **over: Any) -> None:
    said = {"wearable": wearable.handle, "plan_version": None, "settings_version": None, "result": "taken"}
    said |= {"reason": None, **over}
    await gateway.say("care", {"v": 1, "gateway": gateway.name, "rows": [said]})


async def until_said(desk: Opened, wearable: Wearable, gateway: str, **wanted: Any) -> dict[str, Any]:
    """The row of a gateway, once it has these values."""

    def reached(said: dict[str, Any]) -> bool:
        found = [each for each in said["gateways"] if each["gateway"] == gateway]
        return any(all(each[name] == value for name, value in wanted.items()) for each in found)

    said: dict[str, Any] = await desk.until(f"/api/care/{wearable.handle}", reached)
    return said
