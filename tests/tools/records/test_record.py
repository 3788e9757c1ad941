"""What a record binds, who opens it, and that the sealing is RFC 9180's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge_daemon.errors import Refusal
from protocol.keys import derive
from tools.records import platform_key, record

TEST_ONLY_ROOT = b"test_only_root__"
MADE_AT = "2026-11-27T20:00:00Z"


@pytest.fixture
def key() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


def _sealed(key: X25519PrivateKey, replaces: str | None = None) -> record.Record:
    return record.seal(TEST_ONLY_ROOT, "a0b1c2d3e4f5", MADE_AT, replaces, key.public_key())


def test_the_suite_opens_the_vector_of_rfc_9180() -> None:
    """Appendix A.1.1.1, sequence number 0. Its additional data is not empty, so the vector needs the inner function."""
    from cryptography.hazmat.bindings._rust import openssl

    key = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
    )
    enc = bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
    sealed = bytes.fromhex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a")
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    opened = openssl.hpke._decrypt_with_aad(record.SUITE, enc + sealed, key, info, b"Count-0")
    assert opened == b"Beauty is truth, truth beauty"


def test_a_record_gives_the_root_back_to_the_platform_alone(key: X25519PrivateKey, tmp_path: Path) -> None:
    sealed = _sealed(key, "0123456789abcdef")
    file = tmp_path / "record.json"
    file.write_text(json.dumps(sealed.as_json()))
    found = record.read(file)
    assert found.about == sealed.about
    assert found.about.handle == derive(TEST_ONLY_ROOT).handle.hex()
    assert record.open_root(found, key) == TEST_ONLY_ROOT
    with pytest.raises(Refusal, match=r"record\.other_platform"):
        record.open_root(found, X25519PrivateKey.generate())


def test_what_lies_in_the_file_shows_no_key(key: X25519PrivateKey) -> None:
    said = json.dumps(_sealed(key).as_json())
    keys = derive(TEST_ONLY_ROOT)
    for secret in (TEST_ONLY_ROOT, keys.up, keys.down, keys.id, keys.trail):
        assert secret.hex() not in said
    assert _sealed(key).sealed != _sealed(key).sealed, "the same each time would tell that two roots are one"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wearable", "0123456789abcdef"),
        ("hardware", "a0b1c2d3e4f6"),
        ("made_at", "2026-11-27T20:00:01Z"),
        ("replaces", "0123456789abcdef"),
    ],
)
def test_a_record_with_one_value_changed_does_not_open(key: X25519PrivateKey, name: str, value: str) -> None:
    changed = record.from_json(_sealed(key).as_json() | {name: value}, "changed")
    with pytest.raises(Refusal, match=r"record\.damaged"):
        record.open_root(changed, key)


def test_each_byte_of_what_is_sealed_counts(key: X25519PrivateKey) -> None:
    sealed = _sealed(key)
    for at in range(len(sealed.sealed)):
        wrong = bytearray(sealed.sealed)
        wrong[at] ^= 1
        for bad in (bytes(wrong), sealed.sealed[:at]):
            with pytest.raises(Refusal, match=r"record\.damaged"):
                record.open_root(replace(sealed, sealed=bad), key)


def test_a_root_of_another_handle_is_refused_though_it_opens(key: X25519PrivateKey) -> None:
    """Whoever has the public key can seal anything: what comes out must be what it says it is."""
    about = replace(_sealed(key).about, handle="0123456789abcdef")
    for root in (TEST_ONLY_ROOT, b"short"):
        forged = record.Record(about, record.SUITE.encrypt(root, key.public_key(), info=about.info()), "forged")
        with pytest.raises(Refusal, match=r"record\.damaged"):
            record.open_root(forged, key)


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"wearable": "F" * 16}, {"hardware": ""}, {"made_at": "today"}, {"replaces": 5}, {"sealed": "?"},
     {"sealed": None}, {"platform": None}],
)  # fmt: skip
def test_a_file_that_is_no_record_is_refused(key: X25519PrivateKey, tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "record.json"
    file.write_text(json.dumps(_sealed(key).as_json() | change))
    with pytest.raises(Refusal, match=r"record\.not_understood"):
        record.read(file)


@pytest.mark.parametrize("said", ["", "{", "[]", "[" * 4000, "x" * 5000])
def test_nor_is_a_file_that_is_no_json(tmp_path: Path, said: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(said)
    with pytest.raises(Refusal, match=r"record\.not_understood"):
        record.read(file)
    with pytest.raises(Refusal, match=r"private\.unreadable"):
        record.read(tmp_path / "none")


def test_a_key_pair_is_made_once_and_read_back(tmp_path: Path) -> None:
    secret, public = tmp_path / "platform.key", tmp_path / "platform.pub"
    name = platform_key.make(secret, public)
    assert (secret.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert name == platform_key.name(platform_key.load_public(public))
    assert name == platform_key.name(platform_key.load_private(secret).public_key())
    was = secret.read_bytes()
    for files in ((secret, tmp_path / "other"), (tmp_path / "other", public)):
        with pytest.raises(Refusal, match=r"record\.key_exists"):
            platform_key.make(*files)
    assert secret.read_bytes() == was
    assert not (tmp_path / "other").exists()


def test_one_key_is_not_taken_for_the_other_nor_where_others_may_reach(tmp_path: Path) -> None:
    secret, public = tmp_path / "platform.key", tmp_path / "platform.pub"
    platform_key.make(secret, public)
    with pytest.raises(Refusal, match=r"record\.no_public_key"):
        platform_key.load_public(secret)
    private_place = tmp_path / "public"
    private_place.touch(0o600)
    private_place.write_bytes(public.read_bytes())
    with pytest.raises(Refusal, match=r"record\.no_private_key"):
        platform_key.load_private(private_place)
    secret.chmod(0o640)
    with pytest.raises(Refusal, match=r"private\.too_open"):
        platform_key.load_private(secret)
    public.chmod(0o666)
    with pytest.raises(Refusal, match=r"private\.writable"):
        platform_key.load_public(public)
