"""A clock that a test moves, and brokers that a test connects: for what is a matter of minutes and of who is there."""

from __future__ import annotations

from edge_daemon.clock import Clock
from edge_daemon.config import Ways as Settings
from edge_daemon.counters import Counters
from edge_daemon.uplinks.way import Way
from edge_daemon.uplinks.ways import Ways

from .core import StandInUplink

ALIVE = b'{"v":1,"gateway":"gw-1"}'


class HandClock(Clock):
    """Stands still until `pass_s`. It was wound at some time of day, which NTP vouches for."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 5_000_000
        self.wall_offset_ms = 1_795_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def wall_ms(self) -> int:
        return self.ms + self.wall_offset_ms

    def wall_at(self, now_ms: int) -> int:
        return now_ms + self.wall_offset_ms

    def synced(self) -> bool:
        return True

    def pass_s(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


class Line(StandInUplink):
    """A stand-in that a test connects and cuts; `tokens`: the correlation data of each heartbeat."""

    def __init__(self) -> None:
        super().__init__()
        self.connected = False
        self.wanted = 0
        self.tokens: list[bytes] = []

    def want(self) -> None:
        self.wanted += 1

    async def publish(self, kind: str, data: bytes, **more: object) -> None:
        if kind == "heartbeat":
            assert more["answer"] == "alive"
            assert isinstance(more["correlation"], bytes)
            self.tokens.append(more["correlation"])
        await super().publish(kind, data)

    async def come(self) -> None:
        self.connected = True
        await self.on_connected()

    def go(self) -> None:
        self.connected = False
        self.on_disconnected()


class Two:
    """A primary and a backup; nobody is connected. `opened`: how often what waits was let go; `beats`: was wanted."""

    def __init__(self, settings: Settings | None = None, names: tuple[str, ...] = ("primary", "backup")) -> None:
        self.clock = HandClock()
        self.counters = Counters()
        self.settings = settings or Settings()
        self.lines = {name: Line() for name in names}
        self.way = {name: Way(name, line, self.settings.misses, 5.0, self.clock) for name, line in self.lines.items()}
        self.ways = Ways("gw-1", list(self.way.values()), self.settings, self.clock, self.counters)
        self.opened = 0
        self.beats = 0
        self.closed: list[str] = []
        self.ways.on_open = self._opened
        self.ways.on_beat = self._beat
        self.ways.on_closed = lambda way: self.closed.append(way.name)

    def _opened(self) -> None:
        self.opened += 1

    def _beat(self) -> None:
        self.beats += 1

    async def alive(self, *names: str) -> None:
        """A heartbeat by each of these ways, and its answer."""
        for name in names or tuple(self.lines):
            await self.way[name].beat(b"{}")
            self.lines[name].on_message("alive", ALIVE, self.lines[name].tokens[-1])

    async def both(self) -> None:
        """Both connected and healthy."""
        for line in self.lines.values():
            await line.come()
        await self.alive()

    def miss(self, name: str, times: int = 1) -> None:
        """Events that go by this way and are not answered, one after another, each for 5 s."""
        for _ in range(times):
            sent_ms = self.clock.ms
            self.clock.pass_s(5)
            self.ways.missed(self.way[name], sent_ms)

    def hops(self) -> int:
        return self.counters.snapshot().get("way_changes", 0)
