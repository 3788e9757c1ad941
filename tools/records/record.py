"""The record of one wearable: its root, sealed to the platform's key, and who it is in the clear.

Owns the record's layout and sealing: HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM,
one message. All that stands in the clear is HPKE's `info`, so a record with one word changed does not open. Must not
know where records lie. README.md in tools/provision documents the file.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge_daemon.errors import Refusal
from protocol.keys import derive
from tools.records import platform_key

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_128_GCM)

_CONTEXT = b"pingan/v1/record\n"
_HANDLE = re.compile(r"[0-9a-f]{16}")
_HARDWARE = re.compile(r"[0-9a-f]{2,32}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SIZE_MOST = 4096


@dataclass(frozen=True)
class About:
    """What a record says in the clear. `hardware`: the chip's own number, hex. `made_at`: UTC, RFC 3339, seconds.

    `replaces`: the handle that this board had before, None for a board's first. `platform`: the key's name.
    """

    handle: str
    hardware: str
    made_at: str
    replaces: str | None
    platform: str

    def as_json(self) -> dict[str, Any]:
        """The record without what is sealed."""
        return {
            "v": 1,
            "wearable": self.handle,
            "hardware": self.hardware,
            "made_at": self.made_at,
            "replaces": self.replaces,
            "platform": self.platform,
        }

    def info(self) -> bytes:
        """What sealing binds: these values in this order, whatever order or spacing a file has them in."""
        return _CONTEXT + json.dumps(self.as_json(), separators=(",", ":")).encode()


@dataclass(frozen=True)
class Record:
    """A record as it lies in its file. `source` names it in refusals."""

    about: About
    sealed: bytes
    source: Path | str = field(default="", compare=False)

    def as_json(self) -> dict[str, Any]:
        """The file's contents."""
        return self.about.as_json() | {"sealed": base64.b64encode(self.sealed).decode()}


def seal(root: bytes, hardware: str, made_at: str, replaces: str | None, key: X25519PublicKey) -> Record:
    """The record of a fresh root, which only the holder of the private key can read."""
    about = About(derive(root).handle.hex(), hardware, made_at, replaces, platform_key.name(key))
    return Record(about, SUITE.encrypt(root, key, info=about.info()))


def open_root(record: Record, key: X25519PrivateKey) -> bytes:
    """The root. Raises Refusal: sealed to another platform, changed since, or not the root of its handle."""
    own = platform_key.name(key.public_key())
    if record.about.platform != own:
        raise Refusal("record.other_platform", file=record.source, got=record.about.platform, own=own)
    try:
        root = SUITE.decrypt(record.sealed, key, info=record.about.info())
    except (InvalidTag, ValueError):
        raise Refusal("record.damaged", file=record.source) from None
    try:
        handle = derive(root).handle.hex()
    except ValueError:
        handle = ""
    if handle != record.about.handle:
        raise Refusal("record.damaged", file=record.source)
    return root


def read(path: Path) -> Record:
    """Read a record's file. Raises Refusal when it is missing or not understood."""
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_MOST + 1)
    except OSError as error:
        raise Refusal("private.unreadable", file=path, why=error.strerror) from error
    try:
        return from_json(json.loads(data), path)
    except (ValueError, RecursionError) as error:
        raise Refusal("record.not_understood", file=path) from error


def from_json(value: object, source: Path | str) -> Record:
    """A record from what its file holds. Raises Refusal when it is not understood."""
    if not isinstance(value, dict) or value.get("v") != 1:
        raise Refusal("record.not_understood", file=source)
    replaces = value.get("replaces")
    rules = {"wearable": _HANDLE, "hardware": _HARDWARE, "made_at": _TIME, "platform": _HANDLE}
    if replaces is not None:
        rules["replaces"] = _HANDLE
    for key, rule in rules.items():
        if not isinstance(value.get(key), str) or not rule.fullmatch(value[key]):
            raise Refusal("record.not_understood", file=source)
    try:
        sealed = base64.b64decode(value["sealed"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise Refusal("record.not_understood", file=source) from error
    about = About(value["wearable"], value["hardware"], value["made_at"], replaces, value["platform"])
    return Record(about, sealed, source)
