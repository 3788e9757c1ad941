"""The platform's key pair (X25519): what records are sealed to, and what alone opens them.

Owns the two PEM files. Must not know records. The private file has mode 0600 and stays at the platform; the public
one goes into each technician's kit, and nothing is lost when everybody has it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge_daemon import private
from edge_daemon.durable import replace
from edge_daemon.errors import Refusal

_PUBLIC_MODE = 0o644
_NAME_SIZE = 8


def make(private_file: Path, public_file: Path) -> str:
    """Write a fresh pair; returns its name. Raises Refusal when either file is there or cannot be written."""
    for file in (private_file, public_file):
        if file.exists():
            raise Refusal("record.key_exists", file=file)
    key = X25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        replace(private_file, secret)
        replace(public_file, public, _PUBLIC_MODE)
    except OSError as error:
        raise Refusal("record.not_written", file=error.filename or private_file, why=error.strerror) from error
    return name(key.public_key())


def name(key: X25519PublicKey) -> str:
    """16 hex digits by which records say whose they are: of the SHA-256 over the 32 bytes of the public key."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:_NAME_SIZE].hex()


def load_public(path: Path) -> X25519PublicKey:
    """Read what the platform gave out. Raises Refusal: missing, anybody may change it, or no such key."""
    private.check_trusted(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refusal("private.unreadable", file=path, why=error.strerror) from error
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError as error:
        raise Refusal("record.no_public_key", file=path) from error
    if not isinstance(key, X25519PublicKey):
        raise Refusal("record.no_public_key", file=path)
    return key


def load_private(path: Path) -> X25519PrivateKey:
    """Read the platform's secret. Raises Refusal: missing, others may read it, or no such key."""
    data = private.read(path)
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        # Without its cause: what cannot be read as a key may still be one.
        raise Refusal("record.no_private_key", file=path) from None
    if not isinstance(key, X25519PrivateKey):
        raise Refusal("record.no_private_key", file=path)
    return key
