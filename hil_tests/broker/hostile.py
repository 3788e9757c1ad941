"""A hostile TCP proxy between a gateway and its broker: away, flapping, half open, slow, doubling, inventing.

Owns the connections and what befalls their bytes. Knows where an MQTT packet ends, and nothing of what it says.
What is random comes from the generator that it is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from hil_tests.broker import packets

_READ_SIZE = 65536
_SLICES_PER_S = 20

# (up: from the gateway, one whole packet) -> what goes on in its place.
Edit = Callable[[bool, bytes], list[bytes]]


@dataclass
class Weather:
    """What happens to connections from now on; the fields may be set at any moment.

    `swallow`: new ones are taken, reach nobody and are never answered. `cut_after`: each new one breaks after so many
    bytes at most (at random, mid-packet). `bytes_per_s`, `latency_s`: both ways; 0: as fast as it goes.
    """

    swallow: bool = False
    cut_after: int | None = None
    bytes_per_s: float = 0.0
    latency_s: float = 0.0
    edit: Edit | None = None


@dataclass(eq=False)
class _Connection:
    """`left`: bytes until it breaks; `dead`: carries nothing for as long as it lives, as if the far end had gone."""

    gateway: asyncio.StreamWriter
    broker: asyncio.StreamWriter | None = None
    left: int | None = None
    dead: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def abort(self) -> None:
        for writer in (self.gateway, self.broker):
            if writer is not None:
                writer.transport.abort()


class HostileProxy:
    """Use `async with hostile(broker_port, chance) as proxy:`. `taken`: connections so far."""

    def __init__(self, target: int, chance: random.Random) -> None:
        self.weather = Weather()
        self.port = 0
        self.taken = 0
        self._target = target
        self._chance = chance
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take connections (again), always on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        """Refuse connections, and break those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Break every connection at once, without a word."""
        for connection in list(self._connections):
            connection.abort()

    def fall_silent(self) -> None:
        """Every connection there is stays open and carries nothing ever again."""
        for connection in self._connections:
            connection.dead = True

    def invent(self, data: bytes) -> int:
        """Put bytes between two packets of the broker on every live connection; returns to how many."""
        live = [one for one in self._connections if one.broker is not None and not one.dead]
        for connection in live:
            connection.gateway.write(data)
        return len(live)

    async def end(self) -> None:
        """Break everything and take no more."""
        self.shut()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        # An aborted transport closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.taken += 1
        connection = _Connection(writer)
        self._connections.add(connection)
        try:
            with contextlib.suppress(OSError):
                await self._serve(connection, reader)
        finally:
            connection.abort()
            self._connections.discard(connection)
            self._serving.discard(task)

    async def _serve(self, connection: _Connection, reader: asyncio.StreamReader) -> None:
        if self.weather.cut_after is not None:
            connection.left = self._chance.randrange(self.weather.cut_after)
        if self.weather.swallow:
            connection.dead = True
            while await reader.read(_READ_SIZE):
                pass
            return
        back, connection.broker = await asyncio.open_connection("127.0.0.1", self._target)
        carrying = [
            asyncio.create_task(self._carry(connection, up, source)) for up, source in ((True, reader), (False, back))
        ]
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
            # A dead one does not tell the gateway that the broker has hung up on it.
            if connection.dead:
                await asyncio.wait(carrying[:1])
        finally:
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)

    async def _carry(self, connection: _Connection, up: bool, source: asyncio.StreamReader) -> None:
        cutter = packets.Packets()
        while data := await source.read(_READ_SIZE):
            for packet in cutter.feed(data):
                for passed in self.weather.edit(up, packet) if self.weather.edit else [packet]:
                    await self._pass(connection, up, passed)

    async def _pass(self, connection: _Connection, up: bool, data: bytes) -> None:
        sink = connection.broker if up else connection.gateway
        assert sink is not None
        if self.weather.latency_s:
            await asyncio.sleep(self.weather.latency_s)
        while data and not connection.dead:
            size = len(data)
            if self.weather.bytes_per_s:
                size = max(int(self.weather.bytes_per_s / _SLICES_PER_S), 1)
            piece, data = data[:size], data[size:]
            if connection.left is not None:
                piece = piece[: connection.left]
                connection.left -= len(piece)
            sink.write(piece)
            await sink.drain()
            if connection.left == 0:
                # Out of the door before it is slammed: the gateway is to see half a packet.
                await asyncio.sleep(0)
                connection.abort()
                return
            if self.weather.bytes_per_s:
                await asyncio.sleep(len(piece) / self.weather.bytes_per_s)


@contextlib.asynccontextmanager
async def hostile(target: int, chance: random.Random) -> AsyncIterator[HostileProxy]:
    """An open proxy to the broker on loopback port `target`, friendly until its weather is changed."""
    proxy = HostileProxy(target, chance)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.end()
