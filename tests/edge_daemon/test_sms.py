"""The way by SMS over a modem on a pseudo terminal that is as bad as modems are (modem.py)."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge_daemon.errors import UplinkDown
from edge_daemon.uplinks.sms.reports import State

from .modem import FakeModem
from .sms_way import NUMBERS, WITHIN_S, numbers_of, running, text


async def test_every_number_is_told_in_order_and_reports_come_back(tmp_path: Path) -> None:
    modem = FakeModem(tmp_path)
    modem.report = lambda number, reference: [(0, reference)]
    async with running(tmp_path, modem) as way:
        await way.ready()
        assert (way.uplink.registered, way.uplink.signal_dbm) == (True, -73)
        deliveries = await way.uplink.send(text())
        assert way.modem.sent == [(number, text()) for number in NUMBERS]
        await way.until(lambda: all(delivery.state is State.DELIVERED for delivery in deliveries))
        assert way.reported == [(index, State.DELIVERED) for index in range(3)]
        assert way.uplink.last_ok_ms is not None
        # The reference came round from 255 to 0 on the way.
        assert way.modem._reference == 1


@pytest.mark.parametrize("split", [False, True])
async def test_whatever_comes_in_the_middle_of_an_answer_is_no_part_of_it(tmp_path: Path, split: bool) -> None:
    modem = FakeModem(tmp_path)
    modem.trouble.split = split
    modem.trouble.noise = b"\x00\xff\xfe garbage \r\n"
    modem.trouble.amid = [
        "+CREG: 5",
        '+CEREG: 1,"1A2B","0011",7',
        "RING",
        "NO CARRIER",
        '+CMT: "+861000",,"26/11/24,12:00:00+32"',
        "OK",
        '+CMT: "+861000",,"26/11/24,12:00:00+32"',
        "ERROR",
        '+CMT: "+861000",,"26/11/24,12:00:00+32"',
        "^SYSSTART",
        "+CSQ: 99,99",
        "> ",
        "+CDS: 25",
        "+CDS: ",
        "^RSSI: 18",
    ]
    async with running(tmp_path, modem) as way:
        await way.ready()
        assert await way.send(text()) == [State.TAKEN] * 3
        assert modem.sent == [(number, text()) for number in NUMBERS]
        assert modem.starts == 1
        assert "sms_modem_lost" not in way.counters.snapshot()


@pytest.mark.parametrize("word", ["^SYSSTART", "RDY"])
async def test_a_modem_that_says_that_it_has_restarted_is_set_up_anew(tmp_path: Path, word: str) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.reboot(word)
        await way.until(lambda: way.counters.snapshot().get("sms_modem_lost") == 1)
        await way.ready()
        assert await way.send(text()) == [State.TAKEN] * 3


async def test_a_modem_that_has_restarted_and_does_not_say_so_sends_and_reports(tmp_path: Path) -> None:
    """It is in PDU mode then, echoes, reports nothing, and wants its PIN."""
    pin = tmp_path / "pin"
    pin.write_text("7391")
    pin.chmod(0o600)
    modem = FakeModem(tmp_path, pin="7391")
    modem.report = lambda number, reference: [(0, reference)]
    async with running(tmp_path, modem, pin_file=str(pin)) as way:
        await way.ready()
        modem.reboot("")
        await way.delivered(text())
        assert modem.pins == ["7391"] * 2
        modem._text_mode = modem._wants_report = modem._tells = False
        modem._echo = True
        await way.delivered(text(13))
        assert modem.starts == 2


@pytest.mark.parametrize("fate", ["hang", "reboot", "vanish"])
async def test_a_modem_that_dies_with_a_text_holds_up_no_other_number(tmp_path: Path, fate: str) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.text = ["", fate]
        sending = asyncio.create_task(way.send(text()))
        if fate == "vanish":
            await way.until(lambda: way.modem._near < 0)
            way.modem.plug()
        assert await sending == [State.TAKEN] * 3
        # The one that it died with was tried again, after the others.
        assert [number for number, _ in way.modem.sent] == [NUMBERS[0], NUMBERS[2], NUMBERS[1]]
        assert way.modem.starts == 2
        assert way.counters.snapshot()["sms_uncertain"] == 1


async def test_a_modem_that_says_ok_too_often_is_not_believed(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        way.modem.trouble.noise = b"\r\nOK\r\n"
        await way.ready()
        assert await way.send(text()) == [State.TAKEN] * 3
        way.modem.trouble.answer["text"] = ["+CMS ERROR: 30"] * 3
        assert await way.send(text(13)) == [State.REFUSED] * 3
        assert "sms_modem_lost" not in way.counters.snapshot()


async def test_a_modem_that_was_left_in_the_middle_of_a_text_does_not_send_it(tmp_path: Path) -> None:
    modem = FakeModem(tmp_path)
    modem._to, modem._got = NUMBERS[0], b"half a mess"
    async with running(tmp_path, modem) as way:
        await way.ready()
        assert "sms_modem_lost" not in way.counters.snapshot()
        assert await way.send(text()) == [State.TAKEN] * 3
        assert {told for _, told in modem.sent} == {text()}


async def test_a_radio_that_was_switched_off_is_switched_on(tmp_path: Path) -> None:
    modem = FakeModem(tmp_path)
    modem.radio = "4"
    async with running(tmp_path, modem) as way:
        await way.ready()
        assert modem.radio == "1"


async def test_a_message_that_was_taken_is_not_sent_again_when_its_end_is_lost(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.text = ["taken_hang"]
        assert await way.send(text()) == [State.TAKEN] * 3
        assert [number for number, _ in way.modem.sent] == NUMBERS


async def test_a_lost_answer_costs_time_and_no_number(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        for name in ("AT+CMGF", "AT+CSMP", "AT+CMGS"):
            way.modem.trouble.lose[name] = 1
        way.modem.sent.clear()
        assert await way.send(text()) == [State.TAKEN] * 3
        assert sorted(numbers_of(way.modem, text())) == sorted(NUMBERS)


async def test_an_answer_that_comes_too_late_is_not_taken_for_another(tmp_path: Path) -> None:
    """An OK of a command given up must not end a CMGS that the network refuses."""
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.delay_s["AT+CMGF"] = 2.3
        way.modem.trouble.answer["text"] = ["+CMS ERROR: 38"] * 12
        sending = asyncio.create_task(way.send(text()))
        await way.until(lambda: "sms_modem_lost" in way.counters.snapshot())
        way.modem.trouble.delay_s.clear()
        assert await sending == [State.REFUSED] * 3
        assert way.modem.sent == []


@pytest.mark.parametrize(
    ("refusal", "code", "tries"),
    [
        ("+CMS ERROR: 500", 500, 2),
        ("+CMS ERROR: 38", 38, 2),
        ("ERROR", None, 2),
        ("BUSY", None, 2),
        ("+CMS ERROR: 1", 1, 1),
        ("+CMS ERROR: 30", 30, 1),
    ],
)
async def test_a_refused_number_is_tried_twice_unless_it_is_for_good(
    tmp_path: Path, refusal: str, code: int | None, tries: int
) -> None:
    async with running(tmp_path, numbers=NUMBERS[:1]) as way:
        await way.ready()
        way.modem.trouble.answer["text"] = [refusal] * 5
        (delivery,) = await way.uplink.send(text())
        assert (delivery.state, delivery.code) == (State.REFUSED, code)
        assert len(way.modem.trouble.answer["text"]) == 5 - tries
        # What was refused costs nothing of the hour.
        assert way.uplink._budget.used == 0


async def test_one_refused_number_leaves_the_others(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.answer["text"] = ["+CMS ERROR: 500"]
        assert await way.send(text()) == [State.TAKEN] * 3
        assert [number for number, _ in way.modem.sent] == [NUMBERS[1], NUMBERS[2], NUMBERS[0]]


async def test_a_modem_that_refuses_everybody_is_restarted_in_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        way.modem.trouble.unknown = ("AT+CMGS",)
        async with asyncio.timeout(WITHIN_S):
            while way.modem.starts == 1:
                await way.ready()
                with contextlib.suppress(UplinkDown):
                    await way.uplink.send(text())
        assert "ATZ" in way.modem.commands
        assert way.modem.commands.index("ATZ") < way.modem.commands.index("AT+CFUN=1,1")


async def test_a_deaf_modem_is_restarted_in_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.dead = True
        await way.until(lambda: way.modem.starts == 2)
        await way.ready()
        assert await way.send(text()) == [State.TAKEN] * 3


async def test_a_modem_that_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.vanish()
        await way.until(lambda: not way.uplink.ready)
        assert way.uplink.signal_dbm is None
        with pytest.raises(UplinkDown):
            await way.uplink.send(text())
        way.modem.plug()
        await way.ready()
        assert await way.send(text()) == [State.TAKEN] * 3
        # A missing port is no reason to restart anything.
        assert "AT+CFUN=1,1" not in way.modem.commands


async def test_without_a_network_it_is_not_ready_and_tries_all_the_same(tmp_path: Path) -> None:
    modem = FakeModem(tmp_path)
    modem.registration, modem.rssi = "2", "99,99"
    async with running(tmp_path, modem) as way:
        await way.until(lambda: "sms_modem_lost" not in way.counters.snapshot() and way.uplink._up.is_set())
        assert (way.uplink.ready, way.uplink.registered, way.uplink.signal_dbm) == (False, False, None)
        modem.trouble.answer["text"] = ["+CMS ERROR: 331"] * 6
        assert await way.send(text()) == [State.REFUSED] * 3
        # Its search for a network is not disturbed by a restart.
        assert way.uplink._up.is_set()
        modem.registration = "5"
        await way.ready()


async def test_two_emergencies_at_once_share_the_modem(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        results = await asyncio.gather(*(way.send(text(number)) for number in (1, 2)))
        assert results == [[State.TAKEN] * 3] * 2
        assert sorted(way.modem.sent) == sorted((number, text(n)) for number in NUMBERS for n in (1, 2))
        # The second does not wait for the first one's last number.
        assert {told for _, told in way.modem.sent[:2]} == {text(1), text(2)}


async def test_a_send_that_is_given_up_leaves_no_half_message(tmp_path: Path) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        way.modem.trouble.text = ["hang"]
        sending = asyncio.create_task(way.uplink.send(text(1)))
        await way.until(lambda: way.modem._stuck)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await way.until(lambda: way.modem.starts == 2)
        await way.ready()
        assert await way.send(text(2)) == [State.TAKEN] * 3
        assert {told for _, told in way.modem.sent} == {text(2)}
