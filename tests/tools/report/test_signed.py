"""Signed reports: genuine ones hold with each kind of key, and any changed byte, signer or time is found."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from edge_daemon.errors import Refusal
from tools.report.signed import NotGenuine, Signer, verify

NOW = datetime.now(UTC)


def report(**over: Any) -> dict[str, Any]:
    made = {"gateway": {"id": "gw-1"}, "ended_at": NOW.isoformat(), "home": "受益人 17", "lines": [{"passed": True}]}
    return {**made, **over}


class Pki:
    """An authority and what it issues, as files named test_only."""

    def __init__(self, place: Path) -> None:
        self.place, self.key, self.name = place, ec.generate_private_key(ec.SECP256R1()), _named("test_only authority")
        self.file = place / "test_only_ca.pem"
        self.file.write_bytes(_pem(self.certificate(self.name, self.key.public_key(), ca=True)))

    def certificate(self, subject: x509.Name, public: Any, *, ca: bool = False, days: float = 1) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=2))
        builder = builder.not_valid_after(NOW + timedelta(days=days))
        return builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True).sign(
            self.key, hashes.SHA256()
        )

    def signer(self, key: Any, name: str = "gw-1", days: float = 1) -> Signer:
        cert_file, key_file = self.place / "test_only.pem", self.place / "test_only_key.pem"
        cert_file.write_bytes(_pem(self.certificate(_named(name), key.public_key(), days=days)))
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
        return Signer(cert_file, key_file)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


KEYS = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_report_holds_with_each_kind_of_key(pki: Pki, kind: str) -> None:
    found = verify(pki.signer(KEYS[kind]()).sign(report()), pki.file)
    assert (found.report, found.signer) == (report(), "gw-1")


def test_every_byte_that_is_changed_taken_or_added_is_found(pki: Pki) -> None:
    seed = random.randrange(1 << 31)
    print(f"seed {seed}")
    chance = random.Random(seed)
    data = pki.signer(KEYS["ec"]()).sign(report())
    for at in range(len(data)):
        for made in (
            data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + bytes([chance.choice(b' \n"A0')]) + data[at:],
        ):
            if made == data:
                continue
            with pytest.raises(NotGenuine):
                verify(made, pki.file)


def test_what_is_written_anew_with_the_old_signature_is_found(pki: Pki) -> None:
    made = json.loads(pki.signer(KEYS["ec"]()).sign(report()))
    made["report"]["lines"][0]["passed"] = False
    with pytest.raises(NotGenuine, match="signature"):
        verify((json.dumps(made, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode(), pki.file)


def test_another_authority_another_gateway_and_another_time_are_found(pki: Pki, tmp_path: Path) -> None:
    data = pki.signer(KEYS["ec"]()).sign(report())
    (tmp_path / "other").mkdir()
    with pytest.raises(NotGenuine, match="authority"):
        verify(data, Pki(tmp_path / "other").file)
    with pytest.raises(NotGenuine, match="signer"):
        verify(pki.signer(KEYS["ec"](), name="gw-2").sign(report()), pki.file)
    late = report(ended_at=(NOW + timedelta(days=2)).isoformat())
    with pytest.raises(NotGenuine, match="expired"):
        verify(pki.signer(KEYS["ec"]()).sign(late), pki.file)
    with pytest.raises(NotGenuine, match="format"):
        verify(pki.signer(KEYS["ec"]()).sign(report(ended_at="yesterday")), pki.file)


def test_a_gateways_certificate_signs_no_others(pki: Pki) -> None:
    """Whoever has a gateway's key must not make a certificate for another gateway with it."""
    inner = KEYS["ec"]()
    thief = pki.signer(inner)
    other = KEYS["ec"]()
    forged = (
        x509.CertificateBuilder()
        .subject_name(_named("gw-2"))
        .issuer_name(_named("gw-1"))
        .public_key(other.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(inner, hashes.SHA256())
    )
    thief._chain, thief._key = [forged, *thief._chain], other
    with pytest.raises(NotGenuine, match="authority"):
        verify(thief.sign(report(gateway={"id": "gw-2"})), pki.file)


def test_keys_that_cannot_sign_are_refused_before_anything_else(pki: Pki, tmp_path: Path) -> None:
    pki.signer(KEYS["ec"]())
    with pytest.raises(Refusal, match=r"signed\.no_key"):
        Signer(tmp_path / "test_only.pem", tmp_path / "missing")
    (tmp_path / "test_only_key.pem").write_bytes(
        KEYS["ec"]().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(Refusal, match=r"signed\.not_a_pair"):
        Signer(tmp_path / "test_only.pem", tmp_path / "test_only_key.pem")
    with pytest.raises(Refusal, match=r"signed\.no_authority"):
        verify(b"{}", tmp_path / "missing")
