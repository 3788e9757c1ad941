"""Answers gateways' heartbeats: that the platform is there, on each way that reaches it. Owns nothing that lasts.

Must not know the store: a platform that cannot store is there all the same, and says busy to events. A sign that is
lost is followed by another in a minute.
"""

from __future__ import annotations

import asyncio
import json

from edge_daemon.counters import Counters
from tools.desk.brokers import Brokers
from tools.desk.drill import Drill
from tools.desk.errors import BrokerDown, NotUnderstood
from tools.desk.reading import fields
from tools.desk.reading.message import Message

_EXPIRY_S = 60
_UNDER_WAY = 1000


class LifeSigns:
    """`answer` is called for each heartbeat, from the event loop, and never blocks."""

    def __init__(self, brokers: Brokers, counters: Counters, drill: Drill) -> None:
        self._brokers = brokers
        self._counters = counters
        self._drill = drill
        self._answering: set[asyncio.Task[None]] = set()

    def answer(self, message: Message) -> None:
        """Answer by the broker that brought it. Not what is of another version, nor while silence is practised."""
        try:
            fields.message_v1(message.payload)
        except NotUnderstood:
            return
        if self._drill.now.mode == "silent":
            return
        if len(self._answering) >= _UNDER_WAY:
            self._counters.add("life_signs_dropped")
            return
        task = asyncio.create_task(self._publish(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _publish(self, message: Message) -> None:
        to = f"pingan/v1/{message.area}/{message.gateway}/down/alive"
        said = json.dumps({"v": 1, "gateway": message.gateway}, separators=(",", ":")).encode()
        try:
            await self._brokers.answer(message.broker, to, said, message.correlation, _EXPIRY_S)
        except BrokerDown:
            self._counters.add("life_signs_unsent")
