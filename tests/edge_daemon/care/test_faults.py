"""Whatever care finds in its file, and whatever goes wrong in it: it goes on, and never ends the gateway."""

from __future__ import annotations

import asyncio
import json
from binascii import crc32
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.care.kept import Kept
from protocol import box
from tests.edge_daemon.wearer import Wearer

from .ward import BARE, ShanghaiClock, Ward, ward


def rewrite(file: Path, subject: str, text: str) -> None:
    """Put another line in the place of a subject's, as another version might have written it: its checksum is right."""
    lines = []
    for line in file.read_bytes().splitlines():
        mine = json.loads(line[9:])[0] == subject
        content = text.encode() if mine else line[9:]
        lines.append(b"%08x %s\n" % (crc32(content), content))
    file.write_bytes(b"".join(lines))


def damage(home: Ward) -> list[tuple[str, str]]:
    alarms = home.gateway.journal.alarms.values()
    return [(one.about, one.note) for one in alarms if one.meaning.name == "store_damaged"]


async def live_by_another(home: Ward, other: Wearer) -> None:
    sealed = box.seal(box.care_key(other.keys.down), box.CARE, 6, b"saltsalt", json.dumps(BARE).encode())
    row = {"wearable": other.handle, "plan": {"version": 6, "box": sealed.hex()}, "settings": None}
    home.care.take(json.dumps({"v": 1, "rows": [row]}).encode())
    await home.turn()


TIME = {"boot": "", "offset": None, "seen": None, "looked": None}
OF_ANOTHER_SHAPE = [
    ("time", '["time",{}]'),
    ("time", json.dumps(["time", {**TIME, "looked": "yesterday"}])),
    ("time", json.dumps(["time", {**TIME, "seen": "1"}])),
    ("telling", '["telling",{}]'),
    ("telling", '["telling",{"events":[["a",1]]}]'),
    ("telling", '["telling",{"events":[["a","1","n"]]}]'),
    ("telling", '["telling",7]'),
    ("time", "[]"),
    ("time", '["time"'),
    ("wearer", '["wearer",{"plan":null}]'),
    ("wearer", '["wearer",{"plan":[1,2]}]'),
    ("wearer", '["wearer",[1,2]]'),
]


@pytest.mark.parametrize(("subject", "text"), OF_ANOTHER_SHAPE)
async def test_a_row_of_another_shape_is_set_aside_and_told_and_care_goes_on(
    tmp_path: Path, subject: str, text: str
) -> None:
    clock, wearer, other = ShanghaiClock(), Wearer(), Wearer("b")
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        await home.live_by(5)
        await live_by_another(home, other)
    file, whose = tmp_path / "care.json", wearer.handle if subject == "wearer" else subject
    rewrite(file, whose, text.replace("wearer", wearer.handle))
    found = file.read_bytes()
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        assert damage(home) == [("care", "set aside as care.damaged")]
        assert (tmp_path / "care.damaged").read_bytes() == found
        # What is whole of it is kept anew at once, and lived by.
        assert other.handle.encode() in file.read_bytes()
        assert home.care.plan(other.handle) is not None
        assert (await home.send(home.plan_row(6, BARE)))["result"] == "taken"
        await home.turn(600)
        assert len(home.prompts()) == 1
        await home.stored()
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        assert len(damage(home)) == 1
        assert home.care.plan(wearer.handle) is not None


@pytest.mark.parametrize(
    "part", ["_time.look", "_fall_due", "_cases.leave_others", "_content", "_telling.row", "_aged"]
)
async def test_no_fault_of_care_ends_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    async with ward(tmp_path) as home:
        failed = asyncio.Event()

        def fails(*_: Any, **__: Any) -> Any:
            failed.set()
            raise RuntimeError("test")

        *path, name = part.split(".")
        monkeypatch.setattr(type(getattr(home.care, path[0]) if path else home.care), name, fails)
        running = asyncio.create_task(home.care.run())
        home.care._touched()
        for _ in range(2):
            # It comes round again.
            failed.clear()
            monkeypatch.setattr(home.care._shelf, "_failed_at_s", None)
            home.care._put(lambda: None)
            async with asyncio.timeout(10):
                await failed.wait()
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert running.cancelled()


def refused(*_: Any) -> Any:
    raise OSError(30, "Read-only file system")


async def test_what_is_whole_counts_also_where_the_damaged_file_cannot_be_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, wearer, other = ShanghaiClock(), Wearer(), Wearer("b")
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        await home.live_by(5)
        await live_by_another(home, other)
    rewrite(tmp_path / "care.json", wearer.handle, "[]")
    monkeypatch.setattr(Kept, "set_aside", refused)
    async with ward(tmp_path, clock=clock, wearer=wearer, others=(other,)) as home:
        assert damage(home) == [("care", "could not be set aside")]
        assert home.care.plan(other.handle) is not None


@pytest.mark.parametrize(("aside", "note"), [(True, "set aside as care.damaged"), (False, "could not be set aside")])
async def test_a_file_that_cannot_be_read_is_told_and_not_written_over_if_the_disk_lets_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aside: bool, note: str
) -> None:
    clock, wearer = ShanghaiClock(), Wearer()
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        await home.live_by(5)
    was = (tmp_path / "care.json").read_bytes()
    monkeypatch.setattr(Kept, "read", refused)
    if not aside:
        monkeypatch.setattr(Kept, "set_aside", refused)
    async with ward(tmp_path, clock=clock, wearer=wearer) as home:
        assert damage(home) == [("care", note)]
        await home.live_by(6)
    assert not aside or (tmp_path / "care.damaged").read_bytes() == was
