"""The way by SMS. Guarantee: `send` returned a TAKEN delivery: the network has that message, nothing more.

Owns the order of numbers, the second try, and the ladder by which a modem is brought back. Must not know which event is
an emergency, nor when SMS is the way to take: ways.py does. The platform gives no answer by SMS, so an event that went
this way goes on waiting for its broker. Numbers appear nowhere but in the command to the modem: logs have their index.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_daemon.clock import Clock
from edge_daemon.config import Sms
from edge_daemon.counters import Counters
from edge_daemon.errors import MessageLimit, UplinkDown
from edge_daemon.log import Log
from edge_daemon.uplinks.sms.budget import Budget
from edge_daemon.uplinks.sms.failures import CommandRefused, ModemFailed, SimUnusable
from edge_daemon.uplinks.sms.ladder import Ladder, Step, Timing
from edge_daemon.uplinks.sms.memory import Memory
from edge_daemon.uplinks.sms.modem import Modem
from edge_daemon.uplinks.sms.pin import Pin
from edge_daemon.uplinks.sms.reports import Delivery, Reports, State
from protocol import sms_text

log = Log("uplink.sms")

# TS 24.011, table E-2: no such number, barred, not subscribed. The same again would be refused the same.
_FOR_GOOD = frozenset((1, 8, 10, 28, 30, 50, 69))
# TS 27.005, 3.2.5: no SIM, PIN, PUK, wrong, busy. The modem has started anew and not said so.
_SIM_TROUBLE = range(310, 321)
_TRIES = 2


@dataclass
class _Message:
    """What one call of send says. `patience_s`: how long it still waits for a modem that has failed."""

    text: str
    event: str
    test: bool
    patience_s: float


class SmsUplink:
    """SMS to the configured numbers. Raises Refusal for an unusable PIN file. Nothing happens until `run` runs.

    `on_report` is called when a delivery report changes a Delivery that `send` has returned, hours later perhaps.
    """

    name = "sms"

    def __init__(
        self, settings: Sms, state_dir: Path, clock: Clock, counters: Counters, timing: Timing | None = None
    ) -> None:
        self._numbers = tuple(settings.numbers)
        self._clock = clock
        self._counters = counters
        self._timing = timing or Timing()
        memory = Memory(state_dir / "sms.json", clock.boot_id)
        self._budget = Budget(settings.most_per_hour, memory, clock, counters)
        self._reports = Reports(clock, counters, self._reported)
        self._modem = Modem(settings, Pin(settings.pin_file, memory), self._timing, self._reports.heard)
        self._sending = asyncio.Lock()
        self._up = asyncio.Event()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._ladder = Ladder(self._timing, clock)
        self._said = ""
        self.last_ok_ms: int | None = None
        self.on_report: Callable[[Delivery], None] = lambda delivery: None

    @property
    def ready(self) -> bool:
        """Whether a message could go out now: the modem answers, its SIM is open, a network has it."""
        return self._up.is_set() and self._modem.registered

    @property
    def registered(self) -> bool:
        """Whether a network had the modem when it was last asked."""
        return self._modem.registered

    @property
    def signal_dbm(self) -> int | None:
        """The signal when last asked, -113 to -51; None where it is not known."""
        return self._modem.signal_dbm

    async def send(self, text: str) -> list[Delivery]:
        """Send one text to every number, one after another; what fails is tried a second time after the others.

        Raises UplinkDown when no modem is there and nothing went out, MessageLimit (an UplinkDown) when the limit let
        nothing through. Else one Delivery a number, in their order; a refused one is in there, and raises nothing.
        ValueError: the text is not one SMS of plain characters. It can take minutes; who cancels it ends the
        conversation with the modem, for nobody knows then what it still does.
        """
        if not text.isascii() or not text.isprintable() or len(text) > sms_text.SIZE_MOST:
            raise ValueError("not the text of one SMS")
        if not self._up.is_set():
            self._wanted.set()
            raise UplinkDown("no modem")
        message = _message(text, self._timing.ready_within_s)
        deliveries = [Delivery(index) for index in range(len(self._numbers))]
        for _ in range(_TRIES):
            for delivery in deliveries:
                if _worth_a_try(delivery):
                    await self._send_one(delivery, message)
        return self._judge(deliveries)

    async def run(self) -> None:
        """Keep the modem ready for ever; more roughly and more rarely the longer it fails."""
        while True:
            try:
                await self._session(self._ladder.step())
            except (ModemFailed, SimUnusable) as error:
                self._ladder.failed(error)
                self._lost(error.why)
            finally:
                self._up.clear()
                self._modem.close()
            await self._pause()

    async def _session(self, step: Step) -> None:
        timing = self._timing
        await self._modem.open(step)
        self._up.set()
        self._said = ""
        log.info("sms_modem_open", registered=self.registered, signal_dbm=self.signal_dbm)
        opened_ms = registered_ms = self._clock.now_ms()
        was = self.registered
        while True:
            now_ms = self._clock.now_ms()
            if self.registered:
                self.last_ok_ms = registered_ms = now_ms
            elif now_ms - registered_ms > timing.unregistered_s * 1000:
                raise ModemFailed("no network")
            if was != self.registered:
                was = self.registered
                log.warning("sms_network", registered=was, signal_dbm=self.signal_dbm)
            if self.registered and now_ms - opened_ms > timing.settled_s * 1000:
                self._ladder.healed()
            await self._modem.wait(timing.watch_s)
            await self._modem.look()

    async def _send_one(self, delivery: Delivery, message: _Message) -> None:
        """One try at one number; a modem that failed before it had the text was none. Raises nothing of theirs."""
        while await self._modem_is_up(message):
            # One message at a time, and between two of them another event's turn.
            async with self._sending:
                if not self._budget.take(message.event, delivery.index, test=message.test):
                    delivery.state = State.OVER_LIMIT if delivery.state is State.WAITING else delivery.state
                    return
                if await self._try(delivery, message):
                    return
        if delivery.state is State.WAITING:
            delivery.state = State.MODEM_FAILED

    async def _try(self, delivery: Delivery, message: _Message) -> bool:
        """Whether the modem got as far as the message."""
        number = self._numbers[delivery.index]
        handed_over = False
        try:
            await self._modem.prepare()
            handed_over = True
            reference = await self._modem.submit(number, message.text)
        except CommandRefused as error:
            self._budget.give_back(message.event, delivery.index)
            delivery.state, delivery.code = State.REFUSED, error.code
            self._counters.add("sms_refused")
            log.warning("sms_refused", number=delivery.index, code=error.code)
            if error.code in _SIM_TROUBLE:
                self._doubt("SIM trouble")
        except ModemFailed as error:
            self._doubt(error.why)
            if not handed_over:
                self._budget.give_back(message.event, delivery.index)
                return False
            delivery.state = State.UNCERTAIN
            self._counters.add("sms_uncertain")
            log.warning("sms_uncertain", number=delivery.index, why=error.why)
        else:
            self._taken(delivery, reference, number)
        return True

    def _taken(self, delivery: Delivery, reference: int | None, number: str) -> None:
        delivery.state, delivery.code = State.TAKEN, None
        self._ladder.healed()
        self.last_ok_ms = self._clock.now_ms()
        self._counters.add("sms_taken")
        log.info("sms_taken", number=delivery.index, reference=reference)
        if reference is not None:
            self._reports.sent(reference, number, delivery)

    async def _modem_is_up(self, message: _Message) -> bool:
        """Wait for the modem if it has just failed: the numbers after the one it failed at still want theirs."""
        if self._up.is_set():
            return True
        began_s = asyncio.get_running_loop().time()
        self._waiting += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(max(message.patience_s, 0)):
                await self._up.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            message.patience_s -= asyncio.get_running_loop().time() - began_s
        return True

    def _doubt(self, why: str) -> None:
        """The conversation is over; nobody sends until the next one."""
        self._up.clear()
        self._modem.end(why)

    def _judge(self, deliveries: list[Delivery]) -> list[Delivery]:
        states = [delivery.state for delivery in deliveries]
        if any(delivery.went_out for delivery in deliveries):
            return deliveries
        if all(state is State.OVER_LIMIT for state in states):
            raise MessageLimit("the messages of this hour are used up")
        if all(state in (State.MODEM_FAILED, State.OVER_LIMIT) for state in states):
            raise UplinkDown("the modem failed")
        if self.ready and any(one.state is State.REFUSED and _worth_a_try(one) for one in deliveries):
            # A network that is full says so, and so does a modem that has lost its mind: a new beginning helps one.
            self._doubt("refuses everybody")
        return deliveries

    def _reported(self, delivery: Delivery) -> None:
        self._counters.add("sms_report_not_final" if delivery.state is State.TAKEN else f"sms_{delivery.state}")
        log.info("sms_report", number=delivery.index, state=delivery.state, status=delivery.code)
        self.on_report(delivery)

    def _lost(self, why: str) -> None:
        self._counters.add("sms_modem_lost")
        # Said once per cause: a modem that is unplugged stays so for days.
        if self._said != why:
            self._said = why
            log.error("sms_modem_lost", why=why)

    async def _pause(self) -> None:
        """Before the next attempt: at least a little, then until the time is over or somebody has an emergency."""
        pause_s = self._ladder.pause_s()
        least_s = min(pause_s, self._timing.pause_least_s)
        await asyncio.sleep(least_s)
        if not self._waiting:
            try:
                async with asyncio.timeout(pause_s - least_s):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._wanted.clear()


def _worth_a_try(delivery: Delivery) -> bool:
    if delivery.state is State.REFUSED:
        return delivery.code not in _FOR_GOOD
    return delivery.state in (State.WAITING, State.MODEM_FAILED, State.UNCERTAIN)


def _message(text: str, patience_s: float) -> _Message:
    """A text with the event it is about, and whether it is a test. One that is not ours is about itself."""
    try:
        said = sms_text.parse(text)
    except sms_text.SmsTextRefused:
        return _Message(text, text, False, patience_s)
    return _Message(text, said.event, said.test, patience_s)
