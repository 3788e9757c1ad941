"""Certificates that come to their end: told 30, 7 and 1 days before, and at it. Once for each, over restarts too.

Owns the thresholds and which certificates count: our own, the authority we trust, and what the broker showed when it
was last connected to. Must not know how they are used (tls.py) or sent (faults.py). By a clock that nobody vouches for
nothing is told: all could look expired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509

from edge_daemon.clock import Clock, iso
from edge_daemon.faults import Faults
from edge_daemon.log import Log
from edge_daemon.tls import Tls
from protocol import kinds

log = Log("certificates")

# More often than daily: the broker's is first seen some time after the start, and looking costs a millisecond.
_EVERY_S = 3600
# Days before the end, and what is told then. 0: it has ended.
_THRESHOLDS = (
    (0, kinds.CERTIFICATE_EXPIRES_SOON),
    (1, kinds.CERTIFICATE_EXPIRES_SOON),
    (7, kinds.CERTIFICATE_EXPIRES),
    (30, kinds.CERTIFICATE_EXPIRES),
)

T = TypeVar("T")


class Certificates:
    """`brokers`: name ("primary", "backup") -> its TLS, for those that use it."""

    def __init__(self, brokers: dict[str, Tls], faults: Faults, clock: Clock, built: datetime | None = None) -> None:
        self._brokers = brokers
        self._faults = faults
        self._clock = clock
        # No clock that is right says less than this file's own date.
        self._built = built or datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
        self._described: list[dict[str, Any]] = []
        self._described_of: list[tuple[str, bytes, bytes, bytes | None]] = []

    async def run(self) -> None:
        """Look at the start and then every hour, for ever."""
        while True:
            self.check()
            await asyncio.sleep(_EVERY_S)

    def check(self) -> None:
        """Look now. A renewed certificate is taken up here at the latest, though it is used at the next connection."""
        now = datetime.fromtimestamp(self._clock.wall_ms() / 1000, UTC)
        if not self._clock.synced() and now < self._built:
            log.warning("clock_not_believed", now=now.isoformat(), built=self._built.isoformat())
            return
        for name, tls in self._brokers.items():
            tls.context()
            for which, end in _ends(tls):
                self._judge(f"{name} {which}", end, end - now)

    def described(self) -> list[dict[str, Any]]:
        """Which certificate ends when, by name of broker. Read anew only when there are others: parsing takes ms."""
        of = [(name, tls.own, tls.authorities, tls.peer) for name, tls in self._brokers.items()]
        if of != self._described_of:
            self._described_of = of
            self._described = [
                {"about": f"{name} {which}", "ends_at": iso(int(end.timestamp() * 1000))}
                for name, tls in self._brokers.items()
                for which, end in _ends(tls)
            ]
        return self._described

    def _judge(self, about: str, end: datetime, left: timedelta) -> None:
        if left <= timedelta(0):
            log.error("certificate_expired", about=about, end=end.isoformat())
        due = [(days, kind) for days, kind in _THRESHOLDS if left <= timedelta(days=days)]
        # Only the nearest is told; those behind it are noted, so that they are not told after it.
        for place, (days, kind) in enumerate(due):
            mark = f"{about} {days} d"
            if not self._faults.holds(kind, mark):
                if place == 0:
                    self._faults.report(kind, about, f"{'expired' if days == 0 else 'expires'} {end:%Y-%m-%d %H:%M}Z")
                self._faults.note(kind, mark, holds=True)
        for days, kind in _THRESHOLDS[: len(_THRESHOLDS) - len(due)]:
            self._faults.note(kind, f"{about} {days} d", holds=False)


def _ends(tls: Tls) -> Iterator[tuple[str, datetime]]:
    """Which certificate, and when it ends."""
    peer = _read(x509.load_der_x509_certificate, tls.peer)
    if peer is not None:
        yield "broker", peer.not_valid_after_utc
    own = _read(x509.load_pem_x509_certificates, tls.own)
    if own:
        # The first is ours; those that follow lead to the authority.
        yield "own", own[0].not_valid_after_utc
    authorities = _read(x509.load_pem_x509_certificates, tls.authorities) or []
    # While authorities are exchanged old and new stand in one file: the one that signed what we saw counts, else the
    # last to end.
    signed = [one for one in authorities if peer is not None and one.subject == peer.issuer]
    if authorities:
        yield "authority", max(one.not_valid_after_utc for one in signed or authorities)


def _read(parse: Callable[[bytes], T], data: bytes | None) -> T | None:
    if not data:
        return None
    try:
        return parse(data)
    except ValueError as error:
        log.warning("certificate_not_read", why=str(error))
        return None
