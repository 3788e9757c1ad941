"""The air between a real interpreter and plain bleak: what is said arrives, and what goes wrong is told."""

from __future__ import annotations

import asyncio
import time

import bleak
import pytest
from bleak.exc import BleakError

from protocol import codes

from .conftest import WITHIN_S, NewRoom, Room, Scan
from .peripheral import Peripheral

_FRAME = "0102030405"


async def _advertising(room: Room) -> tuple[Peripheral, Scan]:
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 1, 30, _FRAME)
    return peripheral, scan


async def test_a_frame_is_heard_with_its_signal_strength(new_room: NewRoom) -> None:
    room = await new_room()
    await room.radio.control("rssi", name="pendant-1", gateway="gateway-1", dbm=-83)
    _, scan = await _advertising(room)
    device, advertisement = await scan.next()
    assert advertisement.manufacturer_data[codes.COMPANY_ID].hex() == _FRAME
    assert advertisement.rssi == -83
    assert device.name is None


async def test_a_write_is_answered_by_a_notification_and_both_tell_of_the_connection(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    notified: asyncio.Queue[bytes] = asyncio.Queue()
    async with bleak.BleakClient(device) as client:
        await peripheral.says("connected")
        assert (await peripheral.says("mtu"))[1] == "247"
        await client.start_notify(codes.UP_UUID, lambda _, data: notified.put_nowait(bytes(data)))
        down = client.services.get_characteristic(codes.DOWN_UUID)
        assert down is not None
        assert down.max_write_without_response_size == 244
        value = b"e" + bytes(range(243))
        await client.write_gatt_char(down, value, response=True)
        assert await asyncio.wait_for(notified.get(), WITHIN_S) == value
    await peripheral.says("disconnected")
