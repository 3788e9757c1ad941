"""What must never happen to a SIM: that it is locked by us. Over the fake modem, which counts every try."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_daemon.uplinks.sms.failures import SimUnusable
from edge_daemon.uplinks.sms.memory import Memory
from edge_daemon.uplinks.sms.pin import Pin
from edge_daemon.uplinks.sms.reports import State

from .modem import FakeModem
from .sms_way import running, text


def pin_file(directory: Path, pin: str) -> Path:
    path = directory / "pin"
    path.write_text(pin)
    path.chmod(0o600)
    return path


async def test_a_wrong_pin_is_entered_once_over_any_number_of_restarts(tmp_path: Path) -> None:
    path = pin_file(tmp_path, "1111")
    modem = FakeModem(tmp_path, pin="7391")
    for _ in range(4):
        async with running(tmp_path, modem, pin_file=str(path)) as way:
            await way.until(lambda: way.counters.snapshot().get("sms_modem_lost", 0) >= 2)
            assert not way.uplink.ready
        modem.plug()
    assert modem.pins == ["1111"]
    # A technician writes the right one: it is tried without a restart of anything.
    async with running(tmp_path, modem, pin_file=str(path)) as way:
        await way.until(lambda: way.counters.snapshot().get("sms_modem_lost", 0) >= 1)
        pin_file(tmp_path, "7391")
        await way.ready()
        assert modem.pins == ["1111", "7391"]
        assert await way.send(text()) == [State.TAKEN] * 3


@pytest.mark.parametrize("heard", [False, True])
async def test_a_pin_whose_answer_is_lost_is_not_entered_again(tmp_path: Path, heard: bool) -> None:
    """Nobody knows whether it was counted against us, until the SIM is seen to be open."""
    path = pin_file(tmp_path, "7391")
    modem = FakeModem(tmp_path, pin="7391")
    (modem.trouble.mute if heard else modem.trouble.lose)["AT+CPIN="] = 1
    async with running(tmp_path, modem, pin_file=str(path)) as way:
        await way.until(lambda: way.uplink.ready or way.counters.snapshot().get("sms_modem_lost", 0) >= 4)
        assert way.uplink.ready == heard
    assert sum(command.startswith('AT+CPIN="') for command in modem.commands) == 1


async def test_no_pin_is_entered_where_the_try_cannot_be_noted(tmp_path: Path) -> None:
    path = pin_file(tmp_path, "7391")
    # A directory in the place of the file that is written beside it.
    (tmp_path / "sms.new").mkdir()
    modem = FakeModem(tmp_path, pin="7391")
    async with running(tmp_path, modem, pin_file=str(path)) as way:
        await way.until(lambda: way.counters.snapshot().get("sms_modem_lost", 0) >= 2)
        assert modem.pins == []
        # Nor is that a try.
        (tmp_path / "sms.new").rmdir()
        await way.ready()
    assert modem.pins == ["7391"]


@pytest.mark.parametrize("state", ["SIM PUK", "NOT INSERTED", "PH-SIM PIN"])
async def test_a_sim_that_wants_something_else_gets_nothing(tmp_path: Path, state: str) -> None:
    path = pin_file(tmp_path, "7391")
    modem = FakeModem(tmp_path, pin="7391")
    modem._sim = state
    async with running(tmp_path, modem, pin_file=str(path)) as way:
        await way.until(lambda: way.counters.snapshot().get("sms_modem_lost", 0) >= 2)
        assert "AT+CFUN=1,1" not in modem.commands
    assert modem.pins == []


async def test_a_pin_that_worked_may_be_entered_after_the_next_start_of_the_modem(tmp_path: Path) -> None:
    of = Pin(str(pin_file(tmp_path, "7391")), Memory(tmp_path / "sms.json", "boot"))
    assert await of.take() == "7391"
    of.worked()
    assert await of.take() == "7391"
    with pytest.raises(SimUnusable):
        await of.take()


async def test_a_sim_that_is_busy_after_a_start_is_waited_for(tmp_path: Path) -> None:
    modem = FakeModem(tmp_path)
    modem.trouble.answer["AT+CPIN"] = ["+CME ERROR: 14", "+CME ERROR: 14"]
    async with running(tmp_path, modem) as way:
        await way.ready()
        assert "sms_modem_lost" not in way.counters.snapshot()
