"""Whoever goes, by disconnecting, vanishing or dying, both ends are told, and it can come back."""

from __future__ import annotations

import asyncio
import time

import pytest
from bleak.exc import BleakDBusError, BleakError

from protocol import codes

from .conftest import BOTH, WITHIN_S, NewRoom
from .visitor import SEED, SUPERVISION_S, Client, advertising

# A try that comes to nothing, on a busy machine, takes some 4 s: two to be given up, two for the controller to agree.
_TRIES = 4


@BOTH
async def test_the_wearable_ends_the_connection_and_bleak_is_told(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    peripheral.tell("disconnect")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    await peripheral.says("disconnected")
    assert not client.is_connected
    with pytest.raises(BleakError):
        await client.write_gatt_char(codes.DOWN_UUID, b"late", response=True)


async def test_who_vanishes_is_lost_to_both_ends_after_the_supervision_timeout(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    began = time.monotonic()
    await room.radio.control("vanish", name="pendant-1")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    assert time.monotonic() - began >= SUPERVISION_S
    await peripheral.says("disconnected")
    peripheral.tell("again", 30)
    with pytest.raises(TimeoutError):
        await scan.next(within_s=0.5)
    await room.radio.control("return", name="pendant-1")
    await scan.next()


async def test_a_short_absence_costs_time_and_nothing_else(new_room: NewRoom) -> None:
    room = await new_room()
    _peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        await client.listen()
        await room.radio.control("vanish", name="pendant-1")
        echo = asyncio.create_task(client.echo(b"e while away"))
        await asyncio.sleep(SUPERVISION_S / 4)
        assert not echo.done()
        await room.radio.control("return", name="pendant-1")
        assert await echo == b"e while away"
        await asyncio.sleep(SUPERVISION_S * 1.5)
        assert await client.echo(b"e still here") == b"e still here"


async def test_a_write_in_flight_ends_as_an_error_when_the_wearable_vanishes(new_room: NewRoom) -> None:
    room = await new_room()
    _, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    await room.radio.control("vanish", name="pendant-1")
    with pytest.raises(BleakError):
        await asyncio.wait_for(client.write_gatt_char(codes.DOWN_UUID, b"into nothing", response=True), WITHIN_S)
    assert client.gone.is_set()


async def test_a_lost_connection_request_fails_in_bluez_words_and_goes_through_in_clean_air(new_room: NewRoom) -> None:
    room = await new_room(seed=SEED)
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    # One for each attempt: a connection that comes about in such air may be lost before it is ended.
    clients: list[Client] = []
    await room.radio.control("loss", value=0.9)

    async def connect_again_and_again() -> None:
        while True:
            clients.append(Client(device))
            await clients[-1].connect()
            await clients[-1].disconnect()
            peripheral.tell("again", 30)

    with pytest.raises(BleakDBusError, match="le-connection-abort-by-local"):
        await asyncio.wait_for(connect_again_and_again(), WITHIN_S * 3)
    assert not clients[-1].gone.is_set()
    client = Client(device)
    await room.radio.control("loss", value=0)
    peripheral.tell("again", 30)
    await client.connect()
    await peripheral.says("mtu")
    await client.disconnect()


@BOTH
async def test_a_wearable_that_dies_is_lost_and_comes_back_to_the_same_place(new_room: NewRoom) -> None:
    room = await new_room()
    await room.radio.control("rssi", name="pendant-1", gateway="gateway-1", dbm=-71)
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    await peripheral.child.kill()
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    again = await room.peripheral()
    again.tell("advertise", 1, 30, "0a")
    device, advertisement = await scan.next(b"\x0a")
    assert advertisement.rssi == -71
    async with Client(device):
        await again.says("connected")


@BOTH
async def test_switching_bluetooth_off_disconnects_properly_and_on_begins_anew(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    began = time.monotonic()
    peripheral.tell("off")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    assert time.monotonic() - began < SUPERVISION_S
    peripheral.tell("on")
    await peripheral.says("ready")
    peripheral.tell("advertise", 1, 30, "0b")
    device, _ = await scan.next(b"\x0b")
    async with Client(device) as client:
        await client.listen()
        assert await client.echo(b"e again") == b"e again"


async def test_several_wearables_are_connected_at_once_and_one_that_has_left_keeps_nobody_waiting(
    new_room: NewRoom,
) -> None:
    room = await new_room()
    scan = await room.scan()
    peripherals = [await room.peripheral(f"pendant-{number}") for number in range(4)]
    devices = []
    for number, peripheral in enumerate(peripherals):
        peripheral.tell("advertise", 1, 30, f"0{number}")
        devices.append((await scan.next(bytes([number])))[0])
    await room.radio.control("vanish", name="pendant-0")
    # Long enough for the others on a machine that is busy with everything else.
    gone = asyncio.create_task(Client(devices[0], timeout=10.0).connect())
    clients = [Client(device) for device in devices[1:]]
    await asyncio.gather(*(client.connect() for client in clients))
    await asyncio.gather(*(client.listen() for client in clients))
    assert not gone.done()
    values = [b"e%d" % number for number in range(3)]
    assert await asyncio.gather(*(c.echo(v) for c, v in zip(clients, values, strict=True))) == values
    with pytest.raises(TimeoutError):
        await gone
    for client in clients:
        await client.disconnect()


async def test_an_attempt_that_is_cancelled_leaves_the_adapter_free(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    for delay_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        attempt = asyncio.create_task(Client(device).connect())
        await asyncio.sleep(delay_s)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        peripheral.tell("again", 30)
    async with asyncio.timeout(_TRIES * WITHIN_S):
        while True:
            peripheral.tell("again", 30)
            try:
                async with Client(device, timeout=2.0) as client:
                    await client.listen()
                    assert await client.echo(b"e free") == b"e free"
                    return
            except (BleakError, TimeoutError):
                continue


async def test_an_attempt_that_is_cancelled_in_the_moment_it_succeeds_keeps_nobody_out(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await advertising(room)
    device, _ = await scan.next()
    host = await room.adapter.open()
    for turns in range(6):
        attempt = asyncio.create_task(Client(device).connect())

        def cancel(left: int, attempt: asyncio.Task[None] = attempt) -> None:
            """So many turns of the loop after the connection stood."""
            if left:
                asyncio.get_running_loop().call_soon(cancel, left - 1)
            else:
                attempt.cancel()

        host.once(host.EVENT_CONNECTION, lambda _, turns=turns, cancel=cancel: cancel(turns))
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await peripheral.says("disconnected")
        peripheral.tell("again", 30)


async def test_when_the_radio_process_dies_bleak_says_so_and_the_next_one_is_found(new_room: NewRoom) -> None:
    room = await new_room()
    _, scan = await advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    await room.radio.kill()
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    with pytest.raises(BleakError):
        await client.write_gatt_char(codes.DOWN_UUID, b"late", response=True)
    with pytest.raises(BleakError):
        await Client(device, timeout=2.0).connect()
