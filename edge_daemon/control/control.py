"""The control socket put together: who is told of what is seen, and which asks there are. Owns that wiring.

What the pipeline sees is handed on by the event loop's next turn: nothing that happens here can hold up or hurt an
alarm on its way. Each part's guarantee stands in its own first lines.
"""

from __future__ import annotations

import asyncio
from typing import Any

from edge_daemon.admission import Admitted
from edge_daemon.clock import Clock
from edge_daemon.config import Config
from edge_daemon.control.server import Ask, ControlServer
from edge_daemon.control.sightings import Sightings
from edge_daemon.control.status import Status
from edge_daemon.control.test_mode import Testing
from edge_daemon.control.watching import Watching
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm
from edge_daemon.uplinks.path_watch import PathWatch


class Control:
    """Made before the parts it speaks of, so that they can tell it things; `open` when all are there, then `run`."""

    def __init__(self, config: Config, clock: Clock, counters: Counters) -> None:
        self.watching = Watching(clock)
        self.sightings = Sightings()
        self._server = ControlServer(config.control_socket, self.watching, counters)
        self._status: Status | None = None
        self._testing: Testing | None = None

    def add(self, name: str, ask: Ask) -> None:
        """One more ask, by its name in requests."""
        self._server.asks[name] = ask

    def add_status(self, status: Status, paths: PathWatch) -> None:
        """The asks `status` and `path_test`."""

        async def path_test(_request: dict[str, Any]) -> dict[str, Any]:
            return {"ways": paths.test_now()}

        self._status = status
        self.add("status", status.answer)
        self.add("path_test", path_test)

    def add_test(self, testing: Testing) -> None:
        """The ask `test`."""
        self._testing = testing
        self.add("test", testing.answer)

    def forget(self, handle: str) -> None:
        """A wearable is not ours any more."""
        self.sightings.forget(handle)
        if self._testing is not None:
            self._testing.forget(handle)

    async def open(self) -> None:
        """Make the socket. Raises Refusal where another gateway has it."""
        await self._server.open()

    async def run(self) -> None:
        """Serve for ever."""
        await self._server.run()

    def heard(self, admitted: Admitted) -> None:
        """A genuine frame was taken."""
        asyncio.get_running_loop().call_soon(self._heard, admitted)

    def committed(self, alarm: Alarm, stored: bool) -> None:
        """An event was written down, or could not be."""
        asyncio.get_running_loop().call_soon(self._committed, alarm, stored)

    def news(self, alarm: Alarm) -> None:
        """What a wearer may be told of an event has changed."""
        asyncio.get_running_loop().call_soon(self.watching.news, alarm)

    def _heard(self, admitted: Admitted) -> None:
        said = self.sightings.heard(admitted)
        self.watching.say("heard", **said)
        if self._testing is not None:
            self._testing.heard(said)

    def _committed(self, alarm: Alarm, stored: bool) -> None:
        if alarm.of_gateway and self._status is not None:
            self._status.faults.told(alarm)
        self.watching.committed(alarm, stored=stored)
