"""Which way is taken: the first that carries, no hop without need, back only after a time."""

from __future__ import annotations

import os
import random

import pytest

from edge_daemon.config import Ways as Settings
from edge_daemon.heard import Alarm
from protocol import kinds
from tests.protocol.test_contract import an_alarm

from .hand import ALIVE, Two


async def test_three_misses_in_a_row_and_the_next_way_is_taken_for_all_that_waits() -> None:
    two = Two()
    await two.both()
    opened = two.opened
    two.miss("primary", 2)
    assert two.ways.choose().name == "primary"
    two.miss("primary")
    assert two.ways.choose().name == "backup"
    assert two.opened == opened + 1, "what was sent by the mute one is due by the other"
    assert two.closed == ["primary"], "what it holds is let go: it would stand in the way"


async def test_twenty_that_go_unanswered_together_are_one_miss() -> None:
    two = Two()
    await two.both()
    sent_ms = two.clock.ms
    two.clock.pass_s(5)
    for _ in range(20):
        two.ways.missed(two.way["primary"], sent_ms)
    assert two.way["primary"].misses["event"] == 1
    # Sent before that miss was noticed: the same silence.
    two.clock.pass_s(2)
    two.ways.missed(two.way["primary"], sent_ms + 2000)
    assert two.way["primary"].misses["event"] == 1


async def test_one_event_that_the_platform_does_not_answer_is_no_fault_of_the_way() -> None:
    two = Two()
    await two.both()
    sent_ms = two.clock.ms
    two.clock.pass_s(1)
    two.way["primary"].answered("event")
    two.clock.pass_s(4)
    two.ways.missed(two.way["primary"], sent_ms)
    assert two.way["primary"].misses["event"] == 0


async def test_a_closed_way_is_left_at_once_and_one_that_comes_is_not_hopped_to() -> None:
    two = Two()
    await two.both()
    opened = two.opened
    two.lines["primary"].go()
    assert set(two.closed) == {"primary"}
    assert (two.ways.used.name, two.opened) == ("backup", opened + 1)
    await two.lines["primary"].come()
    await two.alive()
    assert two.ways.choose().name == "backup"
    assert two.opened == opened + 1, "the backup has all that waits"


async def test_the_first_is_gone_back_to_after_five_minutes_of_health_and_no_sooner() -> None:
    two = Two()
    await two.both()
    two.lines["primary"].go()
    await two.lines["primary"].come()
    for _ in range(5):
        await two.alive()
        two.ways.look()
        assert two.ways.used.name == "backup"
        two.clock.pass_s(59)
    await two.alive()
    two.clock.pass_s(6)
    two.ways.look()
    assert two.ways.used.name == "primary"
    assert two.hops() == 2


@pytest.mark.parametrize("flap_s", [1, 20, 100, 290])
async def test_flapping_makes_it_hop_once(flap_s: int) -> None:
    two = Two()
    await two.both()
    for _ in range(30):
        two.lines["primary"].go()
        await two.lines["primary"].come()
        await two.alive()
        two.clock.pass_s(flap_s)
        two.ways.look()
    assert two.hops() == 1


async def test_a_start_where_the_second_is_there_first_is_no_reason_to_stay_with_it() -> None:
    two = Two()
    await two.lines["backup"].come()
    assert two.opened == 1
    assert two.ways.choose().name == "backup"
    await two.lines["primary"].come()
    await two.alive()
    assert two.ways.choose().name == "primary"


async def test_a_first_way_that_breaks_before_it_has_answered_once_has_broken() -> None:
    two = Two()
    for line in two.lines.values():
        await line.come()
    await two.alive("backup")
    for _ in range(10):
        two.lines["primary"].go()
        await two.lines["primary"].come()
        await two.alive("primary")
        two.ways.look()
    assert two.hops() == 1


async def test_a_way_whose_events_go_unanswered_is_mute_though_its_heartbeats_are_answered() -> None:
    two = Two()
    await two.both()
    two.miss("primary", 3)
    for _ in range(20):
        await two.alive()
        two.clock.pass_s(60)
        two.ways.look()
    assert two.ways.used.name == "backup"
    # The test event, by that way alone, is accepted.
    two.way["primary"].answered("event")
    two.clock.pass_s(301)
    two.ways.look()
    assert two.ways.used.name == "primary"


async def test_missed_heartbeats_make_a_way_mute_and_ask_for_the_next_at_once() -> None:
    two = Two(Settings(misses=2))
    await two.both()
    beats = two.beats
    way = two.way["primary"]
    for _ in range(2):
        two.clock.pass_s(1)
        await way.beat(b"{}")
        two.clock.pass_s(6)
        way._beat_due(two.lines["primary"].tokens[-1])
    assert way.mute
    assert two.beats == beats + 1, "to know; a mute one has time until the next"
    two.ways.look()
    assert two.ways.used.name == "backup"


async def test_only_the_answer_to_our_own_heartbeat_by_its_own_way_proves_a_way() -> None:
    two = Two()
    for line in two.lines.values():
        await line.come()
    await two.way["primary"].beat(b"{}")
    token = two.lines["primary"].tokens[-1]
    hear = two.lines["primary"].on_message
    for data, correlation in (
        (ALIVE, b""),
        (ALIVE, b"made up"),
        (b'{"v":1,"gateway":"gw-2"}', token),
        (b'{"v":2,"gateway":"gw-1"}', token),
        (b"\xff", token),
    ):
        hear("alive", data, correlation)
    two.lines["backup"].on_message("alive", ALIVE, token)
    assert not two.way["primary"].healthy
    assert not two.way["backup"].healthy
    hear("alive", ALIVE, token)
    assert two.way["primary"].healthy
    two.clock.pass_s(6)
    hear("alive", ALIVE, token)
    assert two.way["primary"].last_answer_ms() == two.clock.ms - 6000, "twice is not later"
    two.lines["primary"].go()
    assert not two.way["primary"].healthy


async def test_where_all_are_mute_they_take_turns_and_where_none_is_connected_all_are_wanted() -> None:
    two = Two()
    await two.both()
    two.miss("primary", 3)
    two.miss("backup", 3)
    assert two.ways.exhausted
    opened = two.opened
    taken = []
    for _ in range(6):
        taken.append(two.ways.choose().name)
        two.miss(taken[-1])
    assert sorted(taken) == ["backup"] * 3 + ["primary"] * 3
    assert two.opened == opened, "the ladder goes on: nothing is hurried"
    for line in two.lines.values():
        line.go()
    two.ways.choose()
    assert all(line.wanted for line in two.lines.values())


async def test_whatever_comes_and_goes_it_hops_only_from_a_way_that_does_not_carry() -> None:
    seed = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={seed}")
    chance = random.Random(seed)
    for _ in range(200):
        two = Two()
        for _ in range(100):
            name = chance.choice(list(two.lines))
            line = two.lines[name]
            match chance.randrange(5):
                case 0 if line.connected:
                    line.go()
                case 1 if not line.connected:
                    await line.come()
                case 2 if line.connected:
                    await two.alive(name)
                case 3:
                    two.miss(name)
                case 4:
                    two.clock.pass_s(chance.choice([1, 30, 200]))
            before = two.ways.used
            usable, rested = before.usable, two.way["primary"].healthy_for_ms()
            chosen = two.ways.choose()
            if any(way.usable for way in two.ways.all):
                assert chosen.usable
            if two.ways.used is not before and usable:
                assert two.ways.used.name == "primary", "the other direction is for need only"
                assert rested >= 0


async def test_a_test_of_a_way_goes_by_that_way_alone() -> None:
    two = Two()
    await two.both()
    two.miss("primary", 3)
    made = [_gateway_event(kind) for kind in (kinds.PATH_TEST_PRIMARY, kinds.RESTARTED, kinds.PATH_TEST_BACKUP)]
    by = {way.name: [alarm.kind for alarm in part] for way, part in two.ways.by_way(made)}
    assert by == {
        "primary": [kinds.PATH_TEST_PRIMARY],
        "backup": [kinds.RESTARTED, kinds.PATH_TEST_BACKUP],
    }
    one = Two(names=("primary",))
    assert [(way.name, len(part)) for way, part in one.ways.by_way(made)] == [("primary", 3)]


def _gateway_event(kind: int) -> Alarm:
    return an_alarm(kind=kind, link="gateway")
