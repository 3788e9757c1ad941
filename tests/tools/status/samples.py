"""A gateway on a bad day, as its control socket tells it: of every kind of row at least one."""

from __future__ import annotations

from typing import Any

from tests.edge_daemon.wearer import Wearer

HANDLES = [Wearer(f"s{n}").handle for n in range(30)]

FAULTS = [
    {
        "kind": "wearable_missing",
        "class": "urgent",
        "about": HANDLES[4],
        "note": "not heard for 25 h",
        "since_s": 3600,
    },
    {"kind": "mains_lost", "class": "fault", "about": "nut:ups", "note": "battery 64 %", "since_s": 130},
    {"kind": "path_backup_lost", "class": "fault", "about": "backup", "note": "no answer", "since_s": None},
    {
        "kind": "wearable_impaired",
        "class": "fault",
        "about": HANDLES[5],
        "note": "screen positions motion flash",
        "since_s": 90_000,
    },
]

JOURNAL = {
    "waiting": 2,
    "open": 3,
    "events": 412,
    "trouble": None,
    "short": False,
    "room_bytes": 12_400_000_000,
    "reserve_bytes": 8 << 20,
}


def wearable(place: int, **more: Any) -> dict[str, Any]:
    """One row of `status`, well and at home but for what is said."""
    row = {"wearable": HANDLES[place], "role": "home", "revoked": False, "heard_s": 12, "silent_s": None}
    row |= {"supervision": "ok", "link": "ble", "rssi_dbm": -58, "battery_percent": 78, "battery_mv": 3900}
    return {**row, "firmware": "0.1.0", "open": 0, "test_s": None, **more}


def status(*more: dict[str, Any]) -> dict[str, Any]:
    """A whole reply."""
    unheard = {"heard_s": None, "link": None, "rssi_dbm": None, "battery_percent": None, "battery_mv": None}
    return {
        "v": 1,
        "ok": True,
        "gateway": "gw-chengdu-0071",
        "area": "jinjiang-3",
        "version": "0.1.0",
        "pid": 812,
        "uptime_s": 270_000,
        "clock": {"at": "2026-11-27T21:10:05.000Z", "synced": True},
        "wearables": [
            wearable(0),
            wearable(1, heard_s=1800, link="serial", rssi_dbm=None, battery_percent=12),
            wearable(2, open=1, rssi_dbm=-73),
            wearable(3, **unheard, silent_s=4800),
            wearable(4, heard_s=90_000, supervision="missing", rssi_dbm=-88),
            wearable(5, heard_s=15_000, supervision="lost", rssi_dbm=-95),
            wearable(6, revoked=True, **unheard),
            wearable(7, role="roaming", heard_s=5000),
            wearable(8, test_s=540),
            *more,
        ],
        "links": [
            {"link": "serial", "name": "/dev/ttyACM0", "state": "up"},
            {"link": "serial", "name": "/dev/ttyUSB1", "state": "down"},
            {"link": "ble", "name": "default", "state": "quiet"},
        ],
        "ways": [
            _way("primary", "up", used=True, last_answer_age_s=3, last_test_age_s=20_000),
            _way("backup", "mute", last_answer_age_s=400, test_failed="not accepted"),
            _way("sms", "down", test_under_way=True),
        ],
        "journal": JOURNAL,
        "faults": FAULTS,
        "certificates": [
            {"about": "primary own", "ends_at": "2026-12-09T00:00:00.000Z"},
            {"about": "primary authority", "ends_at": "2031-01-01T00:00:00.000Z"},
            {"about": "primary broker", "ends_at": "2026-11-01T00:00:00.000Z"},
        ],
        "power": [
            {"name": "nut:ups", "answers": True, "mains": False, "percent": 64},
            {"name": "power_supply", "answers": False, "mains": None, "percent": None},
        ],
        "counters": {"events_stored": 5},
    }


def _way(name: str, state: str, **more: Any) -> dict[str, Any]:
    row = {"name": name, "state": state, "used": False, "last_answer_age_s": None, "last_test_age_s": None}
    return {**row, "test_failed": "", "test_under_way": False, **more}
