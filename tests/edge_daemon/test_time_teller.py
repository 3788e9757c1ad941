"""The time is told to who wants it, when it is known to be right, in the answer to that very frame."""

from __future__ import annotations

import time
from typing import Any

import pytest

from edge_daemon.time_teller import TimeTeller
from protocol import codes
from protocol.messages import Heartbeat, pack_heartbeat
from protocol.watchful import Time


class _Commands:
    def __init__(self) -> None:
        self.given: list[tuple[str, int, bytes]] = []

    def give(self, handle: str, code: int, args: bytes, *_: Any) -> None:
        self.given.append((handle, code, args))


def _beat(flags: int) -> Heartbeat:
    return Heartbeat(pack_heartbeat(1, 4000, 80, 50_000, (1, 0, 0), 1, 0, flags))


@pytest.mark.parametrize(("flags", "synced", "told"), [(2, True, 1), (0, True, 0), (2, False, 0)])
def test_it_is_told_when_it_is_wanted_and_known(flags: int, synced: bool, told: int) -> None:
    commands = _Commands()
    believed = lambda: int(time.time() * 1000) if synced else None  # noqa: E731
    TimeTeller(commands, believed, lambda handle: -210).heartbeat("a", _beat(flags))  # type: ignore[arg-type]
    assert len(commands.given) == told
    for handle, code, args in commands.given:
        said = Time(args)
        assert (handle, code, said.offset_minutes) == ("a", codes.COMMAND_TIME, -210)
        assert abs(said.unix_s - time.time()) < 5


def test_without_a_plan_the_machine_says_how_local_time_is(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = _Commands()
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        TimeTeller(commands, lambda: 1_795_000_000_000, lambda handle: None).heartbeat("a", _beat(2))  # type: ignore[arg-type]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert Time(commands.given[0][2]).offset_minutes == 480
