"""Every watch of one gateway, put together. Owns which there are; each one's deadlines stand in its own first lines."""

from __future__ import annotations

from collections.abc import Iterable

from edge_daemon.clock import Clock
from edge_daemon.config import Supervision as Settings
from edge_daemon.faults import Faults
from edge_daemon.journal import Journal
from edge_daemon.journal.room import Room
from edge_daemon.supervision import Watch, power_sources
from edge_daemon.supervision.certificates import Certificates
from edge_daemon.supervision.links import LinkWatch, States
from edge_daemon.supervision.power import PowerWatch
from edge_daemon.supervision.store import StoreWatch
from edge_daemon.supervision.time import TimeWatch
from edge_daemon.supervision.wearables import WearableWatch
from edge_daemon.tls import Tls


class Watches:
    """`expected`: the wearables that are to be heard; `lines`: the serial lines, as heartbeats have them.

    `all` are to be run, by name.
    """

    def __init__(
        self,
        settings: Settings,
        expected: Iterable[str],
        lines: States,
        brokers: dict[str, Tls],
        room: Room,
        journal: Journal,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self.wearables = WearableWatch(expected, journal, faults, settings, clock)
        self.certificates = Certificates(brokers, faults, clock)
        self.power = PowerWatch(power_sources.configured(settings), faults, clock)
        self.all: dict[str, Watch] = {
            "certificates": self.certificates,
            "store": StoreWatch("journal.sqlite3", journal, room, faults, clock),
            "wearables": self.wearables,
            "lines": LinkWatch(lines, faults, settings, clock),
            "time": TimeWatch(faults, clock),
            "power": self.power,
        }
