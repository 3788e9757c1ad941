"""A gateway's bundle: each shape is read, each check refuses, and nothing of the key or the passphrase is shown."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge_daemon.errors import Refusal
from tests.edge_daemon.certificates import Authority
from tools import cli
from tools.install import bundle
from tools.messages import LANGUAGES, Messages

from . import trees
from .conftest import GATEWAY, PASSPHRASE, make_pkcs12

WORDS = Messages("en")


def read(path: Path, passphrase: Path | None = None, gateway: str = GATEWAY) -> bundle.Bundle:
    return bundle.read(path, passphrase, gateway, WORDS)


def secret(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


def pem(
    directory: Path, *parts: str, common_name: str = GATEWAY, days: float = 1, password: bytes | None = None
) -> Path:
    """One PEM file of these parts: key, certificate, authority."""
    authority = Authority(directory, "gateways")
    certificate, key = authority.issue("gw", common_name=common_name, days=days, password=password)
    files = {"key": key, "certificate": certificate, "authority": authority.file}
    wanted = parts or tuple(files)
    return secret(directory / "test_only_bundle.pem", b"".join(files[part].read_bytes() for part in wanted))


def tar(directory: Path, ending: str = "tar.gz") -> Path:
    authority = Authority(directory, "gateways")
    certificate, key = authority.issue("gw", common_name=GATEWAY)
    path = secret(directory / f"test_only_bundle.{ending}", b"")
    with tarfile.open(path, "w:gz" if ending.endswith("gz") else "w") as archive:
        for file in (certificate, key, authority.file):
            archive.add(file, f"gw/{file.name}")
    return path


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return secret(tmp_path / "test_only_passphrase", PASSPHRASE + b"\n")


@pytest.mark.parametrize("shape", ["pem", "tar", "tar.gz", "p12", "p12 open", "pem locked"])
def test_each_shape_gives_certificate_key_and_authority(tmp_path: Path, passphrase: Path, shape: str) -> None:
    paths = {
        "pem": lambda: pem(tmp_path),
        "pem locked": lambda: pem(tmp_path, password=PASSPHRASE),
        "tar": lambda: tar(tmp_path, "tar"),
        "tar.gz": lambda: tar(tmp_path),
        "p12": lambda: make_pkcs12(tmp_path),
        "p12 open": lambda: make_pkcs12(tmp_path, passphrase=None),
    }
    good = read(paths[shape](), passphrase)
    assert good.certificate.count(b"BEGIN CERTIFICATE") == good.authorities.count(b"BEGIN CERTIFICATE") == 1
    load_pem_private_key(good.key, None)
    assert b"PRIVATE" not in good.certificate + good.authorities
    assert "PRIVATE" not in repr(good)


def refused(path: Path, passphrase: Path | None = None) -> str:
    with pytest.raises(Refusal) as refusal:
        read(path, passphrase)
    for lang in LANGUAGES:
        assert str(path) in Messages(lang).refusal(refusal.value)
    return refusal.value.key


def test_what_is_missing_or_foreign_is_refused_by_name(tmp_path: Path) -> None:
    assert refused(pem(tmp_path, "certificate", "authority")) == "install.bundle_no_key"
    assert refused(pem(tmp_path, "key", "authority")) == "install.bundle_not_the_key"
    assert refused(pem(tmp_path, "key", "certificate")) == "install.bundle_no_authority"
    assert refused(pem(tmp_path, "key", "key", "certificate", "authority")) == "install.bundle_keys"
    assert refused(pem(tmp_path, common_name="gw-8")) == "install.bundle_wrong_name"
    assert refused(secret(tmp_path / "test_only_noise", b"\x30noise")) == "install.no_passphrase"
    assert refused(secret(tmp_path / "test_only_noise", b"noise")) == "install.bundle_unknown"
    assert refused(tmp_path / "test_only_nothing") == "private.unreadable"


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "gateways")
    certificate, _ = authority.issue("one", common_name=GATEWAY)
    _, key = authority.issue("other", common_name=GATEWAY)
    whole = b"".join(file.read_bytes() for file in (key, certificate, authority.file))
    assert refused(secret(tmp_path / "test_only_bundle", whole)) == "install.bundle_not_the_key"


def test_what_a_broker_would_refuse_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as expired:
        read(pem(tmp_path, days=-1))
    assert expired.value.key == "install.bundle_not_good"
    assert "expired" in str(expired.value.params["why"])
    # An authority of the same name that has not signed it.
    own, other = tmp_path / "own", tmp_path / "other"
    for place in (own, other):
        place.mkdir()
    certificate, key = Authority(own, "gateways").issue("gw", common_name=GATEWAY)
    foreign = Authority(other, "gateways").file
    whole = b"".join(file.read_bytes() for file in (key, certificate, foreign))
    assert refused(secret(tmp_path / "test_only_bundle", whole)) == "install.bundle_not_good"


def test_a_passphrase_is_asked_of_a_file_that_nobody_else_can_read(tmp_path: Path, passphrase: Path) -> None:
    sealed = make_pkcs12(tmp_path)
    assert refused(sealed) == "install.no_passphrase"
    assert refused(sealed, secret(tmp_path / "test_only_wrong", b"wrong")) == "install.bundle_passphrase"
    passphrase.chmod(0o644)
    with pytest.raises(Refusal, match=r"private\.too_open"):
        read(sealed, passphrase)
    passphrase.chmod(0o600)
    sealed.chmod(0o644)
    read(sealed, passphrase)


def test_a_bundle_without_a_passphrase_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = pem(tmp_path)
    path.chmod(0o644)
    assert refused(path) == "private.too_open"


def test_a_tar_is_never_unpacked_and_a_huge_one_never_read(tmp_path: Path) -> None:
    path = secret(tmp_path / "test_only_bundle.tar", b"")
    with tarfile.open(path, "w") as archive:
        huge = tarfile.TarInfo("../../huge.pem")
        huge.size = 2 << 20
        archive.addfile(huge, io.BytesIO(bytes(huge.size)))
    assert refused(path) == "install.bundle_unknown"


def test_nothing_is_changed_for_a_bundle_that_is_not_good(
    tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is no root is refused before the bundle is looked at.
    monkeypatch.setattr("tools.install.command.check_machine", lambda _places: None)
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "answers.toml").write_text('id = "gw-8"\nbroker = "broker.example.org"\n')
    tree = trees.tiny(tmp_path / "tree")
    answers = ["--answers", str(tmp_path / "answers.toml"), "--from", str(tree), "--root", str(root)]
    given = ["--bundle", str(make_pkcs12(tmp_path)), "--passphrase-file", str(passphrase)]
    assert cli.main(["--lang", "en", "gateway", "install", *answers, *given]) == 2
    said = capsys.readouterr()
    assert "gw-7" in said.err
    assert "gw-8" in said.err
    assert PASSPHRASE.decode() not in said.err + said.out
    assert list(root.iterdir()) == []
