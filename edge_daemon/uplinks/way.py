"""One way to the platform: a broker, and whether the platform answers through it. Guarantee: none; it is judged here.

Owns the judgement: connected, mute, healthy, and since when. A way carries when the *platform* answered what was sent
by it; what a broker confirms says nothing. Must not know which way is taken (ways.py) nor what is told of it
(path_watch.py).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from edge_daemon.clock import Clock
from edge_daemon.uplinks.mqtt import Connected, Receive

# An answer that comes later than this is of another time; so are more than these under way.
_ANSWER_KEPT_MS = 60_000
_BEATS_KEPT = 16
# The platform calls a gateway lost after three minutes; an older heartbeat must not make it look alive.
BEAT_EXPIRY_S = 180


class Uplink(Protocol):
    """What a way needs of a broker's connection: mqtt.MqttUplink, or a stand-in for it."""

    on_message: Receive
    on_connected: Connected
    on_disconnected: Callable[[], None]

    @property
    def connected(self) -> bool: ...  # noqa: D102

    async def publish(  # noqa: D102
        self,
        kind: str,
        data: bytes,
        *,
        answer: str | None = None,
        correlation: bytes = b"",
        expiry_s: int | None = None,
    ) -> None: ...

    def want(self) -> None: ...  # noqa: D102


class Way:
    """`misses_most`: so many missed answers in a row, and the way is mute; each is due `answer_within_s` after it left.

    Misses are counted one after another: of twenty messages that go unanswered at the same time one is a miss, for the
    way was tried once. Answers to events clear everything; those to heartbeats do not clear the doubt that events left.
    `on_missed_beat`: a heartbeat is missing, and the next one is wanted now, to know.
    """

    def __init__(self, name: str, uplink: Uplink, misses_most: int, answer_within_s: float, clock: Clock) -> None:
        self.name = name
        self.uplink = uplink
        self._misses_most = misses_most
        self._answer_within_s = answer_within_s
        self._clock = clock
        self._beats: dict[bytes, int] = {}
        self._opened_ms = 0
        self._missed_ms = {"event": 0, "beat": 0}
        self.misses = {"event": 0, "beat": 0}
        # When the platform last answered an event, a heartbeat; None: not since our start.
        self.answered_ms: dict[str, int | None] = {"event": None, "beat": None}
        # Exactly one of the two: since when the platform has answered all, or has not.
        self.healthy_since_ms: int | None = None
        self.ill_since_ms: int | None = clock.now_ms()
        self.on_missed_beat: Callable[[], None] = lambda: None
        # It has been lost since it was last trusted: gone back to after a time only.
        self.tainted = False

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self.uplink.connected

    @property
    def mute(self) -> bool:
        """Whether the platform has missed too many answers."""
        return max(self.misses.values()) >= self._misses_most

    @property
    def doubted(self) -> bool:
        """Whether events went unanswered: only an event that is answered, a test will do, makes up for it."""
        return self.misses["event"] >= self._misses_most

    @property
    def usable(self) -> bool:
        """Whether there is hope: connected, and not mute."""
        return self.connected and not self.mute

    @property
    def healthy(self) -> bool:
        """Whether the platform has answered on this connection, and nothing is missing."""
        return self.healthy_since_ms is not None and self.connected

    def healthy_for_ms(self) -> int:
        """How long it has been healthy; -1: it is not."""
        if self.healthy_since_ms is None or not self.connected:
            return -1
        return self._clock.now_ms() - self.healthy_since_ms

    def ill_for_ms(self) -> int:
        """How long it has not been; -1: it is."""
        return -1 if self.ill_since_ms is None else self._clock.now_ms() - self.ill_since_ms

    def last_answer_ms(self) -> int | None:
        """When the platform last answered on it, by the boot-time clock."""
        return max((at_ms for at_ms in self.answered_ms.values() if at_ms is not None), default=None)

    def opened(self) -> None:
        """A new connection: what was missed by heartbeat on the old one says nothing of it."""
        self._opened_ms = self._clock.now_ms()
        self._beats.clear()
        self.misses["beat"] = 0
        if not self.doubted:
            self.misses["event"] = 0

    def closed(self) -> None:
        """The connection has gone."""
        self._beats.clear()
        self._fell_ill()

    def answered(self, what: str) -> None:
        """The platform answered an event ("event") or a heartbeat ("beat") that went this way."""
        now_ms = self._clock.now_ms()
        self.answered_ms[what] = now_ms
        self.misses["beat"] = 0
        if what == "event" or not self.doubted:
            self.misses["event"] = 0
        if self.healthy_since_ms is None and self.connected and not self.doubted:
            self.healthy_since_ms, self.ill_since_ms = now_ms, None

    def missed(self, what: str, sent_ms: int) -> None:
        """An answer was due to what left at `sent_ms`. Counts where no later one came, and once at a time."""
        answered_ms = self.answered_ms[what]
        stale = sent_ms < max(self._missed_ms[what], self._opened_ms)
        if not self.connected or stale or (answered_ms is not None and answered_ms > sent_ms):
            return
        self._missed_ms[what] = self._clock.now_ms()
        self.misses[what] += 1
        self._fell_ill()

    async def beat(self, data: bytes) -> None:
        """Send a heartbeat, and count a miss if it is not answered in time. Raises UplinkDown."""
        now_ms = self._clock.now_ms()
        token = os.urandom(8)
        for old in [old for old, at_ms in self._beats.items() if now_ms - at_ms > _ANSWER_KEPT_MS]:
            del self._beats[old]
        while len(self._beats) >= _BEATS_KEPT:
            del self._beats[next(iter(self._beats))]
        self._beats[token] = now_ms
        asyncio.get_running_loop().call_later(self._answer_within_s, self._beat_due, token)
        await self.uplink.publish("heartbeat", data, answer="alive", correlation=token, expiry_s=BEAT_EXPIRY_S)

    def alive(self, token: bytes) -> bool:
        """The platform answered a heartbeat; False: none of ours of late. Late is better than never."""
        if self._beats.pop(token, None) is None:
            return False
        self.answered("beat")
        return True

    def _beat_due(self, token: bytes) -> None:
        sent_ms = self._beats.get(token)
        if sent_ms is not None:
            self.missed("beat", sent_ms)
            if 0 < self.misses["beat"] < self._misses_most:
                self.on_missed_beat()

    def _fell_ill(self) -> None:
        # Also where no answer had come yet: what breaks at once was not there.
        self.tainted = True
        if self.ill_since_ms is None:
            self.healthy_since_ms, self.ill_since_ms = None, self._clock.now_ms()
