"""Plain bleak on a visit, and a wearable that advertises for it. Knows no test."""

from __future__ import annotations

import asyncio

import bleak
from bleak.backends.device import BLEDevice

from protocol import codes

from .conftest import WITHIN_S, Room, Scan
from .peripheral import Peripheral

FRAME = "0102030405"
SEED = 20260723
# Bumble asks for a supervision timeout of 0.72 s when it connects.
SUPERVISION_S = 0.72


async def advertising(room: Room) -> tuple[Peripheral, Scan]:
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 1, 30, FRAME)
    return peripheral, scan


class Client(bleak.BleakClient):
    """Plain bleak, and when it was told that the connection had gone."""

    def __init__(self, device: BLEDevice, **options: float) -> None:
        self.gone = asyncio.Event()
        self.notified: asyncio.Queue[bytes] = asyncio.Queue()
        super().__init__(device, disconnected_callback=lambda _: self.gone.set(), **options)

    async def listen(self) -> None:
        await self.start_notify(codes.UP_UUID, lambda _, data: self.notified.put_nowait(bytes(data)))

    async def echo(self, value: bytes) -> bytes:
        await self.write_gatt_char(codes.DOWN_UUID, value, response=True)
        return await asyncio.wait_for(self.notified.get(), WITHIN_S)
