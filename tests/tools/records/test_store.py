"""The kit's store: modes, and a cut between any two writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge_daemon import durable, registry
from edge_daemon.errors import Refusal
from protocol.keys import derive
from tools.records import files, record
from tools.records.store import Pending, Store, default_directory, row

KEY = X25519PrivateKey.generate().public_key()


def _pending(root: bytes = b"test_only_root__", replaces: str | None = None) -> Pending:
    sealed = record.seal(root, "a0b1c2d3e4f5", "2026-11-27T20:00:00Z", replaces, KEY)
    return Pending(sealed, row(derive(root)))


def test_what_is_committed_is_a_record_and_a_gateways_key_file(tmp_path: Path) -> None:
    store, pending = Store(tmp_path / "kit"), _pending()
    store.begin(pending)
    assert store.pending() == [pending]
    assert store.handles() == []
    assert store.commit(pending)
    assert store.pending() == [pending], "until it is dropped"
    store.drop(pending.handle)
    assert store.pending() == []
    assert store.handles() == [pending.handle]
    assert record.read(store.record_file(pending.handle)) == pending.record
    (wearable,) = registry.load(store.directory / "enrolments" / f"{pending.handle}.json").values()
    keys = derive(b"test_only_root__")
    assert (wearable.handle, wearable.up, wearable.down, wearable.id, wearable.revoked) == (
        keys.handle.hex(), keys.up, keys.down, keys.id, False,
    )  # fmt: skip


def test_only_the_owner_may_look_in(tmp_path: Path) -> None:
    store, pending = Store(tmp_path / "kit"), _pending()
    store.begin(pending)
    store.commit(pending)
    store.begin(_pending(b"test_only_other_"))
    found = sorted((tmp_path / "kit").rglob("*"))
    assert len(found) == 7, "three folders, a record, a row, two pending"
    for path in [tmp_path / "kit", *found]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    (tmp_path / "kit").chmod(0o750)
    with pytest.raises(Refusal, match=r"record\.store_open"):
        Store(tmp_path / "kit")


def test_neither_root_nor_trail_lies_in_it_in_the_clear(tmp_path: Path) -> None:
    store, pending = Store(tmp_path / "kit"), _pending()
    store.begin(pending)
    said = b"".join(file.read_bytes() for file in (tmp_path / "kit").rglob("*.json"))
    for secret in (b"test_only_root__", derive(b"test_only_root__").trail):
        assert secret.hex().encode() not in said
        assert secret not in said
    assert "up" not in repr(pending)


def test_what_replaces_another_revokes_its_row(tmp_path: Path) -> None:
    store, old = Store(tmp_path / "kit"), _pending()
    store.commit(old)
    new = _pending(b"test_only_other_", old.handle)
    assert store.commit(new) is True
    assert registry.load(tmp_path / "kit" / "enrolments" / f"{old.handle}.json")[old.handle].revoked
    assert store.commit(_pending(b"test_only_third_", "0123456789abcdef")) is False, "another kit made it"
    assert store.enrolment("0123456789abcdef") is None


def test_what_a_chip_was_last_is_known(tmp_path: Path) -> None:
    store, old = Store(tmp_path / "kit"), _pending()
    assert store.latest_on("a0b1c2d3e4f5") is None
    store.commit(old)
    assert store.latest_on("a0b1c2d3e4f5") == old.handle
    assert store.latest_on("a0b1c2d3e4f6") is None
    new = _pending(b"test_only_other_", old.handle)
    store.commit(new)
    assert store.latest_on("a0b1c2d3e4f5") == new.handle
    store.revoke(new.handle)
    assert store.latest_on("a0b1c2d3e4f5") is None


class _Cut(Exception):
    """Power went."""


def test_a_cut_between_any_two_writes_is_made_good_by_doing_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = durable.sync_directory
    cuts = 0
    for cut_at in range(20):
        store = Store(tmp_path / f"kit{cut_at}")
        old, new = _pending(), _pending(b"test_only_other_", _pending().handle)
        store.commit(old)
        store.begin(new)
        left = [cut_at]

        def sync(path: Path, left: list[int] = left) -> None:
            if not left[0]:
                raise _Cut
            left[0] -= 1
            whole(path)

        for module in (durable, files):
            monkeypatch.setattr(module, "sync_directory", sync)
        try:
            store.commit(new)
            store.drop(new.handle)
        except _Cut:
            cuts += 1
        for module in (durable, files):
            monkeypatch.setattr(module, "sync_directory", whole)
        for pending in store.pending():
            assert pending == new
            store.commit(pending)
            store.drop(pending.handle)
        assert store.pending() == []
        assert store.handles() == sorted([old.handle, new.handle])
        loaded = [registry.load(file) for file in (store.directory / "enrolments").glob("*.json")]
        states = {handle: wearable.revoked for found in loaded for handle, wearable in found.items()}
        assert states == {old.handle: True, new.handle: False}
    assert cuts == 4, "record, row, the old row, what was pending"


def test_what_a_cut_left_half_written_is_neither_read_nor_in_the_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "kit")
    half = tmp_path / "kit" / "pending" / f".{_pending().handle}.json.new"
    half.write_text('{"v": 1, "rec')
    half.chmod(0o644)
    assert store.pending() == []
    pending = _pending()
    store.begin(pending)
    assert store.pending() == [pending]
    assert not half.exists()


def test_what_another_worker_drops_meanwhile_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, one, other = Store(tmp_path / "kit"), _pending(), _pending(b"test_only_other_")
    store.begin(one)
    store.begin(other)
    whole = Store._read_pending

    def read(self: Store, file: Path) -> Pending:
        if file.stem == one.handle:
            Store(tmp_path / "kit").drop(one.handle)
        return whole(self, file)

    monkeypatch.setattr(Store, "_read_pending", read)
    assert store.pending() == [other]


@pytest.mark.parametrize("said", ["{", "[]", '{"v": 1}'])
def test_a_file_that_is_not_understood_stops_the_kit_and_names_itself(tmp_path: Path, said: str) -> None:
    store = Store(tmp_path / "kit")
    file = tmp_path / "kit" / "pending" / f"{'0' * 16}.json"
    durable.replace(file, said.encode())
    with pytest.raises(Refusal, match=r"record\.not_understood") as refused:
        store.pending()
    assert refused.value.params["file"] == file


def test_it_lies_where_a_user_keeps_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_directory() == Path("/data/pingan/kit")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_directory().parts[-4:] == (*Path(".local/share/pingan/kit").parts,)
