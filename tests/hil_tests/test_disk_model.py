"""What the model says a disk may hold after a power cut: all that it must, and nothing that it cannot."""

from __future__ import annotations

import random

import pytest

from hil_tests.disk.cut import TEMPERS, Image, cut
from hil_tests.disk.model import SECTOR, Disk
from hil_tests.disk.record import Record

_TRIALS = 60


def _disk(*records: Record) -> Disk:
    disk = Disk(1)
    for record in records:
        disk.take(record)
    return disk


def _write(path: str, at: int, data: bytes) -> Record:
    return Record("W", path, offset=at, size=len(data), data=data)


def _cuts(disk: Disk, temper: str | None = None) -> list[Image]:
    rng = random.Random(7)
    return [cut(disk, rng, temper) for _ in range(_TRIALS)]


NEW = (Record("C", "a"), Record("S"))


@pytest.mark.parametrize("temper", TEMPERS)
def test_what_was_synced_is_there_whatever_the_power_does(temper: str) -> None:
    disk = _disk(*NEW, _write("a", 0, b"1" * 2000), Record("S", "a"), _write("a", 1000, b"2" * 3000))
    for image in _cuts(disk, temper):
        assert image.files["a"][:1000] == b"1" * 1000
        assert image.unsynced == {"a": 1}


def test_what_was_not_synced_is_lost_kept_or_torn_at_sectors() -> None:
    disk = _disk(*NEW, Record("S", "a"), _write("a", 100, b"2" * 2000))
    seen = {image.files["a"] for image in _cuts(disk)}
    whole = bytes(100) + b"2" * 2000
    assert {b"", whole} <= seen
    torn = seen - {b"", whole}
    assert torn
    for content in torn:
        for at in range(0, len(content), SECTOR):
            sector = content[at : at + SECTOR]
            assert sector in (bytes(len(sector)), whole[at : at + len(sector)])


def test_later_writes_may_get_through_without_earlier_ones() -> None:
    disk = _disk(*NEW, _write("a", 0, b"1"), _write("a", 1, b"2"))
    assert {image.files["a"] for image in _cuts(disk)} == {b"", b"1", b"12", b"\x002"}


def test_a_truncation_that_was_not_synced_may_not_have_been() -> None:
    disk = _disk(*NEW, _write("a", 0, b"12"), Record("S", "a"), Record("T", "a", size=1))
    assert {image.files["a"] for image in _cuts(disk)} == {b"1", b"12"}


def test_names_come_in_their_order_and_stay_when_their_directory_was_synced() -> None:
    disk = _disk(Record("C", "a"), Record("R", "a", "b"), Record("C", "c"), Record("U", "b"))
    names = {frozenset(image.files) for image in _cuts(disk)}
    assert names == {frozenset(names) for names in ([], ["a"], ["b"], ["b", "c"], ["c"])}
    disk.take(Record("S"))
    assert {frozenset(image.files) for image in _cuts(disk)} == {frozenset("c")}


def test_a_name_in_one_directory_is_not_kept_by_the_sync_of_another() -> None:
    made = (Record("D", "one"), Record("D", "two"), Record("S"))
    disk = _disk(*made, Record("C", "one/a"), Record("S", "two"))
    assert {frozenset(image.files) for image in _cuts(disk)} == {frozenset(), frozenset(["one/a"])}
    disk.take(Record("S", "one"))
    assert {frozenset(image.files) for image in _cuts(disk)} == {frozenset(["one/a"])}


def test_a_file_that_was_renamed_over_another_keeps_its_own_content() -> None:
    disk = _disk(*NEW, _write("a", 0, b"old"), Record("S", "a"), Record("C", "b"), _write("b", 0, b"new"))
    disk.take(Record("S", "b"))
    disk.take(Record("R", "b", "a"))
    assert {image.files["a"] for image in _cuts(disk)} == {b"old", b"new"}


def test_what_a_failed_sync_has_lost_the_next_one_does_not_bring_back() -> None:
    lost = 0
    for seed in range(_TRIALS):
        disk = Disk(seed)
        for record in (*NEW, _write("a", 0, b"1" * 600), Record("F", "a", error=5), Record("S", "a")):
            disk.take(record)
        assert disk.cached()["a"] == b"1" * 600
        lost += cut(disk, random.Random(1)).files["a"] != b"1" * 600
        disk.take(_write("a", 0, b"1" * 600))
        disk.take(Record("S", "a"))
        assert cut(disk, random.Random(1)).files["a"] == b"1" * 600
    assert lost > _TRIALS / 4
