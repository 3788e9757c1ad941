"""A running desk takes up a key file that has changed, and loses no window over it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import settings_for
from tests.tools.desk.wearable import Wearable, key_file
from tools.desk import key_watch, keys
from tools.desk.desk import Desk

OLD, NEW = Wearable(), Wearable(b"test_only_new___")


def _rewrite(path: Path, *wearables: Wearable) -> None:
    fresh = key_file(path.with_name("fresh"), *wearables)
    fresh.replace(path)


async def test_a_wearable_that_is_imported_is_known_and_the_windows_of_others_stay(
    broker: Broker, tmp_path: Path
) -> None:
    path = key_file(tmp_path / "keys.json", OLD)
    async with Desk(settings_for(broker, tmp_path, keys_file=path)) as desk:
        watch, strangers = desk._key_watch, desk._strangers
        assert watch is not None
        assert strangers is not None
        ring = strangers._ring
        ring.taken(OLD.handle, 40)
        await watch.turn()
        assert ring.look_up(_id(NEW, 0)) is None
        _rewrite(path, OLD, NEW)
        await watch.turn()
        assert ring.look_up(_id(NEW, 0)) == (NEW.handle, 0)
        assert ring.look_up(_id(OLD, 40)) is None, "spent counters stay spent"
        assert ring.look_up(_id(OLD, 41)) == (OLD.handle, 41)


async def test_a_file_that_is_refused_changes_nothing_and_is_not_read_again(broker: Broker, tmp_path: Path) -> None:
    path = key_file(tmp_path / "keys.json", OLD)
    async with Desk(settings_for(broker, tmp_path, keys_file=path)) as desk:
        watch, strangers = desk._key_watch, desk._strangers
        assert watch is not None
        assert strangers is not None
        for spoil in (lambda: path.write_text("{"), lambda: path.chmod(0o644), path.unlink):
            spoil()
            await watch.turn()
            assert strangers._ring.look_up(_id(OLD, 0)) == (OLD.handle, 0)
        _rewrite(path, NEW)
        await watch.turn()
        assert strangers._ring.look_up(_id(NEW, 0)) == (NEW.handle, 0)
        assert strangers._ring.look_up(_id(OLD, 0)) == (OLD.handle, 0), "none is dropped while it runs"


def test_a_file_of_the_same_size_and_time_in_its_place_is_another_one(tmp_path: Path) -> None:
    path = key_file(tmp_path / "keys.json", OLD)
    before, seen = path.stat(), key_watch.look(path)
    _rewrite(path, NEW)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert key_watch.look(path) != seen
    assert key_watch.look(tmp_path / "none") is None


def test_a_ring_may_grow_while_it_is_searched(tmp_path: Path) -> None:
    """The search runs in another thread; here what grows the ring runs in the middle of it."""
    ring = keys.KeyRing(keys.load(key_file(tmp_path / "keys.json", OLD)), {})
    late = keys.load(key_file(tmp_path / "late.json", OLD, NEW))
    wanted = {_id(OLD, 70)}
    grown: list[list[str]] = []

    def grow(held: keys._Keys) -> int:
        grown.append(ring.add(late, {}))
        return held.taken + 1

    assert ring._search(wanted, 0, 1000, grow) == {_id(OLD, 70): (OLD.handle, 70)}
    assert grown == [[NEW.handle]]
    assert ring.search({_id(NEW, 70)}) == {_id(NEW, 70): (NEW.handle, 70)}


def _id(wearable: Wearable, counter: int) -> bytes:
    return Wearable(wearable.root, counter).hello()[1:9]


def test_rows_of_the_kit_read_as_any_others(tmp_path: Path) -> None:
    path = key_file(tmp_path / "keys.json")
    row = {"wearable": OLD.handle, "root": OLD.root.hex(), "hardware": "00", "made_at": "x", "replaces": None}
    path.write_text(json.dumps({"v": 1, "wearables": [row]}))
    assert keys.load(path)[OLD.handle].up == OLD.keys.up
