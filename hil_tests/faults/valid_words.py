"""Which of any bytes are a valid answer for a real event after all, and what is true of the event by them.

Owns a reading of the contract of its own (protocol/platform/, sections 2 and 4), and the state that it gives an event.
Knows neither the daemon nor who made the bytes.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import NamedTuple

_WORDS = ("accepted", "answered", "closed", "busy", "refused")
_IDENTITY = re.compile(r"[0-9a-f]{16}-[0-9a-f]{6}", re.ASCII)
_SIZE_MOST = 256 * 1024
_RETRY_MOST_S = 600
# A retry is not sooner than this, and may share a message with others of the same moment.
_RETRY_LEAST_S, _MOMENT_S = 1.0, 1.0


class Word(NamedTuple):
    """A valid row of a down/answer. `retry_after_s` None: the gateway's own ladder."""

    event: str
    word: str
    retry_after_s: float | None


@dataclass
class Believed:
    """What a gateway may believe of one event. `state` "": it waits, and need not be sent before `busy_until_s`."""

    state: str = ""
    busy_until_s: float = 0.0

    def hear(self, said: Word) -> None:
        """The platform's word has come now."""
        self.state = after(self.state, said.word)
        if said.word == "busy" and not self.state and said.retry_after_s is not None:
            until_s = time.monotonic() + max(said.retry_after_s, _RETRY_LEAST_S) + _MOMENT_S
            self.busy_until_s = max(self.busy_until_s, until_s)


def words_for(data: bytes) -> list[Word]:
    """The valid rows of a down/answer, in order. Of a JSON name that comes twice the last one counts."""
    if len(data) > _SIZE_MOST:
        return []
    try:
        message = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return []
    if not isinstance(message, dict) or type(message.get("v")) not in (int, float) or message["v"] != 1:
        return []
    rows = message.get("answers")
    found = []
    for row in rows if isinstance(rows, list) else ():
        name, word = (row.get("event"), row.get("answer")) if isinstance(row, dict) else (None, None)
        if isinstance(name, str) and _IDENTITY.fullmatch(name) and isinstance(word, str) and word in _WORDS:
            found.append(Word(name, word, _retry_after_s(row.get("retry_after_s"))))
    return found


def _retry_after_s(value: object) -> float | None:
    """0 to 600 or null; what is neither is not there, and spoils no row."""
    good = type(value) in (int, float) and 0 <= value <= _RETRY_MOST_S  # type: ignore[operator]
    return float(value) if good else None  # type: ignore[arg-type]


def after(state: str, word: str) -> str:
    """What is true of an event after the platform's word. "": it waits. States only rise; busy changes none."""
    order = ("", "accepted", "answered", "closed")
    if word == "busy" or state in ("refused", "closed"):
        return state
    if word == "refused":
        return state or word
    return max(state, word, key=order.index)
