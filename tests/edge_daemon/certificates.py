"""Certificates for one test: made anew each time, good for a day unless asked, named test_only."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority that signs into `directory`. `dotless`: its own certificate forbids it any DNS name."""

    def __init__(self, directory: Path, name: str, days: float = 1, *, dotless: bool = False) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"test_only {name} authority")
        public = self._key.public_key()
        self._identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        # Python 3.13 checks strictly by RFC 5280: usage and key identifiers must be there.
        certificate = (
            _builder(self._name, self._name, self._key, days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        if dotless:
            none = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("")])
            certificate = certificate.add_extension(none, critical=True)
        self.file = directory / f"test_only_{name}_ca.pem"
        self.file.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))

    def issue(
        self,
        name: str,
        *,
        days: float = 1,
        common_name: str | None = None,
        password: bytes | None = None,
        subject: x509.Name | None = None,
        also: Sequence[x509.GeneralName] = (),
    ) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 under `name` and its key (mode 0600), as files. `days` < 0: expired.

        `subject` in place of a common name, `also` further names: what a deceived authority may sign.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        certificate = (
            _builder(subject or _named(common_name or f"test_only {name}"), self._name, key, days)
            .add_extension(x509.SubjectAlternativeName([address, *also]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(self._identifier, critical=False)
        )
        files = self._directory / f"test_only_{name}.pem", self._directory / f"test_only_{name}_key.pem"
        files[0].write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))
        files[1].touch(mode=0o600)
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return files


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: float
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    end = now + dt.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, end) - dt.timedelta(minutes=5))
        .not_valid_after(end)
    )
