"""The air between a real interpreter and plain bleak: what is said arrives, and what goes wrong is told to both."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import bleak
import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

from hil_tests.radio.process import RadioRefused
from protocol import codes

from .conftest import BOTH, WITHIN_S, NewRoom, Room, Scan
from .peripheral import Peripheral

_FRAME = "0102030405"
_SEED = 20260723
# Bumble asks for a supervision timeout of 0.72 s when it connects.
_SUPERVISION_S = 0.72


async def _advertising(room: Room) -> tuple[Peripheral, Scan]:
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 1, 30, _FRAME)
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


@BOTH
async def test_a_frame_is_heard_with_its_signal_strength(new_room: NewRoom) -> None:
    room = await new_room()
    await room.radio.control("rssi", name="pendant-1", gateway="gateway-1", dbm=-83)
    _, scan = await _advertising(room)
    device, advertisement = await scan.next()
    assert advertisement.manufacturer_data == {codes.COMPANY_ID: bytes.fromhex(_FRAME)}
    assert advertisement.rssi == -83
    assert device.name is None


async def test_advertisements_keep_the_interval_that_was_asked_for(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 1, 100, _FRAME)
    await scan.next()
    before, began = scan.count, time.monotonic()
    await asyncio.sleep(3)
    heard, took_s = scan.count - before, time.monotonic() - began
    # 100 ms and a random 0 to 10 ms; a busy machine may add to that, nothing takes away from it.
    assert took_s / 0.130 < heard <= took_s / 0.100 + 1


@BOTH
async def test_a_write_is_answered_by_a_notification_and_both_tell_of_the_connection(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await _advertising(room)
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
    peripheral, scan = await _advertising(room)
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
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    peripheral.tell("write", "cafe")
    async with Client(device) as client:
        assert await client.read_gatt_char(codes.UP_UUID) == b"\xca\xfe"
        with pytest.raises(BleakGATTProtocolError):
            await client.read_gatt_char(codes.DOWN_UUID)
        assert client.is_connected


@BOTH
async def test_the_wearable_ends_the_connection_and_bleak_is_told(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await _advertising(room)
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
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    began = time.monotonic()
    await room.radio.control("vanish", name="pendant-1")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    assert time.monotonic() - began >= _SUPERVISION_S
    await peripheral.says("disconnected")
    peripheral.tell("again", 30)
    with pytest.raises(TimeoutError):
        await scan.next(within_s=0.5)
    await room.radio.control("return", name="pendant-1")
    await scan.next()


async def test_a_short_absence_costs_time_and_nothing_else(new_room: NewRoom) -> None:
    room = await new_room()
    _peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    async with Client(device) as client:
        await client.listen()
        await room.radio.control("vanish", name="pendant-1")
        echo = asyncio.create_task(client.echo(b"e while away"))
        await asyncio.sleep(_SUPERVISION_S / 4)
        assert not echo.done()
        await room.radio.control("return", name="pendant-1")
        assert await echo == b"e while away"
        await asyncio.sleep(_SUPERVISION_S * 1.5)
        assert await client.echo(b"e still here") == b"e still here"


async def test_a_write_in_flight_ends_as_an_error_when_the_wearable_vanishes(new_room: NewRoom) -> None:
    room = await new_room()
    _, scan = await _advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    await room.radio.control("vanish", name="pendant-1")
    with pytest.raises(BleakError):
        await asyncio.wait_for(client.write_gatt_char(codes.DOWN_UUID, b"into nothing", response=True), WITHIN_S)
    assert client.gone.is_set()


@BOTH
async def test_with_half_of_all_packets_lost_everything_still_arrives_in_order(new_room: NewRoom) -> None:
    room = await new_room(seed=_SEED)
    peripheral, scan = await _advertising(room)
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


async def test_a_lost_connection_request_fails_in_bluez_words_and_goes_through_in_clean_air(new_room: NewRoom) -> None:
    room = await new_room(seed=_SEED)
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await room.radio.control("loss", value=0.9)

    async def connect_again_and_again() -> None:
        while True:
            await client.connect()
            await client.disconnect()
            peripheral.tell("again", 30)

    with pytest.raises(BleakDBusError, match="le-connection-abort-by-local"):
        await asyncio.wait_for(connect_again_and_again(), WITHIN_S * 3)
    assert not client.gone.is_set()
    await room.radio.control("loss", value=0)
    peripheral.tell("again", 30)
    await client.connect()
    await peripheral.says("mtu")
    await client.disconnect()


async def test_the_share_of_advertisements_that_was_asked_for_is_lost(new_room: NewRoom) -> None:
    room = await new_room(seed=_SEED)
    scan = await room.scan()
    await room.radio.control("loss", value=0.5)
    await room.radio.control("flood", per_s=400, for_s=1)
    await room.radio.control("loss", value=0.5)
    await asyncio.sleep(1.2)
    await room.radio.control("loss", value=0)
    await room.radio.control("inject", frame="0e")
    await scan.next(b"\x0e")
    assert 150 <= scan.count - 1 <= 250  # 200, and five standard deviations of ten


async def test_answers_wait_for_the_connection_events_and_for_the_delay(new_room: NewRoom) -> None:
    room = await new_room(interval_ms=100)
    _, scan = await _advertising(room)
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


async def test_who_speaks_another_language_on_the_socket_is_shown_out(new_room: NewRoom) -> None:
    room = await new_room()
    for words in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"wearable x\n\x00\x00",
        b"wearable x\n\x05\x00\x77abcd",
        b"\xff" * 70_000,
    ):
        reader, writer = await asyncio.open_unix_connection(room.radio.wearables_socket)
        writer.write(words)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), WITHIN_S)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    _, scan = await _advertising(room)
    await scan.next()


async def test_two_gateways_hear_one_wearable_each_as_strongly_as_it_should(new_room: NewRoom) -> None:
    room = await new_room(gateways=("gateway-1", "gateway-2"))
    await room.radio.control("rssi", name="pendant-1", gateway="gateway-2", dbm=-90)
    peripheral = await room.peripheral()
    near, far = await room.scan("gateway-1"), await room.scan("gateway-2")
    peripheral.tell("advertise", 1, 30, _FRAME)
    (_, strong), (_, weak) = await near.next(), await far.next()
    assert (strong.rssi, weak.rssi) == (-60, -90)


async def test_a_jammed_gateway_hears_nothing_until_the_jammer_goes(new_room: NewRoom) -> None:
    room = await new_room(gateways=("gateway-1", "gateway-2"))
    peripheral = await room.peripheral()
    jammed, free = await room.scan("gateway-1"), await room.scan("gateway-2")
    await room.radio.control("deaf", name="gateway-1", value=True)
    peripheral.tell("advertise", 1, 30, _FRAME)
    await free.next()
    assert jammed.count == 0
    await room.radio.control("deaf", name="gateway-1", value=False)
    await jammed.next()


@BOTH
async def test_who_advertises_without_being_connectable_is_heard_and_cannot_be_connected_to(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral = await room.peripheral()
    scan = await room.scan()
    peripheral.tell("advertise", 0, 30, _FRAME)
    device, _ = await scan.next()
    with pytest.raises(TimeoutError):
        await Client(device, timeout=1.0).connect()
    # The attempt is over: the adapter is free for the next.
    peripheral.tell("advertise", 1, 30, _FRAME)
    async with Client(device):
        await peripheral.says("connected")


@BOTH
async def test_each_new_private_address_is_another_and_no_gateway_can_tell_it_is_the_same(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral = await room.peripheral()
    scan = await room.scan()
    seen = set()
    for number in range(3):
        peripheral.tell("silent")
        peripheral.tell("address", 3)
        kind, address = await peripheral.says("address")
        assert kind == "1"
        assert int(address[:2], 16) >> 6 == 0  # non-resolvable: Core Specification, Vol 6 Part B 1.3.2.2
        peripheral.tell("advertise", 1, 30, f"0{number}")
        device, _ = await scan.next(bytes([number]))
        assert device.address.replace(":", "").lower() == address
        seen.add(address)
    assert len(seen) == 3


@BOTH
async def test_a_new_address_while_advertising_is_refused(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    peripheral.tell("address", 3)
    assert await peripheral.says("error") == ["16"]  # EBUSY; a board would stop with an assertion
    assert (await scan.next())[0].address == device.address


async def test_the_hostile_radio_is_heard_saying_what_it_likes(new_room: NewRoom) -> None:
    room = await new_room()
    scan = await room.scan()
    await room.radio.control("inject", frame="ff" * 24, address="11:22:33:44:55:66")
    device, _advertisement = await scan.next(b"\xff" * 24)
    assert device.address == "11:22:33:44:55:66"
    await room.radio.control("inject", data="02010609ffffff01")  # a length that leads beyond the end
    await room.radio.control("inject", frame="02", times=3)
    await scan.next(b"\x02")


async def test_what_was_recorded_can_be_replayed_when_its_wearable_is_long_silent(new_room: NewRoom) -> None:
    room = await new_room()
    peripheral, scan = await _advertising(room)
    first, _ = await scan.next()
    peripheral.tell("off")
    await peripheral.says("off")
    assert await room.radio.control("replay", name="pendant-1") == 1
    async with asyncio.timeout(WITHIN_S):
        while (await scan.next(bytes.fromhex(_FRAME)))[0].address == first.address:
            pass  # heard before it fell silent


async def test_a_flood_keeps_its_rate(new_room: NewRoom) -> None:
    room = await new_room()
    scan = await room.scan()
    began = time.monotonic()
    assert await room.radio.control("flood", per_s=200, for_s=1) == 200
    async with asyncio.timeout(WITHIN_S):
        while scan.count < 200:
            await asyncio.sleep(0.05)
    assert scan.count == 200
    assert time.monotonic() - began >= 0.9


@BOTH
async def test_a_wearable_that_dies_is_lost_and_comes_back_to_the_same_place(new_room: NewRoom) -> None:
    room = await new_room()
    await room.radio.control("rssi", name="pendant-1", gateway="gateway-1", dbm=-71)
    peripheral, scan = await _advertising(room)
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
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    began = time.monotonic()
    peripheral.tell("off")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    assert time.monotonic() - began < _SUPERVISION_S
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
    gone = asyncio.create_task(Client(devices[0], timeout=3.0).connect())
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
    peripheral, scan = await _advertising(room)
    device, _ = await scan.next()
    for delay_s in (0.0, 0.02, 0.05, 0.1, 0.2):
        attempt = asyncio.create_task(Client(device).connect())
        await asyncio.sleep(delay_s)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        peripheral.tell("again", 30)
    async with asyncio.timeout(WITHIN_S):
        while True:
            peripheral.tell("again", 30)
            try:
                async with Client(device, timeout=2.0) as client:
                    await client.listen()
                    assert await client.echo(b"e free") == b"e free"
                    return
            except (BleakError, TimeoutError):
                continue


async def test_when_the_radio_process_dies_bleak_says_so_and_the_next_one_is_found(new_room: NewRoom) -> None:
    room = await new_room()
    _, scan = await _advertising(room)
    device, _ = await scan.next()
    client = Client(device)
    await client.connect()
    await room.radio.kill()
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    with pytest.raises(BleakError):
        await client.write_gatt_char(codes.DOWN_UUID, b"late", response=True)
    with pytest.raises(BleakError):
        await Client(device, timeout=2.0).connect()


async def test_repeats_and_reordering_reach_the_listener(new_room: NewRoom) -> None:
    room = await new_room(seed=_SEED)
    scan = await room.scan()
    await room.radio.control("repeats", value=2)
    await room.radio.control("inject", frame="01")
    async with asyncio.timeout(WITHIN_S):
        while scan.count < 3:
            await asyncio.sleep(0.02)
    await room.radio.control("repeats", value=0)
    await room.radio.control("reorder", value=1)
    await room.radio.control("inject", frame="02")
    await asyncio.sleep(0.1)
    assert scan.count == 3
    await room.radio.control("inject", frame="03")
    async with asyncio.timeout(WITHIN_S):
        while scan.count < 5:
            await asyncio.sleep(0.02)
    assert scan.frames[3:] == [b"\x03", b"\x02"]


async def test_a_request_that_cannot_be_met_is_refused_and_the_radio_goes_on(new_room: NewRoom) -> None:
    room = await new_room()
    for request in ({"do": "loss", "value": 2}, {"do": "loss"}, {"do": "dance"}, {"do": "inject", "frame": "zz"}):
        with pytest.raises(RadioRefused):
            await room.radio.control(**request)
    state = await room.radio.state("gateway-1")
    assert state is None  # nobody has plugged it in
    await room.scan()
    state = await room.radio.state("gateway-1")
    assert state is not None
    assert state["scanning"] is True
