"""What the platform says to gateways about events, as JSON (contract: protocol/platform/). Owns its shape.

Must not know MQTT or the store: it is handed what is true.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

# An answer to one message has at most its events; news travels by so many.
BATCH = 50
# A store that failed may work again in a moment; a gateway comes back by itself in five seconds.
BUSY_RETRY_AFTER_S = 5.0

Answer = dict[str, Any]


def state(event: str, stage: str) -> Answer:
    """accepted, answered or closed: what is stored of an event."""
    return {"event": event, "answer": stage, "reason": None, "retry_after_s": None}


def busy(event: str, reason: str, retry_after_s: float = BUSY_RETRY_AFTER_S) -> Answer:
    """Not stored; come again."""
    return {"event": event, "answer": "busy", "reason": reason, "retry_after_s": retry_after_s}


def refused(event: str, reason: str) -> Answer:
    """Not stored, and will not be."""
    return {"event": event, "answer": "refused", "reason": reason, "retry_after_s": None}


def payload(answers: Iterable[Answer]) -> bytes:
    """A down/answer message."""
    return json.dumps({"v": 1, "answers": list(answers)}, separators=(",", ":"), ensure_ascii=False).encode()


def news_topic(area: str, gateway: str) -> str:
    """Where a gateway hears of its events."""
    return f"pingan/v1/{area}/{gateway}/down/answer"
