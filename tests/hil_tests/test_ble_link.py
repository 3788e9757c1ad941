"""The daemon's Bluetooth link on a real interpreter's peripheral: scan, visits, and what a bad air does to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from edge_daemon.config import Ble
from edge_daemon.heard import Heard
from edge_daemon.links.ble_ear import EarLimits
from edge_daemon.links.ble_link import Care
from edge_daemon.links.ble_recovery import Patience
from hil_tests.gateway.client import BumbleClient
from protocol import fragments

from .conftest import WITHIN_S, NewRoom, Room
from .link_at_work import Link
from .peripheral import Peripheral

_SEED = 20260723
_INTERVAL_MS = 30


NewLink = Callable[..., Awaitable[Link]]


@pytest.fixture
async def new_link() -> AsyncIterator[NewLink]:
    links: list[Link] = []

    async def open_link(room: Room, **settings: float) -> Link:
        room.use()
        links.append(Link(Ble(**{"linger_s": 2.0, **settings})))  # type: ignore[arg-type]
        await asyncio.wait_for(links[-1].scanning.wait(), WITHIN_S)
        return links[-1]

    yield open_link
    for link in links:
        await link.close()


async def _heard(room: Room, link: Link, frame: bytes = b"question") -> tuple[Peripheral, Heard]:
    peripheral = await room.peripheral()
    peripheral.tell("advertise", 1, _INTERVAL_MS, frame.hex())
    return peripheral, await link.hears(frame)


async def _written(peripheral: Peripheral) -> bytes:
    """The next whole frame that was written to the wearable."""
    joiner = fragments.Joiner()
    while True:
        frame = joiner.feed(bytes.fromhex((await peripheral.says("value"))[0]))
        if frame is not None:
            return frame


async def test_a_burst_is_heard_once(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral, heard = await _heard(room, link)
    assert (heard.link, heard.rssi_dbm) == ("ble", -60)
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"next".hex())
    await link.hears(b"next")
    assert [one.frame for one in link.heard] == [b"question", b"next"]


async def test_an_answer_makes_a_visit_and_news_go_by_the_same_one(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral, heard = await _heard(room, link)
    assert not heard.path.live
    heard.path.send(b"stored")
    assert heard.path.live
    assert await _written(peripheral) == b"stored"
    heard.path.send(b"accepted")
    assert await _written(peripheral) == b"accepted"
    await peripheral.says("disconnected")
    assert link.counters.snapshot()["visits"] == 1
    async with asyncio.timeout(WITHIN_S):
        while heard.path.live:
            await asyncio.sleep(0.02)


async def test_a_frame_longer_than_the_smallest_mtu_is_cut_and_joined_both_ways(
    new_room: NewRoom, new_link: NewLink
) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral = await room.peripheral()
    peripheral.tell("mtu", 23)
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"q".hex())
    heard = await link.hears(b"q")
    answer = bytes(range(100))
    heard.path.send(answer)
    assert await _written(peripheral) == answer
    question = bytes(range(100, 200))
    for piece in fragments.split(question, 20):
        peripheral.tell("notify", piece.hex())
    notified = await link.hears(question)
    assert notified.rssi_dbm is None
    notified.path.send(b"by the same visit")
    assert await _written(peripheral) == b"by the same visit"
    assert link.counters.snapshot()["visits"] == 1


async def test_a_wearable_that_has_left_fails_its_own_visit_only(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room, connect_timeout_s=1.0)
    gone, heard = await _heard(room, link)
    await room.radio.control("vanish", name="pendant-1")
    heard.path.send(b"into nothing")
    other = await room.peripheral("pendant-2")
    other.tell("advertise", 1, _INTERVAL_MS, b"other".hex())
    (await link.hears(b"other")).path.send(b"answer")
    assert await _written(other) == b"answer"
    await link.counts("visits_failed")
    assert not heard.path.live
    await room.radio.control("return", name="pendant-1")
    gone.tell("advertise", 1, _INTERVAL_MS, b"again".hex())
    (await link.hears(b"again")).path.send(b"now")
    assert await _written(gone) == b"now"


async def test_more_wearables_than_places_all_get_their_answer(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room, max_connections=2, linger_s=10.0)
    peripherals = [await room.peripheral(f"pendant-{number}") for number in range(5)]
    for number, peripheral in enumerate(peripherals):
        peripheral.tell("advertise", 1, 100, bytes([number]).hex())
    for number in range(5):
        (await link.hears(bytes([number]))).path.send(b"answer %d" % number)
    written = await asyncio.gather(*(_written(peripheral) for peripheral in peripherals))
    assert written == [b"answer %d" % number for number in range(5)]
    assert link.counters.snapshot()["visits"] == 5


async def test_a_visit_that_breaks_is_counted_and_the_next_question_begins_another(
    new_room: NewRoom, new_link: NewLink
) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral, heard = await _heard(room, link)
    heard.path.send(b"first")
    assert await _written(peripheral) == b"first"
    peripheral.tell("disconnect")
    await peripheral.says("disconnected")
    peripheral.tell("silent")
    peripheral.tell("address", 3)
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"from elsewhere".hex())
    (await link.hears(b"from elsewhere")).path.send(b"second")
    assert await _written(peripheral) == b"second"
    assert link.counters.snapshot()["visits"] == 2


async def test_a_lost_connection_request_does_not_end_the_visit(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room(seed=_SEED)
    link = await new_link(room)
    peripherals = [await room.peripheral(f"pendant-{number}") for number in range(6)]
    for number, peripheral in enumerate(peripherals):
        peripheral.tell("advertise", 1, _INTERVAL_MS, bytes([number]).hex())
        await link.hears(bytes([number]))
    await room.radio.control("loss", value=0.5)
    for number, peripheral in enumerate(peripherals):
        (await link.hears(bytes([number]))).path.send(b"answer %d" % number)
        assert await _written(peripheral) == b"answer %d" % number
    assert link.counters.snapshot().get("visits_failed", 0) == 0


async def test_who_comes_without_our_service_is_left_at_once(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral = await room.peripheral()
    peripheral.tell("bare")
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"impostor".hex())
    (await link.hears(b"impostor")).path.send(b"answer")
    await link.counts("visits_broken")
    await peripheral.says("disconnected")


async def test_what_a_visit_did_not_expect_is_counted_and_the_next_one_goes_through(
    new_room: NewRoom, new_link: NewLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await new_room()
    link = await new_link(room)
    peripheral, heard = await _heard(room, link)
    with monkeypatch.context() as broken:
        broken.setattr(BumbleClient, "start_notify", _break)
        heard.path.send(b"lost")
        await link.counts("visits_broken")
    await peripheral.says("disconnected")
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"again".hex())
    (await link.hears(b"again")).path.send(b"answer")
    assert await _written(peripheral) == b"answer"


async def _break(*_: object) -> None:
    raise AttributeError("as bleak does now and then when a connection goes under its hands")


async def test_an_adapter_that_comes_later_is_found(new_room: NewRoom) -> None:
    room = await new_room(gateways=())
    room.use("not-there-yet")
    link = Link(Ble(recovery=["scan"]))
    try:
        await link.counts("scan_failed")
        assert link.link.states()[0]["state"] == "down"
        (await new_room()).use()
        await asyncio.wait_for(link.scanning.wait(), WITHIN_S)
        assert link.link.states()[0]["state"] == "up"
    finally:
        await link.close()


async def test_a_scan_that_got_stuck_is_noticed_and_begun_anew(new_room: NewRoom, new_link: NewLink) -> None:
    """In a house of which nothing is known yet; what a restart does not cure, see test_bluez_recovery.py."""
    room = await new_room()
    link = await new_link(room, silent_s=2.0, recovery=["scan"])
    peripheral, _ = await _heard(room, link)
    await room.radio.control("stuck", name="gateway-1")
    peripheral.tell("advertise", 1, _INTERVAL_MS, b"unheard".hex())
    await link.until(lambda: link.state == "quiet")
    await link.hears(b"unheard")
    assert link.count("scan_restarts_quiet") == 1
    assert link.count("scan_failed") == 0


async def test_a_jammed_adapter_is_told_when_nothing_helps_and_what_ends_it_too(new_room: NewRoom) -> None:
    room = await new_room()
    room.use()
    care = Care(ear=EarLimits(unknown_s=2.0), patience=Patience(waits_s={"scan": 0.5}, again_first_s=0.5))
    link = Link(Ble(silent_s=1.0, recovery=["scan"]), care)
    try:
        await asyncio.wait_for(link.scanning.wait(), WITHIN_S)
        await _heard(room, link)
        await link.until(lambda: link.told == [False])
        await room.radio.control("deaf", name="gateway-1", value=True)
        await link.until(lambda: link.told == [False, True], 30)
        assert link.notes[1].startswith("no_heartbeat, silent ")
        assert link.state == "deaf"
        await room.radio.control("deaf", name="gateway-1", value=False)
        await link.until(lambda: link.told == [False, True, False])
    finally:
        await link.close()


async def test_closing_ends_visits_under_way(new_room: NewRoom, new_link: NewLink) -> None:
    room = await new_room()
    link = await new_link(room, linger_s=60.0)
    peripheral, heard = await _heard(room, link)
    heard.path.send(b"stored")
    assert await _written(peripheral) == b"stored"
    await link.close()
    await peripheral.says("disconnected")
