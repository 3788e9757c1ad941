"""How the gateway is, now: the reply to `status` (schema/ names all values). Owns its shape, and since when faults are.

Asks each part, changes none. Nothing secret: handles are pseudonyms, addresses and numbers of the house are left out.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection
from typing import Any

import edge_daemon
from edge_daemon.ages import Ages
from edge_daemon.clock import Clock, iso
from edge_daemon.config import Config
from edge_daemon.control.sightings import Sightings
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm
from edge_daemon.journal import Journal
from edge_daemon.journal.room import Room
from edge_daemon.registry import Wearable
from edge_daemon.supervision.certificates import Certificates
from edge_daemon.supervision.power import PowerWatch
from edge_daemon.uplinks.path_watch import PathWatch
from protocol import kinds

_DISK_WITHIN_S = 2.0
_CERTIFICATES = (kinds.CERTIFICATE_EXPIRES, kinds.CERTIFICATE_EXPIRES_SOON)


class FaultTimes:
    """Since when each condition holds: by the event with which it was told, over restarts for as long as it is kept."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: dict[tuple[int, str], Alarm] = {}
        self._read = False

    def told(self, alarm: Alarm) -> None:
        """An event of the gateway's own."""
        self._told[alarm.kind, alarm.about] = alarm

    def of(self, kind: int, about: str) -> Alarm | None:
        """The event that told it, if it is known."""
        if not self._read:
            self._read = True
            own = [alarm for alarm in self._journal.alarms.values() if alarm.of_gateway]
            earlier = {(alarm.kind, alarm.about): alarm for alarm in sorted(own, key=lambda alarm: alarm.place)}
            self._told = {**earlier, **self._told}
        return self._told.get((kind, about))


class Status:
    """`wearables`: who is enrolled now; `waiting`: alarms the platform does not have; `links`: as heartbeats say."""

    def __init__(
        self,
        config: Config,
        wearables: Callable[[], Collection[Wearable]],
        sightings: Sightings,
        testing: Callable[[str], int | None],
        waiting: Callable[[], int],
        links: Callable[[], list[dict[str, str]]],
        paths: PathWatch,
        power: PowerWatch,
        certificates: Certificates,
        room: Room,
        journal: Journal,
        ages: Ages,
        counters: Counters,
    ) -> None:
        self._config = config
        self._wearables = wearables
        self._sightings = sightings
        self._testing = testing
        self._waiting = waiting
        self._links = links
        self._paths = paths
        self._power = power
        self._certificates = certificates
        self._room = room
        self._journal = journal
        self._ages = ages
        self._clock: Clock = ages.clock
        self._counters = counters
        self._started_ms = self._clock.now_ms()
        self._looking: asyncio.Future[tuple[int | None, int | None]] | None = None
        self.faults = FaultTimes(journal)

    async def answer(self, _request: dict[str, Any]) -> dict[str, Any]:
        """All of it."""
        return {
            "gateway": self._config.gateway.id,
            "area": self._config.gateway.area,
            "version": edge_daemon.__version__,
            "pid": os.getpid(),
            "uptime_s": self._since_s(self._started_ms),
            "clock": {"at": iso(self._clock.wall_ms()), "synced": self._clock.synced()},
            "wearables": [self._wearable(wearable) for wearable in self._wearables()],
            "links": self._links(),
            "ways": self._paths.described(),
            "journal": self._store() | await self._disk(),
            "faults": self._faults(),
            "certificates": self._certificates.described(),
            "power": self._power.described(),
            "counters": self._counters.snapshot(),
        }

    def _since_s(self, at_ms: int) -> int:
        return max(self._clock.now_ms() - at_ms, 0) // 1000

    def _wearable(self, wearable: Wearable) -> dict[str, Any]:
        handle = wearable.handle
        seen = self._sightings.of(handle)
        holds = self._journal.conditions
        missing, lost = (kinds.WEARABLE_MISSING, handle) in holds, (kinds.SUPERVISION_LOST, handle) in holds
        return {
            "wearable": handle,
            "role": wearable.role,
            "revoked": wearable.revoked,
            "heard_s": None if seen is None else self._since_s(seen.at_ms),
            # For how long it was listened for in vain before our start, to ten minutes; of one heard since, nothing.
            "silent_s": self._journal.silences.get(handle, 0) // 1000 if seen is None else None,
            "supervision": "missing" if missing else "lost" if lost else "ok",
            "link": seen and seen.link,
            "rssi_dbm": seen and seen.rssi_dbm,
            "battery_percent": seen and seen.battery_percent,
            "battery_mv": seen and seen.battery_mv,
            "firmware": seen and seen.firmware,
            "open": len(self._journal.open_of(handle)),
            # For how long yet a short press of it is a test; null: it is none.
            "test_s": self._testing(handle),
        }

    def _store(self) -> dict[str, Any]:
        trouble = self._journal.trouble
        return {
            "waiting": self._waiting(),
            "open": len(self._journal.open_alarms()),
            "events": len(self._journal.alarms),
            "trouble": None if trouble is None else trouble.trouble.value,
            "short": self._room.short,
        }

    async def _disk(self) -> dict[str, Any]:
        """Not from the loop, and not for ever: a disk that hangs may not answer this either."""
        if self._looking is None or self._looking.done():
            room = self._room
            self._looking = asyncio.get_running_loop().run_in_executor(None, lambda: (room.free_bytes, room.held_bytes))
        # One look at a time: those that hang hold threads that others need.
        await asyncio.wait({self._looking}, timeout=_DISK_WITHIN_S)
        free, held = self._looking.result() if self._looking.done() else (None, None)
        return {"room_bytes": free, "reserve_bytes": held}

    def _faults(self) -> list[dict[str, Any]]:
        """What holds now, what is urgent first. What is held by several marks (_about) is one fault."""
        found: dict[tuple[int, str], dict[str, Any]] = {}
        for kind, mark in self._journal.conditions:
            about = _about(kind, mark)
            meaning, told = kinds.kind_of(kind), self.faults.of(kind, about)
            if meaning.event_class == "service":
                continue  # a worker who visits is nothing that is wrong
            since_s = None if told is None else self._ages.heard_ago(told)[0] // 1000
            note = "" if told is None else told.note
            row = {"kind": meaning.name, "class": meaning.event_class, "about": about, "note": note, "since_s": since_s}
            found[kind, about] = row
        order = {name: place for place, name in enumerate(kinds.CLASSES)}
        return sorted(found.values(), key=lambda row: (order[row["class"]], row["kind"], row["about"]))


def _about(kind: int, mark: str) -> str:
    """What a condition is about: a certificate, whatever marks it has passed; a wearable, whatever of it is out."""
    if kind == kinds.WEARABLE_IMPAIRED:
        return mark.partition(" ")[0]
    return mark.rsplit(" ", 2)[0] if kind in _CERTIFICATES else mark
