"""Who is told that a way is lost and found again, and when: once, whatever flaps."""

from __future__ import annotations

from pathlib import Path

from .station import station


async def test_lost_after_a_minute_restored_after_five_and_flapping_is_told_once(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        made.lines["backup"].go()
        made.clock.pass_s(59)
        made.watch.look()
        assert await made.said() == []
        made.clock.pass_s(2)
        made.watch.look()
        assert await made.said() == [("path_backup_lost", "not connected")]
        for _ in range(20):
            await made.lines["backup"].come()
            await made.live(240, "primary", "backup")
            made.lines["backup"].go()
            await made.live(60, "primary")
        assert len(await made.said()) == 1
        await made.lines["backup"].come()
        await made.live(420, "primary", "backup")
        assert [name for name, _ in await made.said()] == ["path_backup_lost", "path_backup_restored"]


async def test_no_answer_by_any_way_for_ninety_seconds_is_no_platform(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        made.clock.pass_s(89)
        made.watch.look()
        assert made.away == [False]
        made.clock.pass_s(2)
        made.watch.look()
        assert made.away == [False, True]
        assert ("platform_lost", "no answer for 91 s") in await made.said()
        await made.alive("backup")
        made.watch.look()
        assert made.away[-1] is False
        assert ("platform_restored", "") in await made.said()


async def test_a_modem_that_is_gone_is_a_lost_way(tmp_path: Path) -> None:
    async with station(tmp_path) as made:
        made.tests._begin_ms = 1 << 60
        await made.both()
        await made.live(420, "primary", "backup")
        made.modem.ready = False
        await made.live(180, "primary", "backup")
        assert await made.said() == [("path_sms_lost", "no modem or no network")]
        assert made.watch.states()[2]["state"] == "down"
        made.modem.ready = True
        await made.live(420, "primary", "backup")
        assert (await made.said())[1:] == [("path_sms_restored", "")]
