from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.errors import Refusal
from tests.tools.desk.wearable import TEST_ONLY_ROOT, Wearable, key_file
from tools.desk import keys


def _write(path: Path, said: Any, mode: int = 0o600) -> Path:
    path.touch(mode=0o600)
    path.write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_root_and_its_derived_keys_are_the_same_wearable(tmp_path: Path) -> None:
    wearable = Wearable()
    row = {
        "wearable": wearable.handle,
        "up": wearable.keys.up.hex(),
        "down": wearable.keys.down.hex(),
        "id": wearable.keys.id.hex(),
    }
    derived = keys.load(_write(tmp_path / "derived.json", {"v": 1, "wearables": [row]}))
    held = keys.load(key_file(tmp_path / "root.json", wearable))
    assert set(derived) == set(held) == {wearable.handle}
    one, other = derived[wearable.handle], held[wearable.handle]
    assert (one.up, one.down, one.id) == (other.up, other.down, other.id)


def test_no_key_is_in_what_is_shown_of_a_wearable(tmp_path: Path) -> None:
    wearable = Wearable()
    shown = repr(keys.load(key_file(tmp_path / "keys.json", wearable)))
    for secret in (wearable.root, wearable.keys.up, wearable.keys.down, wearable.keys.id):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("{", "registry.not_json"),
        ([], "registry.wrong_shape"),
        ({"v": 2, "wearables": []}, "registry.wrong_shape"),
        ({"v": 1, "wearables": [5]}, "registry.bad_row"),
        ({"v": 1, "wearables": [{"root": "00"}]}, "registry.bad_row"),
        ({"v": 1, "wearables": [{"root": 5}]}, "registry.bad_row"),
        ({"v": 1, "wearables": [{"root": TEST_ONLY_ROOT.hex(), "wearable": "0" * 16}]}, "registry.bad_row"),
        ({"v": 1, "wearables": [{"wearable": "0" * 16}]}, "registry.bad_row"),
        ({"v": 1, "wearables": [{"root": TEST_ONLY_ROOT.hex()}] * 2}, "registry.twice"),
    ],
)
def test_a_key_file_that_is_not_understood_is_refused(tmp_path: Path, said: Any, key: str) -> None:
    with pytest.raises(Refusal) as refused:
        keys.load(_write(tmp_path / "keys.json", said))
    assert refused.value.key == key
    assert TEST_ONLY_ROOT.hex() not in str(refused.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"private\.too_open"):
        keys.load(_write(tmp_path / "keys.json", {"v": 1, "wearables": []}, mode=0o640))
    with pytest.raises(Refusal, match=r"private\.unreadable"):
        keys.load(tmp_path / "none.json")


def test_a_ring_expects_the_next_ids_and_no_spent_one(tmp_path: Path) -> None:
    wearable = Wearable()
    ring = keys.KeyRing(keys.load(key_file(tmp_path / "keys.json", wearable)), {wearable.handle: 9})
    ids = [Wearable(counter=counter).hello()[1:9] for counter in range(9 + keys.WINDOW + 2)]
    assert [ring.look_up(rolling_id) for rolling_id in ids[:10]] == [None] * 10
    assert ring.look_up(ids[10]) == (wearable.handle, 10)
    assert ring.look_up(ids[9 + keys.WINDOW]) == (wearable.handle, 9 + keys.WINDOW)
    assert ring.look_up(ids[9 + keys.WINDOW + 1]) is None
    assert ring.search({ids[9 + keys.WINDOW + 1], ids[9]}) == {
        ids[9 + keys.WINDOW + 1]: (wearable.handle, 9 + keys.WINDOW + 1)
    }
    ring.taken(wearable.handle, 40)
    assert ring.look_up(ids[40]) is None
    assert ring.look_up(ids[41]) == (wearable.handle, 41)
    ring.taken(wearable.handle, 12)
    assert ring.look_up(ids[40]) is None


def _id_at(wearable: Wearable, counter: int) -> bytes:
    return Wearable(wearable.root, counter).hello()[1:9]


def test_a_search_goes_as_far_as_the_contract_says(tmp_path: Path) -> None:
    """131,072 ahead of what was opened; the first 4,194,304 where nothing was; never beyond the last counter."""
    heard, unheard, old = Wearable(), Wearable(b"test_only_unheard"[:16]), Wearable(b"test_only_old___")
    taken = {heard.handle: 1000, old.handle: 0xFFFFFFFF - 5}
    ring = keys.KeyRing(keys.load(key_file(tmp_path / "keys.json", heard, unheard, old)), taken)
    far, beyond = _id_at(heard, 1000 + keys.WIDE_WINDOW), _id_at(heard, 1001 + keys.WIDE_WINDOW)
    last = _id_at(old, 0xFFFFFFFF)
    near = _id_at(unheard, keys.WIDE_WINDOW - 1)
    wanted = {far, beyond, last, near, _id_at(unheard, keys.WIDE_WINDOW)}
    assert ring.search(wanted) == {
        far: (heard.handle, 1000 + keys.WIDE_WINDOW),
        last: (old.handle, 0xFFFFFFFF),
        near: (unheard.handle, keys.WIDE_WINDOW - 1),
    }
    first, end = _id_at(unheard, keys.WIDE_WINDOW), _id_at(unheard, keys.FIRST_WINDOW - 1)
    assert ring.search_unheard({first, end, beyond, _id_at(unheard, keys.FIRST_WINDOW)}) == {
        first: (unheard.handle, keys.WIDE_WINDOW),
        end: (unheard.handle, keys.FIRST_WINDOW - 1),
    }
