"""A revoked wearable is known and not served; a recording that is played back is refused. A person learns of both."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_daemon import registry
from edge_daemon.clock import Clock
from edge_daemon.errors import Refusal
from hil_tests.broker.mosquitto import Broker
from protocol import codes, messages

from .core import Core, core
from .home import WiredWearable, home
from .platform_end import platform
from .test_config import key_file
from .wearer import Wearer

HOUR_MS = 3_600_000


class LaterClock(Clock):
    """Goes on by itself, and further when told."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


def _revoked(name: str = "a") -> Wearer:
    wearer = Wearer(name)
    wearer.revoked = True
    return wearer


async def _said(here: Core) -> list[tuple[str, str, str]]:
    """Kind, about and note of the gateway's own events so far."""
    await asyncio.gather(*here.faults._tasks)
    rows = sorted((a.number, a) for a in here.journal.alarms.values() if a.of_gateway)
    return [(alarm.meaning.name, alarm.about, alarm.note) for _, alarm in rows]


def _answer(wearer: Wearer) -> tuple[int, int, int]:
    """Stage, number, reason of the newest answer."""
    answer = wearer.open(wearer.path.sent[-1])
    assert isinstance(answer, messages.Answer)
    return answer.stage, answer.number, answer.reason


async def test_a_press_is_refused_honestly_and_a_person_is_told(tmp_path: Path) -> None:
    wearer = _revoked()
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, wearer.event())
        assert _answer(wearer) == (codes.REFUSED, 1, codes.REASON_REVOKED)
        assert await _said(here) == [("revoked_heard", wearer.handle, "sos")]
        here.hear(wearer, wearer.hello(number=1))
        assert _answer(wearer) == (codes.REFUSED, 1, codes.REASON_REVOKED)
        assert [alarm for alarm in here.journal.alarms.values() if not alarm.of_gateway] == []
        await here.uplink.until(1)
        assert here.uplink.events() == [[next(iter(here.journal.alarms.values())).event]]
        assert here.strangers_seen == []
        assert here.count("refused_revoked") == 2


async def test_its_window_moves_also_over_a_restart_so_a_recording_of_it_says_nothing(tmp_path: Path) -> None:
    wearer = _revoked()
    recorded = wearer.event()
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, recorded)
        assert here.journal.windows[wearer.handle] == 0
        here.hear(wearer, recorded)
        assert (here.count("refused_repeat"), len(wearer.path.sent)) == (1, 1)
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, recorded)
        assert (here.count("refused_repeat"), len(wearer.path.sent)) == (1, 1)
        here.hear(wearer, wearer.event())
        assert _answer(wearer) == (codes.REFUSED, 2, codes.REASON_REVOKED)


async def test_it_is_told_once_a_day_but_a_press_is_told_although_a_life_sign_was(tmp_path: Path) -> None:
    wearer, other, clock = _revoked(), _revoked("b"), LaterClock()
    async with core(tmp_path, wearer, other, clock=clock) as here:
        for _ in range(5):
            here.hear(wearer, wearer.hello())
        assert await _said(here) == [("revoked_heard", wearer.handle, "life_sign")]
        for _ in range(5):
            here.hear(wearer, wearer.event())
        here.hear(other, other.hello())
        assert (await _said(here))[1:] == [
            ("revoked_heard", wearer.handle, "sos"),
            ("revoked_heard", other.handle, "life_sign"),
        ]
        clock.ahead_ms = 23 * HOUR_MS
        here.hear(wearer, wearer.event())
        assert len(await _said(here)) == 3
        clock.ahead_ms = 25 * HOUR_MS
        here.hear(wearer, wearer.event())
        assert (await _said(here))[3:] == [("revoked_heard", wearer.handle, "sos")]


async def test_what_was_accepted_before_it_was_revoked_stays_so(tmp_path: Path) -> None:
    wearer = Wearer()
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, wearer.event())
        await here.uplink.until(1)
        here.platform_says(f"{wearer.handle}-000001", "answered")
    wearer.revoked = True
    async with core(tmp_path, wearer) as here:
        here.hear(wearer, wearer.event(number=1))
        assert _answer(wearer) == (codes.ANSWERED, 1, codes.REASON_NONE)
        here.hear(wearer, wearer.event(number=2))
        assert _answer(wearer) == (codes.REFUSED, 2, codes.REASON_REVOKED)


async def test_what_it_says_besides_is_neither_answered_nor_passed_on(tmp_path: Path) -> None:
    wearer = _revoked()
    beats: list[str] = []
    async with core(tmp_path, wearer) as here:
        here.intake.on_heartbeat = lambda handle, beat, heard: beats.append(handle)
        for frame_type in range(8):
            here.hear(wearer, wearer.seal(frame_type, b""))
            here.hear(wearer, wearer.seal(frame_type, bytes(12)))
        assert beats == []
        stages = [
            answer.stage
            for frame in wearer.path.sent
            if (answer := wearer.open(frame)) is not None and isinstance(answer, messages.Answer)
        ]
        assert set(stages) <= {codes.REFUSED}
        assert [alarm for alarm in here.journal.alarms.values() if not alarm.of_gateway] == []
        assert here.strangers_seen == []


async def test_a_command_for_it_is_refused_and_its_neighbour_is_served(tmp_path: Path) -> None:
    wearer, neighbour = _revoked(), Wearer("b")
    with Broker() as broker:
        async with platform(broker.port) as there, home(tmp_path, broker.port, wearer, neighbour) as gateway:
            ends = [WiredWearable(tmp_path, one) for one in (wearer, neighbour)]
            try:
                await gateway.start()
                await ends[0].until(ends[0].press(), codes.REFUSED)
                await ends[1].until(ends[1].press(), codes.ACCEPTED)
                await there.say("command", {"v": 1, "command": "c", "name": "locate", "wearable": wearer.handle})
                (result,) = await there.until("result")
            finally:
                for end in ends:
                    end.close()
    assert (result["result"], result["reason"]) == ("refused", "unknown_wearable")
    kinds = {row["event"]: row for data in there.of("event") for row in data["events"]}
    assert sorted((row["kind"], row["wearable"]) for row in kinds.values()) == [
        ("revoked_heard", None),
        ("sos", neighbour.handle),
    ]


@pytest.mark.parametrize("revoked", ["true", 1, None, []])
def test_a_row_that_is_revoked_by_anything_but_true_is_refused(tmp_path: Path, revoked: object) -> None:
    rows = [{**Wearer().registry_row(), "revoked": revoked}]
    with pytest.raises(Refusal) as refused:
        registry.load(key_file(tmp_path / "keys.json", rows))
    assert (refused.value.key, refused.value.params["key"]) == ("registry.bad_row", "revoked")
    rows[0]["revoked"] = True
    assert registry.load(key_file(tmp_path / "keys.json", rows))[Wearer().handle].revoked


async def test_a_recording_of_an_hour_ago_is_told_once_a_day(tmp_path: Path) -> None:
    wearer, clock = Wearer(), LaterClock()
    async with core(tmp_path, wearer, clock=clock) as here:
        recorded = [wearer.event() for _ in range(10)]
        for frame in recorded:
            here.hear(wearer, frame)
        clock.ahead_ms = 2 * HOUR_MS
        for frame in recorded:
            clock.ahead_ms += 1000
            here.hear(wearer, frame, "ble")
        assert here.count("replays_refused") == 10
        said = await _said(here)
        assert said == [("replay_rejected", wearer.handle, "ble, 120 min old or older")]
        clock.ahead_ms += 25 * HOUR_MS
        here.hear(wearer, recorded[0])
        assert len(await _said(here)) == 2
        # The wearer is not touched by it.
        here.hear(wearer, wearer.event())
        assert here.count("frames_admitted") == 11


async def test_what_is_no_sign_of_a_recording_is_not_told(tmp_path: Path) -> None:
    wearer, clock = Wearer(), LaterClock()
    async with core(tmp_path, wearer, clock=clock) as here:
        early = wearer.event()
        overtaken, frame = wearer.event(), wearer.event()
        here.hear(wearer, early)
        here.hear(wearer, frame)
        # Our own bursts, by every link, for as long as a gap can be; and one that was overtaken.
        for minute in range(50):
            clock.ahead_ms = minute * 60_000
            for link in ("ble", "serial"):
                here.hear(wearer, frame, link)
            here.hear(wearer, overtaken)
        # An old id under which nothing genuine stands: anybody can have seen the id.
        clock.ahead_ms = 5 * HOUR_MS
        forged = bytearray(early)
        forged[-1] ^= 1
        here.hear(wearer, bytes(forged))
        # Unknown here: a neighbour's.
        here.hear(wearer, Wearer("s").event())
        assert here.count("replays_refused") == 0
        assert await _said(here) == []


async def test_after_a_restart_a_recording_is_told_an_hour_later_and_a_flood_is_looked_at_now_and_then(
    tmp_path: Path,
) -> None:
    wearer, clock = Wearer(), LaterClock()
    async with core(tmp_path, wearer, clock=clock) as here:
        recorded = wearer.event()
        here.hear(wearer, recorded)
    async with core(tmp_path, wearer, clock=clock) as here:
        here.hear(wearer, recorded)
        assert await _said(here) == [], "it may have been on the air while we restarted"
        clock.ahead_ms = 2 * HOUR_MS
        for _ in range(2000):
            here.hear(wearer, recorded)
        assert 1 <= here.count("replays_refused") < 200
        assert [kind for kind, _, _ in await _said(here)] == ["replay_rejected"]
