"""What the platform sends for care, and what is said back: down/care in, up/care out. Any bytes in, rows or nothing.

Owns the shape of both messages (protocol/platform/README.md 6b). Must not know keys or what stands in a box.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from protocol import box
from protocol.watchful import PART_MOST, PARTS_MOST

SIZE_MAX = 256 * 1024
ROWS_MOST = 50
PLAN_BOX_MOST = 16384 + box.OVERHEAD
SETTINGS_BOX_MOST = PARTS_MOST * PART_MOST

TAKEN, REFUSED = "taken", "refused"
NOT_GENUINE, NOT_UNDERSTOOD = "not_genuine", "not_understood"
UNKNOWN_WEARABLE, TOO_OLD = "unknown_wearable", "too_old"

_HANDLE = re.compile(r"[0-9a-f]{16}", re.ASCII)
# bytes.fromhex takes spaces and capitals, too.
_HEX = re.compile(r"([0-9a-f]{2})+", re.ASCII)


class NotUnderstood(Exception):
    """A message that is not of the contract."""


@dataclass(frozen=True, slots=True)
class Boxed:
    """A box, and the version that it has."""

    version: int
    box: bytes


@dataclass(frozen=True, slots=True)
class CareRow:
    """One wearable's. None: nothing is said of it. Not `understood`: something is, which is not of the contract."""

    wearable: str
    plan: Boxed | None
    settings: Boxed | None
    understood: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a row: the versions in force, and why something was refused."""

    wearable: str
    plan_version: int | None
    settings_version: int | None
    reason: str | None = None


def read(data: bytes) -> list[CareRow]:
    """down/care. Rows without a wearable are left out. Raises NotUnderstood."""
    if len(data) > SIZE_MAX:
        raise NotUnderstood("size")
    try:
        # Of bytes, json would also read UTF-16, UTF-32 and surrogates.
        message = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("json") from error
    # True is 1 to Python, and is none to JSON.
    if not isinstance(message, dict) or type(message.get("v")) is not int or message["v"] != 1:
        raise NotUnderstood("version")
    rows = message.get("rows")
    if not isinstance(rows, list) or len(rows) > ROWS_MOST:
        raise NotUnderstood("rows")
    return [_row(row) for row in rows if isinstance(row, dict) and _is(row.get("wearable"), _HANDLE)]


def _row(row: dict[str, Any]) -> CareRow:
    try:
        plan = _boxed(row.get("plan"), box.CARE, PLAN_BOX_MOST)
        settings = _boxed(row.get("settings"), box.SETTINGS, SETTINGS_BOX_MOST)
    except NotUnderstood:
        return CareRow(row["wearable"], None, None, understood=False)
    return CareRow(row["wearable"], plan, settings, understood=True)


def _boxed(value: object, purpose: int, most: int) -> Boxed | None:
    """A box whose head says what stands beside it. Whether it is genuine is not known yet. Raises NotUnderstood."""
    if value is None:
        return None
    if not isinstance(value, dict) or not _is(value.get("box"), _HEX):
        raise NotUnderstood("box")
    made = Boxed(value["version"] if type(value.get("version")) is int else -1, bytes.fromhex(value["box"]))
    if not box.OVERHEAD <= len(made.box) <= most or made.box[0] != purpose or box.sequence(made.box) != made.version:
        raise NotUnderstood("box")
    return made


def _is(value: object, shape: re.Pattern[str]) -> bool:
    return isinstance(value, str) and shape.fullmatch(value) is not None


def written(gateway: str, replies: Iterable[Reply]) -> Iterator[bytes]:
    """up/care, as many messages as it takes."""
    rows = [_written(reply) for reply in replies]
    for at in range(0, len(rows), ROWS_MOST):
        message = {"v": 1, "gateway": gateway, "rows": rows[at : at + ROWS_MOST]}
        yield json.dumps(message, separators=(",", ":")).encode()


def _written(reply: Reply) -> dict[str, Any]:
    return {
        "wearable": reply.wearable,
        "plan_version": reply.plan_version,
        "settings_version": reply.settings_version,
        "result": TAKEN if reply.reason is None else REFUSED,
        "reason": reply.reason,
    }
