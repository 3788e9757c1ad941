"""Signed reports: JSON that says who wrote it, and that nobody has changed a byte since. Owns the format (README.md).

The signature is by the gateway's own certificate, the one it shows its broker; the certificate lies in the file, and
whoever has the authority's can check it, anywhere, years later. Guarantee: `verify` takes a file only as it was
written, to the byte, signed by the gateway that it speaks of, whose certificate was good when it says it was made. The
time is the gateway's own word. Must not know what a report says.
"""

from __future__ import annotations

import base64
import binascii
import json
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from edge_daemon.errors import Refusal

_KIND = "pingan-proof"
# What is signed begins so: no signature made for anything else under this key is one of a report.
_CONTEXT = b"pingan signed report v1\n"
_SIZE_MOST = 4 << 20
_CHAIN_MOST = 5
# What bytes that are no report, or no certificate, are answered by.
_UNREADABLE = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    binascii.Error,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A report that holds. `signer`: the common name in its certificate."""

    report: dict[str, Any]
    signer: str


class NotGenuine(Exception):
    """A file that is no report as it was signed. `reason`: a catalogue key behind `signed.reason.`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signer:
    """A certificate and its key, read once, before anything is asked of people. Raises Refusal."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        try:
            self._chain = x509.load_pem_x509_certificates(cert_file.read_bytes())
            key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        except PermissionError as error:
            raise Refusal("signed.not_allowed", file=error.filename) from error
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Refusal("signed.no_key", certificate=cert_file, key=key_file, why=type(error).__name__) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
            raise Refusal("signed.no_key", certificate=cert_file, key=key_file, why=type(key).__name__)
        if key.public_key() != self._chain[0].public_key():
            raise Refusal("signed.not_a_pair", certificate=cert_file, key=key_file)
        self._key = key

    @property
    def name(self) -> str:
        """The common name in the certificate."""
        return _name(self._chain[0])

    def sign(self, report: dict[str, Any]) -> bytes:
        """The file. `report`: JSON without fractions; its `gateway.id` and `ended_at` are what `verify` holds it to."""
        key = self._key
        made: dict[str, Any] = {
            "v": 1,
            "kind": _KIND,
            "report": report,
            "certificate": [_pem(each) for each in self._chain],
            "algorithm": _algorithm(key.public_key()),
        }
        data = _signed_part(made)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            value = key.sign(data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPrivateKey):
            value = key.sign(data, _pss(), hashes.SHA256())
        else:
            value = key.sign(data)
        return _rendered(made | {"signature": base64.b64encode(value).decode()})


def verify(data: bytes, authorities: Path) -> Checked:
    """A report and who signed it. Raises NotGenuine; Refusal when the authorities cannot be read."""
    try:
        trusted = x509.load_pem_x509_certificates(authorities.read_bytes())
    except (OSError, ValueError) as error:
        raise Refusal("signed.no_authority", file=authorities, why=type(error).__name__) from error
    with warnings.catch_warnings():
        # Of a changed certificate the library may say that it will be refused one day. Here it is refused today.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return _verified(_read(data), trusted)


def _verified(made: dict[str, Any], trusted: list[x509.Certificate]) -> Checked:
    try:
        chain = [x509.load_pem_x509_certificate(each.encode()) for each in made["certificate"]]
        value = base64.b64decode(made["signature"], validate=True)
        at = datetime.fromisoformat(made["report"]["ended_at"])
        gateway = made["report"]["gateway"]["id"]
        # In one way only: what means the same and is written otherwise was changed.
        written = {
            "certificate": [_pem(each) for each in chain],
            "signature": base64.b64encode(value).decode(),
            "algorithm": _algorithm(chain[0].public_key()),
        }
        same = all(made[name] == as_we_do for name, as_we_do in written.items()) and at.tzinfo is not None
    except _UNREADABLE as error:
        raise NotGenuine("format") from error
    if not same:
        raise NotGenuine("format")
    _hold(chain[0], _signed_part(made), value)
    _trust(chain, trusted, at)
    if _name(chain[0]) != gateway:
        raise NotGenuine("signer")
    return Checked(made["report"], gateway)


def _read(data: bytes) -> dict[str, Any]:
    """The file, if it is to the byte as we write it: then whatever is changed in it changes what is checked."""
    if len(data) > _SIZE_MOST:
        raise NotGenuine("format")
    try:
        made = json.loads(data.decode("utf-8"))
        whole = isinstance(made, dict) and made.get("kind") == _KIND and _rendered(made) == data
    except (ValueError, RecursionError) as error:
        raise NotGenuine("format") from error
    if not whole:
        raise NotGenuine("format")
    if made.get("v") != 1:
        raise NotGenuine("version")
    found: dict[str, Any] = made
    return found


def _hold(leaf: x509.Certificate, data: bytes, value: bytes) -> None:
    """Whether the signature is this certificate's over this. Raises NotGenuine."""
    key = leaf.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(value, data)
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, _pss(), hashes.SHA256())
    except InvalidSignature as error:
        raise NotGenuine("signature") from error


def _trust(chain: list[x509.Certificate], trusted: list[x509.Certificate], at: datetime) -> None:
    """From the gateway's certificate to one of the authorities, all good at that time. Raises NotGenuine."""
    held, between = chain[0], chain[1:]
    for _ in range(_CHAIN_MOST):
        _good(held, at)
        for authority in trusted:
            if _issued(held, authority):
                _good(authority, at)
                return
        issuer = next((each for each in between if _issued(held, each)), None)
        if issuer is None:
            break
        held = issuer
    raise NotGenuine("authority")


def _good(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotGenuine("expired")


def _issued(held: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        if not by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        held.verify_directly_issued_by(by)
    except (x509.ExtensionNotFound, InvalidSignature, *_UNREADABLE):
        return False
    return True


def _algorithm(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ecdsa-{key.curve.name}-sha256"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa-pss-sha256"
    raise UnsupportedAlgorithm(type(key).__name__)


def _pss() -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _signed_part(made: dict[str, Any]) -> bytes:
    """All but the signature: keys in order, no space, UTF-8."""
    part = {name: value for name, value in made.items() if name != "signature"}
    return _CONTEXT + json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _rendered(made: dict[str, Any]) -> bytes:
    return (json.dumps(made, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
