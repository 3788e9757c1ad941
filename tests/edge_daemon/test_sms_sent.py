"""What becomes of an SMS, what an hour costs, and what nobody may read in a log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from edge_daemon.clock import Clock
from edge_daemon.config import Sms
from edge_daemon.counters import Counters
from edge_daemon.errors import MessageLimit, Refusal
from edge_daemon.uplinks.sms.reports import Delivery, State
from edge_daemon.uplinks.sms.sms import SmsUplink

from .modem import FakeModem
from .sms_way import NUMBERS, WITHIN_S, running, text


@pytest.mark.parametrize(
    ("status", "state"),
    [(0x00, State.DELIVERED), *((status, State.NOT_DELIVERED) for status in (0x40, 0x46, 0x63, 0xFF))],
)
@pytest.mark.parametrize("stored", [False, True])
async def test_a_report_says_what_became_of_it(tmp_path: Path, status: int, state: State, stored: bool) -> None:
    modem = FakeModem(tmp_path)
    modem.report = lambda number, reference: [(0x30, reference), (status, reference), (status, reference)]
    if stored:
        modem.trouble.unknown = ("AT+CNMI=2,0,0,1,0",)
    async with running(tmp_path, modem, numbers=NUMBERS[:1]) as way:
        await way.ready()
        assert modem.stores_reports == stored
        (delivery,) = await way.uplink.send(text())
        await way.until(lambda: delivery.state is not State.TAKEN)
        await way.until(lambda: not modem.stored)
        assert (delivery.state, delivery.code) == (state, status)
        await way.until(lambda: way.counters.snapshot().get("sms_report_repeated") == 1)
        assert len(way.reported) == 2
        assert way.reported[-1] == (0, state)


@pytest.mark.parametrize("told_as", ['"13800138000",129', ",", '"+8613800138000",145'])
async def test_a_report_is_matched_by_reference_and_number(tmp_path: Path, told_as: str) -> None:
    modem = FakeModem(tmp_path)
    async with running(tmp_path, modem, numbers=NUMBERS[:1]) as way:
        await way.ready()
        (delivery,) = await way.uplink.send(text())
        modem.reported_as = lambda number: '"+8613900139000",145'
        modem.report_now("", modem._reference, 0)
        modem.reported_as = lambda number: told_as
        modem.report_now("", (modem._reference + 1) % 256, 0)
        await way.until(lambda: way.counters.snapshot().get("sms_report_without_message") == 2)
        assert delivery.state is State.TAKEN
        modem.report_now("", modem._reference, 0)
        await way.until(lambda: delivery.state is State.DELIVERED)


async def test_the_hour_is_limited_and_news_goes_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(tmp_path, numbers=NUMBERS[:1], most_per_hour=4) as way:
        await way.ready()
        for _ in range(3):
            assert await way.send(text(1)) == [State.TAKEN]
        for said in (text(1), text(2, test=True)):
            with pytest.raises(MessageLimit):
                await way.send(said)
        assert await way.send(text(3)) == [State.TAKEN]
        with pytest.raises(MessageLimit):
            await way.send(text(4))
        assert [told for _, told in way.modem.sent] == [text(1)] * 3 + [text(3)]
        assert [record.getMessage() for record in caplog.records].count("sms_limit_reached") == 1
        kept = tmp_path / "sms.json"
        await way.until(lambda: kept.exists() and len(json.loads(kept.read_bytes())["sent_ms"]) == 4)
    async with running(tmp_path, numbers=NUMBERS[:1], most_per_hour=4) as way:
        await way.ready()
        # A daemon that is restarted again and again sends no more for it.
        with pytest.raises(MessageLimit):
            await way.send(text(5))


async def test_no_log_holds_a_number_a_pin_or_a_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pin = tmp_path / "pin"
    pin.write_text("7391\n")
    pin.chmod(0o600)
    async with running(tmp_path, FakeModem(tmp_path, pin="7391"), pin_file=str(pin)) as way:
        await way.ready()
        way.modem.trouble.answer["text"] = ["+CMS ERROR: 500"]
        way.modem.trouble.text = ["", "reboot"]
        await way.send(text())
        way.modem.vanish()
        await way.until(lambda: not way.uplink.ready)
    told = " ".join(f"{record.getMessage()} {record.__dict__.get('fields')}" for record in caplog.records)
    assert "sms_taken" in told
    for secret in ("7391", "PINGAN", *(number[4:] for number in NUMBERS)):
        assert secret not in told
        assert await way.uplink._budget._memory.keep(WITHIN_S)
    kept = (tmp_path / "sms.json").read_text()
    assert "1380013" not in kept


def test_a_delivery_went_out_when_the_network_has_it() -> None:
    out = {state for state in State if Delivery(0, state).went_out}
    assert out == {State.TAKEN, State.DELIVERED, State.NOT_DELIVERED}


@pytest.mark.parametrize(
    ("mode", "found", "key"), [(0o644, "1234", "private.too_open"), (0o600, "12a4", "sms.bad_pin")]
)
async def test_a_pin_file_that_will_not_do_is_refused(tmp_path: Path, mode: int, found: str, key: str) -> None:
    pin = tmp_path / "pin"
    pin.write_text(found)
    pin.chmod(mode)
    with pytest.raises(Refusal) as refused:
        SmsUplink(Sms(pin_file=str(pin)), tmp_path, Clock(), Counters())
    assert refused.value.key == key
    assert found not in str(refused.value)


@pytest.mark.parametrize("said", ["平安", "PINGAN1\r\n", "PINGAN1 \x1a", "x" * 161])
async def test_what_is_not_one_plain_sms_never_reaches_the_modem(tmp_path: Path, said: str) -> None:
    async with running(tmp_path) as way:
        await way.ready()
        with pytest.raises(ValueError, match="not the text"):
            await way.uplink.send(said)
        assert not any("CMGS" in command for command in way.modem.commands)
