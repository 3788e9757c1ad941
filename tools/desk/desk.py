"""The desk put together. Read this first: it is the list of the parts and of who is told what.

    brokers -> receiver   -> store -> answers    events of wearables, emergencies first
            -> strangers  -> store -> answers    sealed frames, where this platform has keys
            -> trails     -> store -> answers    sealed positions, behind all of these
            -> watch      -> store               gateways' and wearables' health
            -> life_signs          -> answers    that the platform is there, by the way that reached it
    key file -> key_watch -> keys                 wearables that were imported while it runs
            attendant -> store -> courier        wearers' tests, answered as an operator answers an alarm
    browser -> web -> store (actions, news) -> courier -> brokers
                                           `-> feed -> every open page

Owns construction, start, stop. Every wait elsewhere is bounded or one of the main loops started here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Self

from aiohttp import web

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.log import Log
from tools.desk import key_watch, keys
from tools.desk.attendant import Attendant
from tools.desk.brokers import Brokers
from tools.desk.care import Care
from tools.desk.courier import Courier
from tools.desk.desk_state import DeskState
from tools.desk.drill import Drill
from tools.desk.errors import NotUnderstood
from tools.desk.feed import Feed
from tools.desk.housekeeping import Housekeeping
from tools.desk.key_watch import KeyWatch
from tools.desk.life_signs import LifeSigns
from tools.desk.looks import Looks
from tools.desk.reading.care import read_states
from tools.desk.reading.message import Fault, Message
from tools.desk.reading.results import read_result
from tools.desk.reading.sealed import read_strangers
from tools.desk.receiver import Receiver
from tools.desk.settings import DeskSettings
from tools.desk.store import Store, windows
from tools.desk.strangers import Strangers
from tools.desk.trails import Trails
from tools.desk.watch import Watch
from tools.desk.web.app import application

log = Log("desk")

_STOP_WITHIN_S = 2.0


class Desk:
    """`async with Desk(settings) as desk: await desk.run()`; `url` is known inside."""

    def __init__(self, settings: DeskSettings) -> None:
        settings.check()
        self._settings = settings
        self._clock = Clock()
        self._counters = Counters()
        self._feed = Feed()
        self._store = Store(settings.database)
        self._strangers: Strangers | None = None
        self._key_watch: KeyWatch | None = None
        self._ring: keys.KeyRing | None = None
        self._stack = contextlib.AsyncExitStack()
        self.url = ""

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self._store.open()
            stack.push_async_callback(self._store.close)
            settings = self._settings
            self._brokers = Brokers(settings, self._store.id, self._clock)
            self._drill = Drill(self._clock)
            self._life_signs = LifeSigns(self._brokers, self._counters, self._drill)
            self._receiver = Receiver(self._store, self._brokers, self._clock, self._counters, self._drill)
            self._watch = Watch(self._store, self._counters)
            self._courier = Courier(self._store, self._brokers)
            self._attendant = Attendant(self._store, self._clock)
            if settings.keys_file is not None:
                self._strangers = await self._open_strangers(settings.keys_file)
            self._trails = Trails(self._ring, self._store, self._brokers, self._counters)
            self._care = Care(self._ring, self._store, self._brokers, self._clock, self._counters)
            self._looks = Looks(self._store, self._brokers, self._clock, self._counters)
            self._housekeeping = Housekeeping(self._store, self._care, self._clock)
            self._connect()
            await self._serve(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._feed.close()
        await self._stack.aclose()

    async def run(self) -> None:
        """Work until cancelled, and let the store finish what it has begun."""
        work = asyncio.create_task(self._work(), name="desk")
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await self._store.drain()
            raise
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _work(self) -> None:
        """The main loops. An unforeseen fault in any part ends all: a desk must not limp on unseen."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._brokers.run(), name="brokers")
            tasks.create_task(self._receiver.run(), name="receiver")
            tasks.create_task(self._watch.run(), name="watch")
            tasks.create_task(self._courier.run(), name="courier")
            tasks.create_task(self._attendant.run(), name="attendant")
            tasks.create_task(self._trails.run(), name="trails")
            tasks.create_task(self._care.run(), name="care")
            tasks.create_task(self._looks.run(), name="looks")
            tasks.create_task(self._housekeeping.run(), name="housekeeping")
            if self._strangers is not None:
                tasks.create_task(self._strangers.run(), name="strangers")
            if self._key_watch is not None:
                tasks.create_task(self._key_watch.run(), name="key watch")

    async def _open_strangers(self, keys_file: Path) -> Strangers:
        taken = await self._store.read(windows.loaded)
        seen = key_watch.look(keys_file)
        ring = self._ring = keys.KeyRing(keys.load(keys_file), taken)
        self._key_watch = KeyWatch(keys_file, seen, ring, self._store)
        return Strangers(ring, self._store, self._brokers, self._clock, self._counters)

    def _connect(self) -> None:
        """Who is told what."""
        self._brokers.on_message = self._received
        self._brokers.on_connected = self._connected
        self._receiver.on_change = self._stored
        self._attendant.on_acted = self._acted
        self._watch.on_change = self._feed.changed
        self._watch.on_came = self._care.came
        self._looks.on_change = self._feed.changed
        if self._strangers is not None:
            self._strangers.on_change = self._stored
            self._strangers.opened = self._trails.opened
        self._trails.on_change = self._feed.changed
        self._trails.on_faults = self._watch.faults

    def _connected(self) -> None:
        self._courier.wake()
        self._care.wake()

    def _received(self, message: Message) -> None:
        if message.kind == "heartbeat":
            self._life_signs.answer(message)
        if message.kind in ("heartbeat", "telemetry", "event"):
            self._care.there(message.area, message.gateway)
        if message.kind == "event":
            self._receiver.take(message)
        elif message.kind == "trail":
            self._trails.take(message)
        elif message.kind in ("stranger", "care", "result"):
            try:
                broken = self._read(message)
            except NotUnderstood as error:
                broken = [message.fault(str(error))]
            self._watch.faults(broken)
        else:
            self._watch.take(message)

    def _read(self, message: Message) -> list[Fault]:
        """Hand on what is read at once; what is wrong about it. Raises NotUnderstood."""
        if message.kind == "care":
            states, broken = read_states(message)
            self._care.take(states)
        elif message.kind == "result":
            result, broken = read_result(message)
            self._looks.take(result)
        elif self._strangers is None:
            self._counters.add("strangers_unknown")
            return []
        else:
            frames, broken = read_strangers(message)
            self._strangers.take(frames)
        return broken

    def _stored(self) -> None:
        self._feed.changed()
        self._attendant.wake()

    async def _acted(self, events: list[str], stage: str) -> None:
        self._feed.changed()
        self._courier.wake()
        if self._strangers is not None:
            await self._strangers.news(events, stage)

    async def _serve(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self._settings
        state = DeskState(
            settings,
            self._store,
            self._brokers,
            self._clock,
            self._counters,
            self._drill,
            self._feed,
            self._care,
            self._looks,
            self._trails,
            self._acted,
        )
        runner = web.AppRunner(application(state), access_log=None, shutdown_timeout=_STOP_WITHIN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.listen_host, settings.listen_port)
        try:
            await site.start()
        except OSError as error:
            where = f"{settings.listen_host}:{settings.listen_port}"
            raise Refusal("desk.cannot_listen", where=where, why=error.strerror) from error
        host, port = runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info("desk_listening", url=self.url)


async def serve(settings: DeskSettings, on_listening: Callable[[str], None] = lambda url: None) -> None:
    """Run a desk until cancelled; `on_listening` gets its URL. Raises Refusal when it cannot start."""
    async with Desk(settings) as desk:
        on_listening(desk.url)
        await desk.run()
