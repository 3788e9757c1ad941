"""A gateway's certificate as the authority hands it out: PKCS#12, a tar of PEM files, or one PEM file.

Owns reading a bundle and the checks: the key is the certificate's, an authority of the bundle vouches for it, today, as
for a TLS client, and its name is the gateway's: brokers give rights by that name alone. Nothing of the key is ever
shown; the passphrase comes from a file or a terminal.
"""

from __future__ import annotations

import contextlib
import getpass
import ssl
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from edge_daemon import private
from edge_daemon.errors import Refusal
from tools.messages import Messages

_MOST_BYTES = 1 << 20
_MEMBERS_MOST = 50
_MEMORY = Path("/dev/shm")  # noqa: S108  # the file is made by tempfile
_SPKI = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Bundle:
    """A certificate that was found good, with its key and its authorities, as PEM."""

    certificate: bytes
    authorities: bytes
    key: bytes = field(repr=False)


@dataclass
class _Found:
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    certificates: list[x509.Certificate] = field(default_factory=list)


def read(path: Path, passphrase_file: Path | None, gateway: str, words: Messages) -> Bundle:
    """Read and judge a bundle. Raises Refusal that says which check it failed.

    A bundle without a passphrase is itself a secret, and refused when others can read it.
    """
    data = _data(path)
    found = _Found()
    phrase = _Passphrase(path, passphrase_file, words)
    if b"-----BEGIN " in data[:4096] and not _is_tar(path):
        _take_pem(path, data, found, phrase)
    elif _is_tar(path):
        for member in _members(path):
            _take_pem(path, member, found, phrase)
    else:
        _take_pkcs12(path, data, found, phrase)
    if not phrase.used:
        private.check(path)
    return _judged(path, found, gateway)


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Refusal("private.unreadable", file=path, why=error.strerror) from error
    if len(data) > _MOST_BYTES:
        raise Refusal("install.bundle_unknown", file=path)
    return data


class _Passphrase:
    """Read when it is first needed; `used` says whether it was."""

    def __init__(self, bundle: Path, file: Path | None, words: Messages) -> None:
        self._bundle, self._file, self._words = bundle, file, words
        self.used = False
        self._known: bytes | None = None

    def now(self) -> bytes:
        self.used = True
        if self._known is None:
            if self._file is not None:
                self._known = private.read(self._file).rstrip(b"\r\n")
            elif sys.stdin.isatty():
                asked = self._words.text("install.ask.passphrase", file=self._bundle)
                self._known = getpass.getpass(f"{asked}: ").encode()
            else:
                raise Refusal("install.no_passphrase", file=self._bundle)
        return self._known


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError:
        return False


def _members(path: Path) -> list[bytes]:
    """What the regular files of a tar hold; nothing is ever unpacked."""
    found = []
    try:
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive):
                if number >= _MEMBERS_MOST or member.size > _MOST_BYTES:
                    raise Refusal("install.bundle_unknown", file=path)
                file = archive.extractfile(member) if member.isfile() else None
                data = file.read() if file is not None else b""
                if b"-----BEGIN " in data:
                    found.append(data)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refusal("install.bundle_unknown", file=path) from error
    return found


def _take_pem(path: Path, data: bytes, found: _Found, phrase: _Passphrase) -> None:
    if b"-----BEGIN CERTIFICATE-----" in data:
        try:
            found.certificates += x509.load_pem_x509_certificates(data)
        except ValueError as error:
            raise Refusal("install.bundle_unknown", file=path) from error
    if b"PRIVATE KEY-----" not in data:
        return
    if found.key is not None or data.count(b"-----BEGIN ") - data.count(b"-----BEGIN CERTIFICATE-----") > 1:
        raise Refusal("install.bundle_keys", file=path)
    begin = data.rindex(b"-----BEGIN ", 0, data.index(b"PRIVATE KEY-----"))
    pem = data[begin:]
    encrypted = b"ENCRYPTED" in pem
    try:
        found.key = load_pem_private_key(pem, phrase.now() if encrypted else None)
    except (ValueError, TypeError) as error:
        raise Refusal("install.bundle_passphrase" if encrypted else "install.bundle_unknown", file=path) from error


def _take_pkcs12(path: Path, data: bytes, found: _Found, phrase: _Passphrase) -> None:
    try:
        # One without a passphrase opens without one.
        store = pkcs12.load_pkcs12(data, None)
    except ValueError:
        if not data.startswith(b"\x30"):
            raise Refusal("install.bundle_unknown", file=path) from None
        try:
            store = pkcs12.load_pkcs12(data, phrase.now())
        except ValueError as error:
            raise Refusal("install.bundle_passphrase", file=path) from error
    found.key = store.key
    entries = [store.cert, *store.additional_certs]
    found.certificates = [entry.certificate for entry in entries if entry is not None]


def _judged(path: Path, found: _Found, gateway: str) -> Bundle:
    if found.key is None:
        raise Refusal("install.bundle_no_key", file=path)
    public = found.key.public_key().public_bytes(*_SPKI)
    own = [one for one in found.certificates if one.public_key().public_bytes(*_SPKI) == public]
    if not own:
        raise Refusal("install.bundle_not_the_key", file=path)
    leaf = own[0]
    others = [one for one in found.certificates if one not in own]
    roots = [one for one in others if one.issuer == one.subject]
    if not roots:
        raise Refusal("install.bundle_no_authority", file=path)
    name = _name(leaf)
    if name != gateway:
        raise Refusal("install.bundle_wrong_name", file=path, name=name, gateway=gateway)
    chain = [leaf, *(one for one in others if one not in roots)]
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    bundle = Bundle(_pem(chain), _pem(roots), key)
    _shake_hands(path, bundle)
    return bundle


def _pem(certificates: list[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def _name(leaf: x509.Certificate) -> str:
    """The name by which brokers give rights: the common name; where there is none, the first alternative one."""
    common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if common:
        return str(common[0].value)
    with contextlib.suppress(x509.ExtensionNotFound):
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for name in names.get_values_for_type(x509.DNSName):
            return name
    return ""


def _shake_hands(path: Path, bundle: Bundle) -> None:
    """Show the certificate as a client, in memory, to a server that knows the bundle's authorities alone.

    That is what a broker does: chain, dates, purpose and name constraints are OpenSSL's to judge. Raises Refusal.
    """
    with tempfile.NamedTemporaryFile(prefix="pingan-", dir=_MEMORY if _MEMORY.is_dir() else None) as file:
        # OpenSSL takes a key from a file alone; this one is 0600, in memory, and gone a moment later.
        file.write(bundle.key + bundle.certificate)
        file.flush()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        # The server's own certificate matters to nobody here.
        server.load_cert_chain(file.name)
        client.load_cert_chain(file.name)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=bundle.authorities.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_side=False),
    ]
    try:
        for _round in range(6):
            for end in ends:
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise Refusal("install.bundle_not_good", file=path, why=error.verify_message) from error
    except ssl.SSLError as error:
        raise Refusal("install.bundle_not_good", file=path, why=error.reason or error) from error
