"""An up message as it came, and what could not be read of one. Owns the two records and the reading of topics."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What is answered, and on which of the gateway's own topics.
_ANSWERED_ON = {"event": "answer", "stranger": "stranger", "heartbeat": "alive"}
_TOPIC = re.compile(r"pingan/v1/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/up/([a-z]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """A message, or a part of one, that was not of the contract."""

    at_ms: int
    topic: str
    why: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """An up message: `kind` is the topic's last word; `response` and `correlation` are MQTT 5's, as they came.

    `broker`: the place of the broker that brought it; `expiry_left_s`: how long it would have let it wait yet.
    """

    area: str
    gateway: str
    kind: str
    topic: str
    payload: bytes
    received_ms: int
    response: str | None = None
    correlation: bytes | None = None
    broker: int = 0
    expiry_left_s: int | None = None

    def sent_ms(self, expiry_s: int) -> int:
        """When it came to its broker, where it began with this expiry: MQTT 5 takes off it what it has waited."""
        left_s = expiry_s if self.expiry_left_s is None else min(self.expiry_left_s, expiry_s)
        return self.received_ms - (expiry_s - left_s) * 1000

    @property
    def answer_topic(self) -> str | None:
        """Where its gateway, and nobody else, hears the answer. None: it is not answered."""
        answered_on = _ANSWERED_ON.get(self.kind)
        return None if answered_on is None else f"pingan/v1/{self.area}/{self.gateway}/down/{answered_on}"

    def fault(self, why: str, payload: bytes | None = None) -> Fault:
        """This message, or `payload` of it, is out of contract."""
        return Fault(self.received_ms, self.topic, why, self.payload if payload is None else payload)


def topic(text: str) -> tuple[str, str, str] | None:
    """(area, gateway, kind) of an up topic; None for any other."""
    match = _TOPIC.fullmatch(text)
    return None if match is None else (match[1], match[2], match[3])
