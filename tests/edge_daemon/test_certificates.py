"""A certificate that comes to its end is told in time, once for each threshold, and only by a believable clock."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edge_daemon import config
from edge_daemon.clock import Clock
from edge_daemon.faults import Faults
from edge_daemon.supervision.certificates import Certificates
from edge_daemon.tls import Tls

from .certificates import Authority
from .core import Core, core

SOON, LATER = "certificate_expires_soon", "certificate_expires"


class SetClock(Clock):
    """The wall clock of the test: so many days from now, vouched for by NTP or not."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()
        self.vouched = True

    def wall_ms(self) -> int:
        return int((datetime.now(UTC) + self.ahead).timestamp() * 1000)

    def synced(self) -> bool:
        return self.vouched


class Watched:
    """One broker's files, and a watch over them under a clock of ours."""

    def __init__(self, directory: Path, *, own_days: float, authority_days: float = 3650) -> None:
        self.authority = Authority(directory, "a", authority_days)
        self.certificate, key = self.authority.issue("gw-1", days=own_days)
        self.key = key
        self.tls = Tls(
            config.Platform(ca_file=str(self.authority.file), cert_file=str(self.certificate), key_file=str(key))
        )
        self.clock = SetClock()

    def over(self, faults: Faults) -> Certificates:
        return Certificates({"primary": self.tls}, faults, self.clock)

    def renew(self, days: float) -> None:
        for fresh, old in zip(self.authority.issue("renewed", days=days), (self.certificate, self.key), strict=True):
            os.replace(fresh, old)

    def broker_shows(self, days: float) -> None:
        shown, _ = self.authority.issue("broker", days=days)
        self.tls.peer = _der(shown)


def _der(file: Path) -> bytes:
    return x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER)


async def _told(here: Core) -> list[tuple[str, str, str]]:
    """Kind, about and the first word of the note of all that the gateway has said, in order."""
    await asyncio.gather(*here.faults._tasks)
    rows = sorted((alarm.number, alarm) for alarm in here.journal.alarms.values())
    return [(alarm.meaning.name, alarm.about, alarm.note.split()[0]) for _, alarm in rows]


async def test_each_threshold_is_told_once_also_over_restarts(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=40)
    expected: list[tuple[str, str, str]] = []
    for day, more in (
        (0, None),
        (9, None),
        (10.5, (LATER, "primary own", "expires")),
        (20, None),
        (33.5, (LATER, "primary own", "expires")),
        (39.5, (SOON, "primary own", "expires")),
        (41, (SOON, "primary own", "expired")),
        (60, None),
    ):
        watched.clock.ahead = timedelta(days=day)
        async with core(tmp_path) as here:
            expected += [more] if more else []
            for _ in range(3):
                watched.over(here.faults).check()
            assert await _told(here) == expected


async def test_what_ends_in_three_days_when_first_seen_is_told_once_and_not_as_in_thirty(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=3)
    async with core(tmp_path) as here:
        watched.over(here.faults).check()
        assert await _told(here) == [(LATER, "primary own", "expires")]
        watched.clock.ahead = timedelta(days=2.5)
        watched.over(here.faults).check()
        assert (await _told(here))[1:] == [(SOON, "primary own", "expires")]


async def test_a_renewed_certificate_is_watched_anew_without_a_restart(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=5)
    async with core(tmp_path) as here:
        watch = watched.over(here.faults)
        watch.check()
        assert len(await _told(here)) == 1
        watched.renew(days=365)
        watch.check()
        assert len(await _told(here)) == 1
        watched.clock.ahead = timedelta(days=360)
        watch.check()
        assert (await _told(here))[1:] == [(LATER, "primary own", "expires")]


async def test_the_brokers_and_the_authoritys_certificates_are_watched_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(tmp_path, own_days=365, authority_days=6)
    watched.broker_shows(days=0.5)
    async with core(tmp_path) as here:
        watched.over(here.faults).check()
        assert await _told(here) == [(SOON, "primary broker", "expires"), (LATER, "primary authority", "expires")]
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        watched.clock.ahead = timedelta(days=1)
        watched.over(here.faults).check()
        assert (await _told(here))[2:] == [(SOON, "primary broker", "expired")]
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
            "certificate_expired"
        ]


async def test_while_authorities_are_exchanged_the_one_that_counts_is_judged(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=365, authority_days=365)
    old = Authority(tmp_path, "old", 2)
    with watched.authority.file.open("ab") as both:
        both.write(old.file.read_bytes())
    async with core(tmp_path) as here:
        watched.over(here.faults).check()
        assert await _told(here) == [], "the other one goes on"
        shown, _ = old.issue("broker", days=100)
        watched.tls.peer = _der(shown)
        watched.over(here.faults).check()
        assert await _told(here) == [(LATER, "primary authority", "expires")], "the broker still shows the old one's"


async def test_a_clock_that_cannot_be_right_tells_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=2)
    watched.clock.vouched = False
    async with core(tmp_path) as here:
        # At 1970 nothing would be told anyway; a day before it was built is the case that tells.
        built = datetime.now(UTC) + timedelta(days=1)
        watch = Certificates({"primary": watched.tls}, here.faults, watched.clock, built)
        watch.check()
        assert await _told(here) == []
        watched.clock.vouched = True
        watch.check()
        assert len(await _told(here)) == 1
        watched.clock.vouched = False
        watched.clock.ahead = timedelta(days=1.5)
        watch.check()
        assert len(await _told(here)) == 2, "later than it was built"


async def test_what_cannot_be_read_as_a_certificate_does_no_harm(tmp_path: Path) -> None:
    watched = Watched(tmp_path, own_days=2)
    watched.tls.peer = b"\x30\x82garbage"
    async with core(tmp_path) as here:
        watched.over(here.faults).check()
        assert await _told(here) == [(LATER, "primary own", "expires")]
