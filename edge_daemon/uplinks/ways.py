"""Which way out is taken. Guarantee: what is sent goes by a way that carries, if one does, and hops only when it must.

Owns the choice: the first way until it is closed or mute, then the next that is neither; back when the first has been
healthy for a while. Where none carries, the least bad of those connected, for ever. Must not know what is sent (but
that a test of a way goes by that way alone), nor who is told that a way is lost (path_watch.py).
"""

from __future__ import annotations

from collections.abc import Callable

from edge_daemon.clock import Clock
from edge_daemon.config import Ways as Settings
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm
from edge_daemon.log import Log
from edge_daemon.uplinks import answers
from edge_daemon.uplinks.way import Way
from protocol import kinds

log = Log("ways")

_TESTS = {kinds.PATH_TEST_PRIMARY: "primary", kinds.PATH_TEST_BACKUP: "backup"}


class Ways:
    """The brokers, the preferred one first. `all`: each with its health.

    `on_open`: what waits can go (again). `on_closed(way)`: what was being sent that way will not be confirmed.
    `on_message(way, kind, data)`: a down message; life signs are taken here. `on_beat`: a heartbeat is wanted now, for
    a way has come, or one was not answered.
    """

    def __init__(self, gateway: str, ways: list[Way], settings: Settings, clock: Clock, counters: Counters) -> None:
        self._gateway = gateway
        self.all = ways
        self._back_after_ms = int(settings.back_after_s * 1000)
        self._clock = clock
        self._counters = counters
        self._used = ways[0]
        self.on_open: Callable[[], None] = lambda: None
        self.on_closed: Callable[[Way], None] = lambda way: None
        self.on_message: Callable[[Way, str, bytes], None] = lambda way, kind, data: None
        self.on_beat: Callable[[], None] = lambda: None
        for way in ways:
            self._listen(way)

    @property
    def used(self) -> Way:
        """The way that was taken last, good or not."""
        return self._used

    @property
    def connected(self) -> bool:
        """Whether any broker has let us in."""
        return any(way.connected for way in self.all)

    @property
    def exhausted(self) -> bool:
        """Whether no way carries: none is connected, or those that are stay mute."""
        return not any(way.usable for way in self.all)

    def choose(self) -> Way:
        """The way for what is to be sent now. One that is not connected is only chosen where none is."""
        if self.exhausted:
            for way in self.all:
                # Two that are mute take turns: each miss makes the other one the lesser evil.
                if not way.connected:
                    way.uplink.want()
            there = [way for way in self.all if way.connected] or self.all
            return min(there, key=lambda way: sum(way.misses.values()))
        better = next((way for way in self.all if way is self._used or self._rested(way)), self._used)
        if better.usable:
            self._take(better)
        elif not self._used.usable:
            self._take(next(way for way in self.all if way.usable))
        return self._used

    def by_way(self, alarms: list[Alarm]) -> list[tuple[Way, list[Alarm]]]:
        """Each alarm with the way that it is to go; a test of a way with that one, wherever the others go."""
        named = {way.name: way for way in self.all}
        parts: dict[str, list[Alarm]] = {}
        usual = self.choose()
        for alarm in alarms:
            name = _TESTS.get(alarm.kind, usual.name) if alarm.of_gateway else usual.name
            # A way that is no more in the configuration: its test is answered anyhow, and forgotten.
            parts.setdefault(name if name in named else usual.name, []).append(alarm)
        return [(named[name], part) for name, part in parts.items()]

    def missed(self, way: Way, sent_ms: int) -> None:
        """No answer came in time to events that left by `way` at `sent_ms`."""
        way.missed("event", sent_ms)
        self.look()

    def look(self) -> None:
        """See whether another way is to be taken now, though nothing is sent."""
        self.choose()

    def _rested(self, way: Way) -> bool:
        """Whether a way may be gone back to: it never failed us, or that is long enough ago."""
        if way.tainted and way.healthy_for_ms() >= self._back_after_ms:
            way.tainted = False
        return way.healthy and not way.tainted

    def _take(self, way: Way) -> None:
        left, self._used = self._used, way
        if way is left:
            return
        log.warning("way_changed", to=way.name, was=left.name, connected=left.connected)
        self._counters.add("way_changes")
        if not left.usable:
            # What it still holds is due by the new one, and must not stand in its way.
            self.on_closed(left)
            self.on_open()

    def _listen(self, way: Way) -> None:
        async def opened() -> None:
            way.opened()
            # Another way that carries has all that waits already.
            if way is self._used or not self._used.usable:
                self.on_open()
            self.on_beat()

        def closed() -> None:
            way.closed()
            log.warning("uplink_lost", way=way.name)
            self.on_closed(way)
            self.look()

        def message(kind: str, data: bytes, correlation: bytes) -> None:
            if kind == "alive":
                self._alive(way, data, correlation)
            else:
                self.on_message(way, kind, data)

        def missed_beat() -> None:
            self.on_beat()

        way.on_missed_beat = missed_beat
        way.uplink.on_connected = opened
        way.uplink.on_disconnected = closed
        way.uplink.on_message = message

    def _alive(self, way: Way, data: bytes, correlation: bytes) -> None:
        try:
            answers.read_alive(data, self._gateway)
        except answers.NotUnderstood as error:
            self._counters.add("platform_not_understood")
            log.warning("platform_not_understood", kind="alive", why=str(error), size=len(data))
            return
        self._counters.add("alive" if way.alive(correlation) else "answers_to_nothing")
