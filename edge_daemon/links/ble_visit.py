"""One visit to one wearable: connect, listen, write the answers that wait, stay a little for news, go.

Owns one connection. Must not know why frames come or what they say. A visit may fail at any point: the wearable
goes on advertising, and its next question begins the next visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import bleak
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

from edge_daemon.config import Ble
from edge_daemon.counters import Counters
from edge_daemon.log import Log
from protocol import codes, fragments

log = Log("link.ble")

# Answers older than this many are worthless: the wearable remembers its last four questions.
_WAITING_MOST = 16
# ATT's smallest MTU is 23, of which three bytes are the write's own header.
_PAYLOAD_LEAST = 20
# How long a visit stays for news when others wait for its place.
_LINGER_CROWDED_S = 0.3
_WRITE_WITHIN_S = 5.0
# What bleak raises when the air, the wearable or bluetoothd fails; EOFError is D-Bus hanging up. TimeoutError is one
# of the OSErrors.
FAILURES = (BleakError, OSError, EOFError)


class Visit:
    """Runs once. `notified(device, frame)` is called for each whole frame that the wearable hands over."""

    def __init__(
        self,
        device: BLEDevice,
        settings: Ble,
        room: asyncio.Semaphore,
        notified: Callable[[BLEDevice, bytes], None],
        counters: Counters,
    ) -> None:
        self.device = device
        self._settings = settings
        self._room = room
        self._notified = notified
        self._counters = counters
        self._joiner = fragments.Joiner()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()

    def give(self, frame: bytes) -> None:
        """Queue a frame to be written; the oldest goes when too many wait."""
        if self._waiting.qsize() >= _WAITING_MOST:
            self._waiting.get_nowait()
        self._waiting.put_nowait(frame)

    async def run(self) -> None:
        """Connect when there is room, deliver, linger, disconnect. Failures are counted, not raised."""
        async with self._room:
            try:
                async with asyncio.timeout(self._settings.connect_timeout_s):
                    client = await self._connect()
            except FAILURES as error:
                self._counters.add("visits_failed")
                log.info("visit_failed", why=str(error) or type(error).__name__)
                return
            self._counters.add("visits")
            try:
                await self._deliver(client)
            except FAILURES as error:
                self._counters.add("visits_broken")
                log.info("visit_broken", why=str(error) or type(error).__name__)
            finally:
                await self._leave(client)

    async def _connect(self) -> bleak.BleakClient:
        return await establish_connection(
            bleak.BleakClient,
            self.device,
            "wearable",
            disconnected_callback=lambda client: self._gone.set(),
            max_attempts=2,
        )

    async def _deliver(self, client: bleak.BleakClient) -> None:
        await client.start_notify(codes.UP_UUID, self._fragment)
        down = client.services.get_characteristic(codes.DOWN_UUID)
        if down is None:
            raise BleakError("not a wearable of ours: no down characteristic")
        # Not mtu_size: BlueZ's back end says 23 there until somebody asks for the real one.
        payload = max(down.max_write_without_response_size, _PAYLOAD_LEAST)
        while (frame := await self._next()) is not None:
            for piece in fragments.split(frame, payload):
                async with asyncio.timeout(_WRITE_WITHIN_S):
                    await client.write_gatt_char(down, piece, response=True)

    async def _next(self) -> bytes | None:
        """The next frame to write; None when nothing came for a while, others wait, or the wearable has gone."""
        waited_s = 0.0
        while not self._gone.is_set():
            try:
                async with asyncio.timeout(_LINGER_CROWDED_S):
                    return await self._waiting.get()
            except TimeoutError:
                waited_s += _LINGER_CROWDED_S
            if waited_s >= self._settings.linger_s or self._room.locked():
                return None
        return None

    async def _leave(self, client: bleak.BleakClient) -> None:
        try:
            async with asyncio.timeout(_WRITE_WITHIN_S):
                await client.disconnect()
        except FAILURES as error:
            log.info("disconnect_failed", why=str(error) or type(error).__name__)

    def _fragment(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        frame = self._joiner.feed(bytes(data))
        if frame is not None:
            self._notified(self.device, frame)
