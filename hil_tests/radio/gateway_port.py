"""A gateway's adapter: an HCI socket that any host may open, as if it plugged a dongle in.

Owns the listening socket of one adapter. Must not know the host. A host that goes takes the adapter's power with it:
its peers notice by their timeout; the next host finds a fresh adapter of the same name and address.
"""

from __future__ import annotations

import asyncio
import logging

from bumble.transport.common import StreamPacketSink, StreamPacketSource

from hil_tests.radio.air import Air
from hil_tests.radio.controller import AirController
from hil_tests.radio.peripheral import address_of

log = logging.getLogger(__name__)


class _Host(StreamPacketSource):
    """One host on the socket."""

    def __init__(self, port: GatewayPort) -> None:
        super().__init__()
        self._port = port
        self.controller: AirController | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.controller = self._port.plug_in(self)
        self.controller.set_packet_sink(StreamPacketSink(transport))
        self.set_packet_sink(self.controller)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._port.unplug(self)


class GatewayPort:
    """The socket of the adapter `name`."""

    def __init__(self, name: str, air: Air) -> None:
        self._name = name
        self._air = air
        self._host: _Host | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, spec: str) -> None:
        """Listen at `unix:PATH` or `tcp:HOST:PORT`. Raises OSError, or ValueError for another spec."""
        kind, _, rest = spec.partition(":")
        loop = asyncio.get_running_loop()
        if kind == "unix":
            self._server = await loop.create_unix_server(lambda: _Host(self), rest)
        elif kind == "tcp":
            host, _, port = rest.rpartition(":")
            self._server = await loop.create_server(lambda: _Host(self), host, int(port))
        else:
            raise ValueError(f"{spec}: neither unix:PATH nor tcp:HOST:PORT")

    def close(self) -> None:
        """Stop listening and pull the plug."""
        if self._server is not None:
            self._server.close()
        if self._host is not None and self._host.transport is not None:
            self._host.transport.abort()

    def plug_in(self, host: _Host) -> AirController:
        """A host has come: the one before, if it is still there, loses the adapter."""
        if self._host is not None and self._host.transport is not None:
            self._host.transport.abort()
            self.unplug(self._host)
        self._host = host
        log.info("%s: plugged in", self._name)
        return AirController(self._name, self._air, address_of(self._name), self._air.conditions.rng, gateway=True)

    def unplug(self, host: _Host) -> None:
        """A host has gone."""
        if host.controller is not None:
            self._air.remove_controller(host.controller)
            host.controller = None
            log.info("%s: unplugged", self._name)
        if self._host is host:
            self._host = None
