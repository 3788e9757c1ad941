"""Fields of a JSON message, each checked for type and range as it is read. Owns no message; knows no meaning.

Every function raises NotUnderstood with the name of the field. Text is printable, so that no control character and no
half of a surrogate pair reaches a database, a log or a page.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tools.desk.errors import NotUnderstood

# Fifty events are 25 KiB; a message larger than this is none of ours.
SIZE_MAX = 256 * 1024
# Ten years: what is older was made up.
AGE_MAX_MS = 10 * 365 * 86_400_000
COUNT_MAX = 1 << 40

EVENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{6}", re.ASCII)
HANDLE = re.compile(r"[0-9a-f]{16}", re.ASCII)
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
CODE4 = re.compile(r"[0-9]{4}", re.ASCII)
CODE3 = re.compile(r"[0-9]{3}", re.ASCII)
HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)
LINKS = ("ble", "serial")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)
ABOUT = re.compile(r"[ -~]{0,64}", re.ASCII)
PLAIN = re.compile(r"[ -~]{0,200}", re.ASCII)


def message(payload: bytes) -> dict[str, Any]:
    """A payload as a JSON object."""
    if len(payload) > SIZE_MAX:
        raise NotUnderstood("size")
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("json") from error
    return an_object(said)


def an_object(value: object) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise NotUnderstood("not an object")
    return value


def is_version_1(said: dict[str, Any]) -> bool:
    """Whether a message is of this version of the contract: True and 1.0 are not 1."""
    return type(said.get("v")) is int and said["v"] == 1


def message_v1(payload: bytes) -> dict[str, Any]:
    """A payload as a JSON object of version 1."""
    said = message(payload)
    if not is_version_1(said):
        raise NotUnderstood("version")
    return said


def array(said: dict[str, Any], name: str) -> list[Any]:
    """A list of anything."""
    value = said.get(name)
    if not isinstance(value, list):
        raise NotUnderstood(name)
    return value


def one_of(row: dict[str, Any], name: str, values: tuple[str, ...]) -> str:
    """One of some words."""
    value = row.get(name)
    if not isinstance(value, str) or value not in values:
        raise NotUnderstood(name)
    return value


def match(row: dict[str, Any], name: str, pattern: re.Pattern[str], *, null: bool = False) -> str | None:
    """Text that is wholly of a pattern; with `null`, also null or left out."""
    value = row.get(name)
    if value is None and null:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise NotUnderstood(name)
    return value


def names(row: dict[str, Any], name: str, most: int) -> list[str]:
    """At most so many names; left out or null: none."""
    value = [] if row.get(name) is None else array(row, name)
    if len(value) > most or not all(isinstance(each, str) and KIND.fullmatch(each) for each in value):
        raise NotUnderstood(name)
    return value


def whole(row: dict[str, Any], name: str, least: int, most: int) -> int:
    """A whole number within limits; True is none."""
    value = row.get(name)
    if type(value) is not int or not least <= value <= most:
        raise NotUnderstood(name)
    return value


def whole_or_null(row: dict[str, Any], name: str, least: int, most: int) -> int | None:
    """A whole number, or null; left out is null."""
    return None if row.get(name) is None else whole(row, name, least, most)


def flag(row: dict[str, Any], name: str, *, default: bool | None = None) -> bool:
    """A flag: true or false."""
    value = row.get(name, default)
    if not isinstance(value, bool):
        raise NotUnderstood(name)
    return value


def text(row: dict[str, Any], name: str, most: int) -> str:
    """Printable text of at most so many characters."""
    value = row.get(name)
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise NotUnderstood(name)
    return value
