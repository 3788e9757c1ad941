"""What the daemon says: a real gateway's word, and that word changed within its schema."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from edge_daemon import config
from edge_daemon.errors import Refusal
from tests.edge_daemon.control.schemas import check
from tools.doctor import service
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding
from tools.label import code as label_code

WEARABLE = {
    "wearable": "1d4f35debd828018",
    "role": "home",
    "revoked": False,
    "heard_s": 30,
    "silent_s": None,
    "supervision": "ok",
    "link": "ble",
    "rssi_dbm": -60,
    "battery_percent": 80,
    "battery_mv": None,
    "firmware": None,
    "open": 0,
    "test_s": None,
}
WAY = {
    "name": "primary",
    "state": "up",
    "used": True,
    "last_answer_age_s": 5,
    "last_test_age_s": 60,
    "test_failed": "",
    "test_under_way": False,
}
FAULT = {"kind": "radio_deaf", "class": "fault", "about": "hci0", "note": "", "since_s": 60}
POWER = {"name": "nut:ups", "answers": True, "mains": False, "percent": 80}
STATUS = {
    "v": 1,
    "ok": True,
    "gateway": "gw-1",
    "area": "bench",
    "version": "0.1.0",
    "pid": 1,
    "uptime_s": 200_000,
    "clock": {"at": "2026-11-27T20:00:00.000Z", "synced": True},
    "wearables": [WEARABLE],
    "links": [],
    "ways": [WAY],
    "journal": {
        "waiting": 0,
        "open": 0,
        "events": 1,
        "trouble": "",
        "short": False,
        "room_bytes": 1 << 30,
        "reserve_bytes": 8 << 20,
    },
    "faults": [],
    "certificates": [],
    "power": [],
    "counters": {},
}


def _with(**over: Any) -> dict[str, Any]:
    made = copy.deepcopy(STATUS) | over
    check("status", made)
    return made


def _wearable(**over: Any) -> dict[str, Any]:
    return _with(wearables=[WEARABLE | over])


async def _found(status: dict[str, Any] | Refusal, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    def ask(*_: object) -> dict[str, Any]:
        if isinstance(status, Refusal):
            raise status
        return status

    monkeypatch.setattr(service.client, "ask", ask)
    return await service.ask(config.Config())


async def test_a_gateway_that_is_well_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _found(_with(), monkeypatch)
    assert [finding.code for finding in found] == ["service_good", "path_good", "wearables_good"]
    assert not any(finding.wrong for finding in found)


@pytest.mark.parametrize(
    ("status", "code", "harm"),
    [
        (_with(ways=[WAY | {"state": "mute"}]), "path_lost", DEADLY),
        (_with(ways=[WAY, WAY | {"name": "backup", "state": "down"}]), "path_lost", HARMFUL),
        (_with(ways=[WAY | {"last_test_age_s": 200_000}]), "test_old", WEAK),
        (_with(ways=[WAY | {"last_test_age_s": None}]), "test_never", WEAK),
        (_with(ways=[WAY | {"test_failed": "refused"}]), "test_failed", HARMFUL),
        (_with(faults=[FAULT]), "fault_active", HARMFUL),
        (_with(power=[POWER]), "mains_off", HARMFUL),
        (_wearable(heard_s=20_000, supervision="lost"), "wearable_silent", HARMFUL),
        (_wearable(heard_s=None, silent_s=9_000), "wearable_never", HARMFUL),
        (_wearable(battery_percent=10), "wearable_battery", HARMFUL),
    ],
)
async def test_what_it_says_is_wrong_is_blamed(
    status: dict[str, Any], code: str, harm: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [(finding.code, finding.harm) for finding in await _found(status, monkeypatch) if finding.wrong]
    assert wrong == [(code, harm)]


async def test_of_a_wearable_that_is_impaired_the_label_and_what_is_out_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault = FAULT | {"kind": "wearable_impaired", "about": WEARABLE["wearable"], "note": "motion flash"}
    (finding,) = [finding for finding in await _found(_with(faults=[fault]), monkeypatch) if finding.wrong]
    assert finding.code == "fault_active"
    assert finding.names["about"] == f"{label_code.of_handle(str(WEARABLE['wearable']))}: motion flash"


async def test_alarms_that_wait_are_deadly_where_no_way_carries_and_normal_where_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = STATUS["journal"] | {"waiting": 3}  # type: ignore[operator]
    well = await _found(_with(journal=journal), monkeypatch)
    assert "alarms_wait" not in [finding.code for finding in well]
    found = await _found(_with(journal=journal, ways=[WAY | {"state": "down"}]), monkeypatch)
    assert ("alarms_wait", DEADLY) in [(finding.code, finding.harm) for finding in found]


@pytest.mark.parametrize("over", [{"revoked": True}, {"role": "roaming"}])
async def test_who_is_revoked_or_of_the_county_is_nobodys_trouble_here(
    over: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await _found(_wearable(heard_s=None, silent_s=9_000, supervision="lost", **over), monkeypatch)
    assert not any(finding.wrong for finding in found)


async def test_a_mains_fault_is_not_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _found(_with(power=[POWER], faults=[FAULT | {"kind": "mains_lost"}]), monkeypatch)
    assert [finding.code for finding in found if finding.wrong] == ["mains_off"]


async def test_one_that_does_not_answer_is_down_and_one_that_may_not_be_asked_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = config.Config(gateway=config.Gateway(state_dir=str(tmp_path)))
    (finding,) = await service.ask(away)
    assert (finding.code, finding.harm) == ("service_down", DEADLY)
    (finding,) = await _found(Refusal("control.not_allowed", socket=tmp_path), monkeypatch)
    assert (finding.code, finding.harm, finding.unsure) == ("service_hidden", GOOD, True)
