"""The daemon itself: whether it answers, and what it says of its ways, wearables, faults, tests and power.

Owns what of its word is blamed, and how hard. Must not look at anything itself: the machine may tell another story
beside it, and both are shown.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from edge_daemon.config import Config
from edge_daemon.errors import Refusal
from tools.control import client
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding, Key
from tools.label import code

_UNIT = "pingan-gateway"
_HOUR_S = 3600
# A day between the daily tests, and half of one for whoever was switched off at the time.
_TEST_OLD_S = 36 * _HOUR_S
# Of one never heard: two of its half-hourly heartbeats and some.
_NEVER_HEARD_S = 70 * 60
_BATTERY_LEAST_PERCENT = 20
_SYSTEMCTL_WITHIN_S = 5.0


async def ask(config: Config) -> list[Finding]:
    """What the daemon says, or that it says nothing."""
    try:
        status = await asyncio.to_thread(client.ask, config.control_socket, {"ask": "status"})
    except Refusal as refusal:
        if refusal.key == "control.not_allowed":
            return [Finding("gateway", "service_hidden", GOOD, {"socket": config.control_socket}, unsure=True)]
        return [Finding("gateway", "service_down", DEADLY, {"unit": await asyncio.to_thread(_unit_state)})]
    return [*_itself(status), *_ways(status), *_wearables(status, config), *_faults(status), *_power(status)]


def _unit_state() -> str:
    """What systemd says of the unit; "-" where there is no systemd."""
    program = shutil.which("systemctl")
    if program is None:
        return "-"
    command = [program, "is-active", _UNIT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SYSTEMCTL_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "-"
    return f"systemd: {done.stdout.strip()}" if done.stdout.strip() else "-"


def _itself(status: dict[str, Any]) -> Iterator[Finding]:
    names = {"version": status["version"], "hours": status["uptime_s"] // _HOUR_S}
    yield Finding("gateway", "service_good", GOOD, names)
    waiting = status["journal"]["waiting"]
    if waiting and not _carries(status):
        yield Finding("gateway", "alarms_wait", DEADLY, {"count": waiting})


def _carries(status: dict[str, Any]) -> bool:
    return any(way["state"] == "up" for way in status["ways"])


def _ways(status: dict[str, Any]) -> Iterator[Finding]:
    harm = HARMFUL if _carries(status) else DEADLY
    for way in status["ways"]:
        if way["state"] != "up":
            yield Finding("ways", "path_lost", harm, {"path": _path(way), "state": Key(f"doctor.way.{way['state']}")})
            continue
        yield Finding("ways", "path_good", GOOD, {"path": _path(way)})
        if way["test_failed"]:
            yield Finding("ways", "test_failed", HARMFUL, {"path": _path(way), "cause": way["test_failed"]})
        elif way["last_test_age_s"] is not None and way["last_test_age_s"] > _TEST_OLD_S:
            yield Finding("ways", "test_old", WEAK, {"path": _path(way), "hours": way["last_test_age_s"] // _HOUR_S})
        elif way["last_test_age_s"] is None and status["uptime_s"] > _TEST_OLD_S:
            yield Finding("ways", "test_never", WEAK, {"path": _path(way)})


def _path(way: dict[str, Any]) -> Key:
    return Key(f"doctor.path.{way['name']}")


def _wearables(status: dict[str, Any], config: Config) -> Iterator[Finding]:
    served = [one for one in status["wearables"] if not one["revoked"] and one["role"] == "home"]
    well = 0
    for one in served:
        label = code.of_handle(one["wearable"])
        battery = one["battery_percent"]
        silent_s = one["silent_s"] or 0
        if one["heard_s"] is None and (one["supervision"] != "ok" or silent_s > _NEVER_HEARD_S):
            yield Finding("wearables", "wearable_never", HARMFUL, {"code": label})
        elif one["supervision"] != "ok" or (one["heard_s"] or 0) > config.supervision.wearable_lost_s:
            names = {"code": label, "hours": (one["heard_s"] or 0) // _HOUR_S}
            yield Finding("wearables", "wearable_silent", HARMFUL, names)
        elif one["heard_s"] is not None:
            well += 1
        if battery is not None and battery < _BATTERY_LEAST_PERCENT:
            yield Finding("wearables", "wearable_battery", HARMFUL, {"code": label, "percent": battery})
    if well:
        yield Finding("wearables", "wearables_good", GOOD, {"count": well})


def _faults(status: dict[str, Any]) -> Iterator[Finding]:
    # What has its own finding above is not said twice.
    told = {"mains_lost", "supervision_lost", "path_primary_lost", "path_backup_lost", "path_sms_lost", "platform_lost"}
    for fault in status["faults"]:
        if fault["kind"] not in told:
            yield Finding(
                "faults",
                "fault_active",
                HARMFUL,
                {"fault": Key(f"desk.page.kind.{fault['kind']}"), "about": _about(fault)},
            )


def _about(fault: dict[str, Any]) -> str:
    """Of which part; of a wearable its label, and what of it is out of use."""
    if fault["kind"] == "wearable_impaired":
        return f"{code.of_handle(fault['about'])}: {fault['note']}"
    return fault["about"] or "-"


def _power(status: dict[str, Any]) -> Iterator[Finding]:
    for source in status["power"]:
        if source["mains"] is False:
            yield Finding("power", "mains_off", HARMFUL, {"source": source["name"]})
