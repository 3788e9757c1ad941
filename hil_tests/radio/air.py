"""The room the radios are in: who hears whom, how well, how late, and when a connection is given up.

Owns loss, delay, range, signal strength and supervision timeouts. Must not know hosts, firmware or payloads.
All chance comes from one seeded generator, so a run can be repeated as far as its timing allows.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink

from hil_tests.radio.controller import Advertisement, AirConnection, AirController
from hil_tests.radio.lane import Lane

# Core Specification, Vol 6 Part B 4.5.2: a new connection is given up when its first six events stay empty.
_ESTABLISH_EVENTS = 6
_RECORDED_MOST = 4096
_RSSI_DBM = -60
# Without a grid the six events still take time.
_INTERVAL_LEAST_S = 0.0075


@dataclass(frozen=True)
class Recorded:
    """An advertisement as anybody in the room could have recorded it."""

    name: str
    data: bytes


class Air(LocalLink):
    """Everybody on one link. `interval_s` 0: no connection events, data arrives at once."""

    def __init__(self, interval_s: float, rng: random.Random) -> None:
        super().__init__()
        self.interval_s = interval_s
        self.delay_s = 0.0
        self.loss = 0.0
        self.repeats = 0
        self.reorder = 0.0
        self.rng = rng
        self.recorded: deque[Recorded] = deque(maxlen=_RECORDED_MOST)
        self._vanished: set[str] = set()
        self._deaf: set[str] = set()
        self._rssi_dbm: dict[tuple[str, str], int] = {}
        self._lanes: dict[AirConnection, tuple[Lane, AirConnection]] = {}
        self._dying: dict[AirConnection, asyncio.TimerHandle] = {}
        self._held: dict[Controller, Callable[[], None]] = {}

    # ---- who is in reach ----

    def set_vanished(self, name: str, value: bool) -> None:
        """Take a place out of everybody's range, or bring it back."""
        (self._vanished.add if value else self._vanished.discard)(name)
        self.supervise()

    def set_deaf(self, name: str, value: bool) -> None:
        """Let a place hear nothing (jammed), or hear again."""
        (self._deaf.add if value else self._deaf.discard)(name)
        self.supervise()

    def set_rssi(self, sender: str, receiver: str, dbm: int) -> None:
        """How strongly `receiver` hears `sender`."""
        self._rssi_dbm[sender, receiver] = dbm

    def set_loss(self, value: float) -> None:
        """Let each packet be lost with this chance."""
        self.loss = value
        self.supervise()

    def hears(self, sender: str, receiver: str) -> bool:
        """Whether anything of the one can reach the other."""
        return self.loss < 1 and receiver not in self._deaf and not self._vanished & {sender, receiver}

    def passes(self, sender: str, receiver: str) -> bool:
        """Whether a packet on a connection gets through now. It takes both directions: who hears no ack sends again."""
        return self._linked(sender, receiver) and self.rng.random() >= self.loss

    def _linked(self, one: str, other: str) -> bool:
        return self.hears(one, other) and self.hears(other, one)

    def states(self) -> list[dict[str, object]]:
        """Everybody in the room."""
        return [
            {
                "name": one.name,
                "gateway": one.gateway,
                "vanished": one.name in self._vanished,
                "deaf": one.name in self._deaf,
                "advertising": one.advertiser.enabled,
                "scanning": one.le_scan_enable,
                "connections": len(one.le_connections),
            }
            for one in self._everybody()
        ]

    def _everybody(self) -> list[AirController]:
        return [one for one in self.controllers if isinstance(one, AirController)]

    # ---- advertisements ----

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """An advertisement to all who hear it, or a connection request to the one it is for."""
        if isinstance(packet, ll.ConnectInd):
            connection = sender_controller.le_connections[packet.advertiser_address]
            asyncio.get_running_loop().call_soon(self._connect, sender_controller, connection, packet)
        elif isinstance(packet, Advertisement):
            self.recorded.append(Recorded(sender_controller.name, packet.data))
            self.advertise(sender_controller.name, packet, sender_controller)

    def advertise(self, name: str, packet: Advertisement, sender: Controller | None = None) -> None:
        """Let the room hear an advertisement that comes from the place `name`."""
        for receiver in self._everybody():
            if receiver is not sender and self.hears(name, receiver.name) and self.rng.random() >= self.loss:
                self._hear(receiver, packet, self._rssi_dbm.get((name, receiver.name), _RSSI_DBM))

    def _hear(self, receiver: AirController, packet: Advertisement, rssi_dbm: int) -> None:
        def deliver() -> None:
            if receiver in self.controllers:
                receiver.on_advertisement(packet, rssi_dbm)

        held = self._held.pop(receiver, None)
        if held is None and self.rng.random() < self.reorder:
            self._held[receiver] = deliver
            return
        loop = asyncio.get_running_loop()
        for one in [deliver] * (1 + self.repeats) + ([held] if held else []):
            loop.call_later(self.delay_s, one)

    # ---- connections ----

    def _connect(self, central: Controller, connection: AirConnection, asked: ll.ConnectInd) -> None:
        for receiver in self._everybody():
            if receiver is central or not self.passes(central.name, receiver.name):
                continue
            if receiver.on_connect_ind(asked):
                return
        wait_s = _ESTABLISH_EVENTS * max(self.interval_s, _INTERVAL_LEAST_S)
        reason = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
        asyncio.get_running_loop().call_later(wait_s, self._lose, connection, reason)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Data of a connection. Bumble names the sender by its random address, also where it connected by another."""
        connection = sender_controller.le_connections.get(destination_address)
        if connection is None:
            return
        own = connection.self_address
        self._send(connection, lambda receiver: receiver.on_link_acl_data(own, transport, data))

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Control of a connection: on the same lane as its data, so a disconnection does not overtake it."""
        for one in self.controllers:
            connection = one.le_connections.get(receiver_address)
            if connection is not None and connection.self_address == sender_address:
                self._send(connection, lambda receiver: receiver.on_ll_control_pdu(sender_address, packet))
                return

    def _send(self, connection: AirConnection, arrive: Callable[[Controller], None]) -> None:
        other = self._other_end(connection)
        if other is None:
            return
        receiver = other.controller

        def deliver() -> None:
            if receiver.le_connections.get(other.peer_address) is other:
                arrive(receiver)

        lane, _ = self._lanes.setdefault(connection, (Lane(self, connection.controller.name, receiver.name), other))
        lane.send(deliver)

    def _other_end(self, connection: AirConnection) -> AirConnection | None:
        """The same connection as its other controller knows it; None once that one has given it up."""
        for one in self.controllers:
            other = one.le_connections.get(connection.self_address)
            if other is not None and other.self_address == connection.peer_address and one is not connection.controller:
                return other
        return None

    # ---- leaving, and what the others notice ----

    def remove_controller(self, controller: Controller) -> None:
        """A radio loses its power: nobody is told, its peers notice when their timeout has passed."""
        self.controllers.discard(controller)
        self._held.pop(controller, None)
        controller.set_packet_sink(None)
        for connection in controller.le_connections.values():
            self._close_lane(connection)
        if isinstance(controller, AirController):
            controller.advertiser.stop()
        self.supervise()

    def supervise(self) -> None:
        """Let the clock run for each connection whose ends do not hear each other; stop it where they do again."""
        self._forget_ended()
        for one in self._everybody():
            for connection in list(one.le_connections.values()):
                other = self._other_end(connection)
                heard = other is not None and self._linked(one.name, other.controller.name)
                timer = self._dying.get(connection)
                if heard and timer is not None:
                    self._dying.pop(connection).cancel()
                elif not heard and timer is None:
                    self._dying[connection] = asyncio.get_running_loop().call_later(
                        connection.supervision_s,
                        self._lose,
                        connection,
                        hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR,
                    )

    def _lose(self, connection: AirConnection, reason: int) -> None:
        self._dying.pop(connection, None)
        self._close_lane(connection)
        if isinstance(connection.controller, AirController):
            connection.controller.lose(connection, reason)
        self.supervise()

    def _close_lane(self, connection: AirConnection) -> None:
        if connection in self._lanes:
            lane, _ = self._lanes.pop(connection)
            lane.close()

    def _forget_ended(self) -> None:
        """A lane outlives its own end, for the last word on it is the disconnection; not the end it leads to."""
        standing = {connection for one in self.controllers for connection in one.le_connections.values()}
        for connection, (lane, other) in list(self._lanes.items()):
            if connection not in standing and (lane.empty or other not in standing):
                self._close_lane(connection)
        for connection in [one for one in self._dying if one not in standing]:
            self._dying.pop(connection).cancel()
