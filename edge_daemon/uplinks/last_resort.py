"""Emergencies by SMS, where the brokers do not get them accepted. Guarantee: each that is wanted goes when it can.

Owns which emergencies go, in what order and how often. Must not know modems (sms/), nor when a broker has failed:
whoever calls `want` does. An SMS changes no stage: the wearer is told ACCEPTED by the platform's own answer, which
comes by a broker alone, and until then the event waits for one. What became of an SMS stands in log and counters.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_daemon.ages import Ages
from edge_daemon.counters import Counters
from edge_daemon.errors import MessageLimit, UplinkDown
from edge_daemon.heard import Alarm
from edge_daemon.log import Log
from edge_daemon.uplinks import payload
from edge_daemon.uplinks.sms.reports import Delivery, State
from protocol import sms_text

log = Log("last_resort")

# A modem that is not there is looked for by itself; beyond the hour's limit one a minute goes.
_NO_MODEM_S = 5.0
_LIMIT_S = 60.0
# Reports come within a day; so many messages are remembered for them.
_REMEMBERED = 200


class Sender(Protocol):
    """The part of sms.SmsUplink that is used here and in path_watch.py."""

    on_report: Callable[[Delivery], None]
    last_ok_ms: int | None

    @property
    def ready(self) -> bool: ...  # noqa: D102

    async def send(self, text: str) -> list[Delivery]: ...  # noqa: D102


@dataclass(slots=True)
class _Wanted:
    alarm: Alarm
    times: int = 0
    due_ms: int = 0


class LastResort:
    """`want` may be called again and again for one alarm; `run` sends. `repeat_s`: until it goes once more."""

    def __init__(self, gateway: str, sms: Sender, ages: Ages, repeat_s: float, counters: Counters) -> None:
        self._gateway = gateway
        self._sms = sms
        self._ages = ages
        self._clock = ages.clock
        self._repeat_ms = int(repeat_s * 1000)
        self._counters = counters
        self._wanted: dict[tuple[str, int], _Wanted] = {}
        self._sent: deque[tuple[str, Delivery]] = deque(maxlen=_REMEMBERED)
        self._not_before_ms = 0
        self._wake = asyncio.Event()
        sms.on_report = self._reported

    def want(self, alarm: Alarm) -> None:
        """An emergency that no broker gets accepted. Others, and tests, never go by SMS."""
        if alarm.meaning.event_class != "emergency" or not alarm.waiting or alarm.key in self._wanted:
            return
        self._wanted[alarm.key] = _Wanted(alarm)
        self._wake.set()

    async def run(self) -> None:
        """Send for ever, one after another."""
        while True:
            self._wanted = {key: wanted for key, wanted in self._wanted.items() if wanted.alarm.waiting}
            now_ms = self._clock.now_ms()
            if now_ms >= self._not_before_ms and (wanted := self._next(now_ms)) is not None:
                await self._send(wanted)
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(self._idle_s(now_ms)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def test(self, alarm: Alarm) -> list[Delivery]:
        """Send a test's text; see sms.SmsUplink.send for what comes back. Raises UplinkDown."""
        return await self._sms.send(text(self._gateway, alarm, self._ages))

    def _next(self, now_ms: int) -> _Wanted | None:
        """What was never sent first, then whose wearer has had least, then the newest: more can be done for it."""
        had: Counter[str] = Counter()
        for wanted in self._wanted.values():
            had[wanted.alarm.wearable] += wanted.times
        due = [wanted for wanted in self._wanted.values() if wanted.due_ms <= now_ms]
        return min(due, key=lambda one: (one.times, had[one.alarm.wearable], -one.alarm.place), default=None)

    def _idle_s(self, now_ms: int) -> float | None:
        if not self._wanted:
            return None
        due_ms = min(wanted.due_ms for wanted in self._wanted.values())
        return max(due_ms - now_ms, self._not_before_ms - now_ms, 1) / 1000

    async def _send(self, wanted: _Wanted) -> None:
        alarm = wanted.alarm
        try:
            deliveries = await self._sms.send(text(self._gateway, alarm, self._ages))
        except ValueError:
            # It would be refused the same each time; the brokers still have it.
            log.error("event_no_sms", event=alarm.event, kind=alarm.meaning.name)
            wanted.due_ms = self._clock.now_ms() + self._repeat_ms
            return
        except UplinkDown as error:
            pause_s = _LIMIT_S if isinstance(error, MessageLimit) else _NO_MODEM_S
            if isinstance(error, MessageLimit):
                wanted.due_ms = self._clock.now_ms() + int(pause_s * 1000)
            else:
                self._not_before_ms = self._clock.now_ms() + int(pause_s * 1000)
            self._counters.add("sms_unsent")
            log.warning("event_sms_unsent", event=alarm.event, why=str(error), again_in_s=pause_s)
            return
        wanted.times += 1
        wanted.due_ms = self._clock.now_ms() + self._repeat_ms
        taken = sum(delivery.went_out for delivery in deliveries)
        self._sent.extend((alarm.event, delivery) for delivery in deliveries)
        self._counters.add("sms_events")
        log.warning("event_sms_sent", event=alarm.event, times=wanted.times, taken=taken, of=len(deliveries))
        for delivery in deliveries:
            # A report of the first number comes while the others are being told.
            if delivery.state in (State.DELIVERED, State.NOT_DELIVERED):
                self._reported(delivery)

    def _reported(self, delivery: Delivery) -> None:
        event = next((event for event, sent in self._sent if sent is delivery), None)
        if event is not None:
            self._counters.add(f"sms_events_{delivery.state}")
            log.info("event_sms_reported", event=event, number=delivery.index, state=delivery.state)


def text(gateway: str, alarm: Alarm, ages: Ages) -> str:
    """One event as the text of an SMS. Raises ValueError for one that has none."""
    row = payload.event(alarm, ages)
    age_s = None if row["age_ms"] is None else (row["age_ms"] + row["heard_age_ms"]) // 1000
    return sms_text.pack(
        sms_text.SmsEvent(
            gateway,
            row["event"],
            row["kind"],
            age_s,
            row["age_quality"],
            row["contact_id"] or "",
            row["restore"],
            row["test"],
            row["refers_to"],
        )
    )
