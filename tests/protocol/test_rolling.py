"""Rolling ids: one per counter, found again by who has the key. Runs under both Pythons."""

import sys

from protocol import keys, rolling

IDS = rolling.RollingIds(keys.derive(b"test_only_root_a").id)
OTHER = rolling.RollingIds(keys.derive(b"test_only_root_b").id)
# MicroPython has no extended slices: the search is a host's business.
HOST = sys.implementation.name == "cpython"


def test_a_table_is_the_ids_one_by_one():
    """Across each byte of the counter, and at its ends."""
    for start in (0, 254, 65534, 0xFFFFFE, rolling.COUNTER_MAX - 3):
        assert IDS.table(start, 4) == [IDS.id_at(start + i) for i in range(4)]
    assert IDS.table(5, 0) == []


def test_ids_of_neighbours_and_of_others_differ():
    """A window's worth."""
    assert len(set(IDS.table(0, 500) + OTHER.table(0, 500))) == 1000


def test_an_id_is_written_where_it_belongs():
    """And not a byte beside."""
    buf = bytearray(b"\xee" * 12)
    IDS.write_id(12, buf, 2)
    assert bytes(buf) == b"\xee\xee" + IDS.id_at(12) + b"\xee\xee"


def test_a_far_counter_is_found():
    """At the first, the last, and not one beyond."""
    if not HOST:
        return
    for counter in (1000, 1001, 1999):
        assert IDS.find(IDS.id_at(counter), 1000, 1000) == counter
    assert IDS.find(IDS.id_at(2000), 1000, 1000) == -1
    assert IDS.find(IDS.id_at(999), 1000, 1000) == -1
    assert IDS.find(OTHER.id_at(1500), 1000, 1000) == -1
    assert IDS.find(IDS.id_at(rolling.COUNTER_MAX), rolling.COUNTER_MAX - 9, 10) == rolling.COUNTER_MAX


def test_many_are_found_in_one_go():
    """Those that are there, and no other; none wanted and none to look at are no error."""
    if not HOST:
        return
    wanted = {IDS.id_at(1000), IDS.id_at(1500), IDS.id_at(1999), IDS.id_at(2000), OTHER.id_at(1500)}
    found = IDS.find_any(wanted, 1000, 1000)
    assert found == {IDS.id_at(1000): 1000, IDS.id_at(1500): 1500, IDS.id_at(1999): 1999}
    assert IDS.find_any(set(), 0, 10) == {}
    assert IDS.find_any(wanted, 0, 0) == {}


def test_bytes_that_straddle_two_blocks_are_no_id():
    """A search over packed blocks must not find an id across their border."""
    if not HOST:
        return
    blocks = bytearray(64)
    for i in range(4):
        blocks[16 * i + 15] = 40 + i
    IDS._aes.encrypt(blocks, blocks)
    for at in range(1, 48):
        if at % 16:
            assert IDS.find(bytes(blocks[at : at + 8]), 40, 4) == -1
