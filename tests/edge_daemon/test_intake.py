"""From a frame to a commit and a true answer."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from protocol import codes, messages

from .core import core, told
from .schemas import check
from .wearer import Wearer

STORED, ACCEPTED, HEARD = codes.STORED, codes.ACCEPTED, codes.HEARD


async def test_stored_is_told_after_the_commit_and_not_before(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, write=False) as home:
        home.hear(wearer, wearer.event())
        for _ in range(100):
            await asyncio.sleep(0)
        assert wearer.path.sent == []
        home.write()
        assert await told(wearer) == [(STORED, 1)]
        assert home.count("commits") == 1


async def test_one_press_by_both_links_is_one_event_and_each_way_has_its_answer(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.event(number=5), "serial")
        home.hear(wearer, wearer.event(number=5), "ble")
        assert await told(wearer) == [(STORED, 5)]
        assert await told(wearer, 1, wearer.ble) == [(STORED, 5)]
        assert list(home.journal.alarms) == [(wearer.handle, 5)]
        await home.uplink.until(1)
        assert home.uplink.events() == [[f"{wearer.handle}-000005"]]


async def test_a_wearable_that_left_its_cradle_is_answered_by_radio(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.hello(), "serial")
        assert await told(wearer) == [(HEARD, 0)]
        wearer.ble.live = False
        assert wearer.path.live, "the cradle's port stays open"
        home.hear(wearer, wearer.event(), "ble")
        assert await told(wearer, 1, wearer.ble) == [(STORED, 1)]


async def test_news_goes_by_every_way_that_is_open(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.event(), "serial")
        await told(wearer)
        home.hear(wearer, wearer.hello(1), "ble")
        await told(wearer, 1, wearer.ble)
        home.platform_says(f"{wearer.handle}-000001", "accepted")
        assert (await told(wearer, 2))[1:] == [(ACCEPTED, 1)]
        assert (await told(wearer, 2, wearer.ble))[1:] == [(ACCEPTED, 1)]
        wearer.ble.live = False
        home.platform_says(f"{wearer.handle}-000001", "closed")
        assert (await told(wearer, 3))[2:] == [(codes.CLOSED, 1)]
        assert len(wearer.ble.sent) == 2, "nobody is visited for news: the next question brings it"
        home.hear(wearer, wearer.hello(1), "ble")
        assert (await told(wearer, 3, wearer.ble))[2:] == [(codes.CLOSED, 1)]


async def test_news_after_a_restart_goes_by_every_serial_port_until_the_wearable_is_heard(tmp_path: Path) -> None:
    wearer, other = Wearer(), Wearer("b")
    async with core(tmp_path, wearer, other) as home:
        home.hear(wearer, wearer.event())
        await told(wearer)
        home.platform_says(f"{wearer.handle}-000001", "accepted")
    wearer.path.sent.clear()
    async with core(tmp_path, wearer, other) as home:
        ports = [wearer.path, other.path]
        home.replies.serial_ports = lambda: ports
        home.platform_says(f"{wearer.handle}-000001", "answered")
        assert await told(wearer) == [(codes.ANSWERED, 1)]
        assert [other.open(sealed) for sealed in other.path.sent] == [None], "it is sealed"
        home.hear(wearer, wearer.hello(1))
        home.platform_says(f"{wearer.handle}-000001", "closed")
        assert (await told(wearer, 3))[1:] == [(codes.ANSWERED, 1), (codes.CLOSED, 1)]
        assert len(other.path.sent) == 1, "now it is known where the wearable is"


async def test_news_of_what_is_not_on_disk_is_not_told_as_a_denial(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, write=False) as home:
        home.hear(wearer, wearer.event())
        await home.uplink.until(1)
        home.platform_says(f"{wearer.handle}-000001", "busy", retry_after_s=60)
        assert wearer.path.sent == []
        home.write()
        assert await told(wearer) == [(codes.BUSY, 1)]


async def test_a_hello_that_asks_of_no_event_is_told_all_that_is_open(tmp_path: Path) -> None:
    wearer = Wearer()
    body = bytearray(messages.HELLO_SIZE)
    messages.pack_hello(body, 0, codes.HELLO_ASKS_STATE, 0, 0, 11, 0)
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, wearer.event())
        await told(wearer)
        home.hear(wearer, wearer.seal(codes.HELLO, bytes(body)))
        assert (await told(wearer, 3))[1:] == [(STORED, 1), (HEARD, 0)]


async def test_a_known_event_is_answered_with_its_present_stage_and_stored_once(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        for _ in range(3):
            home.hear(wearer, wearer.event(number=9))
        await told(wearer, 3)
        home.platform_says(f"{wearer.handle}-000009", "answered")
        home.hear(wearer, wearer.event(number=9))
        assert (await told(wearer, 5))[-1] == (codes.ANSWERED, 9)
        await home.uplink.until(1)
        assert home.uplink.events() == [[f"{wearer.handle}-000009"]]


async def test_a_restart_in_between_changes_nothing(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        pressed = wearer.event()
        home.hear(wearer, pressed)
        await told(wearer)
    wearer.path.sent.clear()
    async with core(tmp_path, wearer) as home:
        home.hear(wearer, pressed)
        assert home.count("refused_repeat") == 1
        await home.uplink.until(1)
        home.platform_says(f"{wearer.handle}-000001", "accepted")
        home.hear(wearer, wearer.event(number=1))
        assert await told(wearer) == [(ACCEPTED, 1)]


async def test_a_failing_disk_keeps_stored_back_and_not_the_alarm(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        async with home.failing_disk():
            home.hear(wearer, wearer.event())
            message = (await home.uplink.until(1))[0]
            assert message["events"][0]["stored"] is False
            assert wearer.path.sent == []
            home.platform_says(f"{wearer.handle}-000001", "accepted")
            assert await told(wearer) == [(ACCEPTED, 1)], "what the platform has stored may be told"
        commits = home.count("commits")
        async with asyncio.timeout(20):
            while home.count("commits") == commits:
                await asyncio.sleep(0.01)
    async with core(tmp_path, wearer) as home:
        assert home.journal.alarms[wearer.handle, 1].stage == ACCEPTED, "the journal went on trying by itself"


async def test_an_alarm_that_failed_to_be_stored_is_stored_when_it_is_asked_again(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        async with home.failing_disk():
            home.hear(wearer, wearer.event(number=3))
            await home.uplink.until(1)
        home.hear(wearer, wearer.event(number=3))
        assert await told(wearer) == [(STORED, 3)]
        assert home.uplink.events() == [[f"{wearer.handle}-000003"]]


async def test_a_hanging_disk_does_not_hold_the_alarm_back(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer, write=False) as home:
        home.hear(wearer, wearer.event())
        message = (await home.uplink.until(1))[0]
        assert message["events"][0]["stored"] is False
        assert wearer.path.sent == []
        home.write()
        assert await told(wearer) == [(STORED, 1)]
        assert home.uplink.events() == [[f"{wearer.handle}-000001"]], "sent once, not again because it was stored"


async def test_what_is_genuine_and_not_understood_is_kept_raw_and_raised(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    wearer = Wearer()
    bodies = [chance.randbytes(chance.randrange(0, 40)) for _ in range(150)]
    bodies += [bytes(n) for n in range(8)] + [bytes([codes.SOS, 0, 0, 1, 0, 0, 0, 9])]
    async with core(tmp_path, wearer) as home:
        for body in bodies:
            home.hear(wearer, wearer.seal(codes.EVENT, body))
        assert home.count("frames_admitted") == len(bodies)
        await told(wearer, len(bodies))
        async with asyncio.timeout(20):
            while len({e for events in home.uplink.events() for e in events}) < len(home.journal.alarms):
                await asyncio.sleep(0.01)
        known = 0
        for message in home.uplink.messages():
            check("event", message)
            for row in message["events"]:
                known += row["raw"] is None
                if row["raw"] is not None:
                    assert row["kind"] == "not_understood"
                    assert row["class"] == "emergency"
                    assert bytes.fromhex(row["raw"]) in bodies
        assert known < len(bodies) / 2
        assert home.count("intake_failed") == 0
        assert home.count("not_understood") > 0


async def test_the_same_unreadable_body_again_is_the_same_event(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        for _ in range(3):
            home.hear(wearer, wearer.seal(codes.EVENT, b"\x01\x02"))
        home.hear(wearer, wearer.seal(codes.EVENT, b"\x01\x03"))
        await told(wearer, 4)
        assert len(home.journal.alarms) == 2


async def test_hello_is_told_all_that_is_open_and_unknown_numbers_as_heard(tmp_path: Path) -> None:
    wearer, other = Wearer("a"), Wearer("b")
    async with core(tmp_path, wearer, other) as home:
        for number in (1, 2):
            home.hear(wearer, wearer.event(number=number))
        home.hear(other, other.event(number=7))
        await told(wearer, 2)
        home.platform_says(f"{wearer.handle}-000002", "closed")
        await told(wearer, 3)
        wearer.path.sent.clear()
        home.hear(wearer, wearer.hello(2))
        assert await told(wearer, 2) == [(STORED, 1), (codes.CLOSED, 2)]
        wearer.path.sent.clear()
        home.hear(wearer, wearer.hello(99))
        assert await told(wearer, 2) == [(STORED, 1), (HEARD, 99)]


async def test_garbage_of_every_type_does_no_harm(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:
        for frame_type in range(8):
            for size in (0, 1, 3, 6, 7, 16, 17, 40):
                home.hear(wearer, wearer.seal(frame_type, bytes(size)))
        home.hear(wearer, wearer.event(number=77))
        async with asyncio.timeout(20):
            while (wearer.handle, 77) not in home.journal.alarms:
                await asyncio.sleep(0.01)
        assert home.count("intake_failed") == 0
        assert home.count("not_understood") > 0


async def test_whoever_fails_to_note_a_life_sign_holds_up_no_alarm(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as home:

        def fail(handle: str, link: str) -> None:
            raise RuntimeError(f"{handle} by {link}")

        home.intake.on_genuine = fail
        with pytest.raises(RuntimeError):
            home.hear(wearer, wearer.event())
        assert await told(wearer) == [(STORED, 1)]
