"""`pingan care` and a real desk: what is given is kept, sent to the gateway that hears the wearable, and shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.care import plan as care_plan
from hil_tests.broker.mosquitto import Broker
from protocol import box
from protocol.keys import derive
from tests.tools.desk.desk_house import running, settings_for
from tests.tools.desk.gateway import Gateway, event

from .place import LI, Place, shown

HANDLE = LI.handle.hex()


def _said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


async def _run(command: Callable[..., int], *arguments: object) -> int:
    # In a thread, since the desk runs in this one.
    return await asyncio.to_thread(command, "--json", *arguments)


async def test_given_kept_sent_and_shown(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Broker(tmp_path / "broker") as broker:
        settings = settings_for(broker, tmp_path, keys_file=place.keys)
        async with running(settings) as desk, Gateway(broker) as gateway:
            await gateway.ask(event(12, HANDLE))
            url = desk.desk.url
            assert await _run(place.plan, "--desk", url, place.wearer()) == 0
            said = _said(capsys)
            assert (said["reason"], said["gateways"]) == ("care.plan.given", 1)
            kept = await desk.get(f"/api/care/{HANDLE}")
            names = ("plan_version", "settings_version", "beneficiary", "centre", "retention_days")
            assert [kept[name] for name in names] == [said["version"], said["version"], "older", "jinjiang-3", 30]
            (row,) = (await gateway.next("care"))["rows"]
            inside = box.opened(box.care_key(LI.down), box.CARE, bytes.fromhex(row["plan"]["box"]))
            assert inside is not None
            assert care_plan.read(inside).centre == "jinjiang-3"
            await asyncio.to_thread(_lose, place.store)
            assert await _run(place.plan, "--desk", url, place.wearer()) == 0
            newer = _said(capsys)["version"]
            assert newer > said["version"]
            assert await _run(place.show, "--desk", url, shown(LI)) == 0
            shown_now = _said(capsys)
            assert shown_now["made"]["version"] == shown_now["desk"]["plan_version"] == newer
            assert [each["gateway"] for each in shown_now["desk"]["gateways"]] == ["gw-1"]


def _lose(store: Path) -> None:
    for file in store.iterdir():
        file.unlink()


async def test_a_desk_with_other_keys_does_not_believe_it(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others.json"
    strange = derive(b"test_only_strang")
    row = {"wearable": HANDLE, "up": strange.up.hex(), "down": strange.down.hex(), "id": strange.id.hex()}
    others.write_text(json.dumps({"v": 1, "wearables": [row]}))
    others.chmod(0o600)
    with Broker(tmp_path / "broker") as broker:
        async with running(settings_for(broker, tmp_path, keys_file=others)) as desk:
            assert await _run(place.plan, "--desk", desk.desk.url, place.wearer()) == 2
    assert _said(capsys)["reason"] == "care.desk.not_genuine"


async def test_a_plan_as_large_as_plans_get_is_taken(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = '[[checkin]]\nid = "{:032d}"\nat = "08:00"\n'
    text = 'profile = "older"\ncentre = "' + "j" * 64 + '"\n' + "".join(row.format(n) for n in range(32))
    fence = "[[fence]]\nnumber = {}\nlatitude = 1\nlongitude = 1\nradius_m = 50\n"
    text = text.replace("centre", 'datum = "wgs84"\ncentre') + "".join(fence.format(n) for n in range(1, 16))
    with Broker(tmp_path / "broker") as broker:
        async with running(settings_for(broker, tmp_path, keys_file=place.keys)) as desk:
            assert await _run(place.plan, "--desk", desk.desk.url, place.wearer(text=text)) == 0
    assert _said(capsys)["reason"] == "care.plan.given"
