"""A wearable's handle as people read, say and type it: PAT-XXXXX-XXXXX-XXX-C.

Owns the alphabet and the check symbol: Crockford's base 32, which has no I, L, O or U, takes their look-alikes for
1 and 0, and checks modulo 37, so that each wrong symbol and each exchange of two neighbours is seen. Must not know
labels or stores. There is no secret in it: the handle is a name.
"""

from __future__ import annotations

import re

from edge_daemon.errors import Refusal

PREFIX = "PAT"

_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _SYMBOLS + "*~$=U"
_LOOKS_LIKE = str.maketrans("OIL", "011")
_HANDLE_SIZE = 8
_LENGTH = 13
_HEX_LENGTH = 16


def of_handle(handle: str) -> str:
    """The code of a handle of 16 hex digits. Raises ValueError for anything else."""
    raw = bytes.fromhex(handle)
    if len(raw) != _HANDLE_SIZE:
        raise ValueError("a handle has 8 bytes")
    number = int.from_bytes(raw, "big")
    symbols = "".join(_SYMBOLS[number >> 5 * at & 31] for at in reversed(range(_LENGTH)))
    return "-".join((PREFIX, symbols[:5], symbols[5:10], symbols[10:], _CHECKS[number % len(_CHECKS)]))


def handle_of(text: str) -> str:
    """The handle that a person means: a code in either case, with or without dashes, spaces and PAT; or a handle.

    Raises Refusal: no code, or its check symbol is another one.
    """
    bare = re.sub(r"[\s-]", "", text).upper()
    if re.fullmatch(rf"[0-9A-F]{{{_HEX_LENGTH}}}", bare):
        return bare.lower()
    if len(bare) == len(PREFIX) + _LENGTH + 1:
        bare = bare.removeprefix(PREFIX)
    if len(bare) != _LENGTH + 1:
        raise Refusal("label.no_code", got=text)
    symbols, check = bare[:_LENGTH].translate(_LOOKS_LIKE), bare[_LENGTH].translate(_LOOKS_LIKE)
    number = 0
    for symbol in symbols:
        if symbol not in _SYMBOLS:
            raise Refusal("label.no_code", got=text)
        number = number << 5 | _SYMBOLS.index(symbol)
    if number >> 8 * _HANDLE_SIZE or check not in _CHECKS:
        raise Refusal("label.no_code", got=text)
    if _CHECKS[number % len(_CHECKS)] != check:
        raise Refusal("label.wrong_check", got=text)
    return number.to_bytes(_HANDLE_SIZE, "big").hex()
