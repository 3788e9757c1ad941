"""The air: carries advertisements and connections between the radios, and gives a connection up when it must end.

Owns what is on its way and the supervision timeouts. Must not know hosts, firmware or payloads, nor why somebody is
out of reach (conditions.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink

from hil_tests.radio.conditions import Conditions
from hil_tests.radio.controller import Advertisement, AirConnection, AirController
from hil_tests.radio.lane import Lane

# Core Specification, Vol 6 Part B 4.5.2: a new connection is given up when its first six events stay empty.
_ESTABLISH_EVENTS = 6
_INTERVAL_LEAST_S = 0.0075
_RECORDED_MOST = 4096


@dataclass(frozen=True)
class Recorded:
    """An advertisement as anybody in the room could have recorded it."""

    name: str
    data: bytes


class Air(LocalLink):
    """Everybody on one link."""

    def __init__(self, conditions: Conditions) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.conditions = conditions
        self.recorded: deque[Recorded] = deque(maxlen=_RECORDED_MOST)
        self._lanes: dict[AirConnection, tuple[Lane, AirConnection]] = {}
        self._dying: dict[AirConnection, asyncio.TimerHandle] = {}
        self._held: dict[AirController, Callable[[], None]] = {}
        conditions.on_change = self.supervise

    def stick(self, name: str) -> None:
        """Let the scan of a place hear nothing until it is begun anew."""
        for one in self._everybody():
            one.stuck = one.stuck or one.name == name

    def states(self) -> list[dict[str, object]]:
        """Everybody in the room, as the control's `list` tells it."""
        return [
            {
                "name": one.name,
                "gateway": one.gateway,
                "vanished": self.conditions.vanished(one.name),
                "deaf": self.conditions.deaf(one.name),
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
        if not isinstance(sender_controller, AirController):
            return
        if isinstance(packet, Advertisement):
            self.recorded.append(Recorded(sender_controller.name, packet.data))
            self.advertise(sender_controller.name, packet)
        elif isinstance(packet, ll.ConnectInd):
            end = sender_controller.end_to(packet.advertiser_address)
            asyncio.get_running_loop().call_soon(self._connect, sender_controller, end, packet)

    def advertise(self, name: str, packet: Advertisement) -> None:
        """Let the room hear an advertisement that comes from the place `name`."""
        for receiver in self._everybody():
            if receiver.name != name and self.conditions.hears(name, receiver.name) and not self.conditions.lost():
                self._hear(receiver, packet, self.conditions.rssi_dbm(name, receiver.name))

    def _hear(self, receiver: AirController, packet: Advertisement, rssi_dbm: int) -> None:
        def deliver() -> None:
            if receiver in self.controllers:
                receiver.on_advertisement(packet, rssi_dbm)

        held = self._held.pop(receiver, None)
        if held is None and self.conditions.rng.random() < self.conditions.reorder:
            self._held[receiver] = deliver
            return
        loop = asyncio.get_running_loop()
        for one in [deliver] * (1 + self.conditions.repeats) + ([held] if held else []):
            loop.call_later(self.conditions.delay_s, one)

    # ---- connections ----

    def _connect(self, central: AirController, end: AirConnection | None, asked: ll.ConnectInd) -> None:
        """Bring a request to its advertiser. When it is lost, the central believes in a connection for a while."""
        for receiver in self._everybody():
            if receiver is central or not self.conditions.passes(central.name, receiver.name):
                continue
            if receiver.on_connect_ind(asked):
                return
        if end is not None:
            wait_s = _ESTABLISH_EVENTS * max(self.conditions.interval_s, _INTERVAL_LEAST_S)
            reason = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
            asyncio.get_running_loop().call_later(wait_s, self._lose, end, reason)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Data of a connection. Bumble names the sender by its random address, also where it connected by another."""
        if isinstance(sender_controller, AirController) and (end := sender_controller.end_to(destination_address)):
            own = end.self_address
            self._send(end, lambda receiver: receiver.on_link_acl_data(own, transport, data))

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Control of a connection: on the same lane as its data, so that a disconnection does not overtake it."""
        for one in self._everybody():
            end = one.end_to(receiver_address)
            if end is not None and end.self_address == sender_address:
                self._send(end, lambda receiver: receiver.on_ll_control_pdu(sender_address, packet))
                return

    def _send(self, end: AirConnection, arrive: Callable[[Controller], None]) -> None:
        other = self._other_end(end)
        if other is None:
            return
        receiver = other.controller

        def deliver() -> None:
            if receiver.le_connections.get(other.peer_address) is other:
                arrive(receiver)

        if end not in self._lanes:
            self._lanes[end] = Lane(self.conditions, end.controller.name, receiver.name), other
        self._lanes[end][0].send(deliver)

    def _other_end(self, end: AirConnection) -> AirConnection | None:
        """The same connection as its other controller knows it; None once that one has given it up."""
        for one in self._everybody():
            other = one.end_to(end.self_address)
            if other is not None and other.self_address == end.peer_address and one is not end.controller:
                return other
        return None

    # ---- leaving, and what the others notice ----

    def remove_controller(self, controller: Controller) -> None:
        """A radio loses its power: nobody is told, its peers notice when their timeout has passed."""
        self.controllers.discard(controller)
        controller.set_packet_sink(None)
        if isinstance(controller, AirController):
            self._held.pop(controller, None)
            controller.advertiser.stop()
            for end in controller.ends:
                self._close_lane(end)
        self.supervise()

    def supervise(self) -> None:
        """Let the clock run for each connection whose ends do not hear each other; stop it where they do again."""
        self._forget_ended()
        for end in [end for one in self._everybody() for end in one.ends]:
            other = self._other_end(end)
            if other is not None and self.conditions.linked(end.controller.name, other.controller.name):
                if end in self._dying:
                    self._dying.pop(end).cancel()
            elif end not in self._dying:
                reason = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
                loop = asyncio.get_running_loop()
                self._dying[end] = loop.call_later(end.supervision_s, self._lose, end, reason)

    def _lose(self, end: AirConnection, reason: int) -> None:
        self._dying.pop(end, None)
        self._close_lane(end)
        if isinstance(end.controller, AirController):
            end.controller.lose(end, reason)
        self.supervise()

    def _close_lane(self, end: AirConnection) -> None:
        if end in self._lanes:
            lane, _ = self._lanes.pop(end)
            lane.close()

    def _forget_ended(self) -> None:
        """A lane outlives its own end, for the last word on it is the disconnection; not the end it leads to."""
        standing = {end for one in self._everybody() for end in one.ends}
        for end, (lane, other) in list(self._lanes.items()):
            if end not in standing and (lane.empty or other not in standing):
                self._close_lane(end)
        for end in [one for one in self._dying if one not in standing]:
            self._dying.pop(end).cancel()
