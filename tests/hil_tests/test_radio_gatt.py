"""A connection on the simulated air: what is written, read and notified arrives, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
import time

import pytest
from bleak.exc import BleakGATTProtocolError

from protocol import codes

from .conftest import BOTH, WITHIN_S, NewRoom
from .visitor import FRAME, SEED, Client, advertising


@BOTH
async def test_a_write_is_answered_by_a_notification_and_both_tell_of_the_connection(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        await peripheral.says("connected")
        assert (await peripheral.says("mtu"))[1] == "247"
        await client.listen()
        down = client.services.get_characteristic(codes.DOWN_UUID)
        assert down is not None
        assert down.max_write_without_response_size == 244
        value = b"e" + bytes(range(243))
        assert await client.echo(value) == value
    await peripheral.says("disconnected")
    assert client.gone.is_set()


@BOTH
async def test_a_value_longer_than_the_buffer_is_cut_as_nimble_cuts_it(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        peripheral.tell("buffer", 10)
        await client.write_gatt_char(codes.DOWN_UUID, bytes(range(30)), response=True)
        assert await peripheral.says("value") == [bytes(range(10)).hex()]


@BOTH
async def test_reading_gives_what_the_firmware_wrote_and_reading_what_is_not_readable_is_refused(
    new_room: NewRoom,
) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    peripheral.tell("write", "cafe")
    async with Client(device) as client:
        assert await client.read_gatt_char(codes.UP_UUID) == b"\xca\xfe"
        with pytest.raises(BleakGATTProtocolError):
            await client.read_gatt_char(codes.DOWN_UUID)
        assert client.is_connected


@BOTH
async def test_with_half_of_all_packets_lost_everything_still_arrives_in_order(new_room: NewRoom) -> None:
    room = await new_room(seed=SEED)
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        await client.listen()
        await room.radio.control("loss", value=0.5)
        for number in range(10):
            value = b"e%d" % number
            assert await client.echo(value) == value
        peripheral.tell("disconnect")
        await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    await peripheral.says("disconnected")
    peripheral.tell("again", 30)
    await scan.next()


async def test_answers_wait_for_the_connection_events_and_for_the_delay(new_room: NewRoom) -> None:
    room = await new_room(interval_ms=100)
    _, scan = await advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        await client.listen()
        await client.echo(b"e to be in step")
        began = time.monotonic()
        await client.echo(b"e")
        assert time.monotonic() - began >= 0.1
        await room.radio.control("delay", ms=300)
        began = time.monotonic()
        await client.echo(b"e")
        assert time.monotonic() - began >= 0.6


@BOTH
async def test_who_advertises_without_being_connectable_is_heard_and_cannot_be_connected_to(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 0, 30, FRAME)
    device, _ = await scan.next()
    with pytest.raises(TimeoutError):
        await Client(device, timeout=1.0).connect()
    # The attempt is over: the adapter is free for the next.
    peripheral.tell("advertise", 1, 30, FRAME)
    async with Client(device):
        await peripheral.says("connected")
