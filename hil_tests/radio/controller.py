"""A Bumble controller that behaves in the air as a real one: intervals, kinds of advertisement, RSSI, cancelling.

Owns what one radio chip does by itself. Must not know who else is in the air (air.py). Each method that replaces one
of Bumble's says what was wrong with it.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from bumble import hci, ll
from bumble.controller import Connection, Controller, LegacyAdvertiser
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

# Core Specification, Vol 6 Part B 4.4.2.2.1: each advertising event is put off by a random 0 to 10 ms.
_ADV_DELAY_MOST_S = 0.010
_SLOT_S = 0.000625
_SUPERVISION_UNIT_S = 0.010
_AdvertisingType = hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType
_EventType = hci.HCI_LE_Advertising_Report_Event.EventType
# Bumble says it can do these and then answers with the events of a controller that cannot: Linux waits four seconds
# for the other event, and a disconnection turns into a cancelled connection attempt.
_UNTRUE = (
    hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


@dataclass
class Advertisement(ll.AdvertisingPdu):
    """A legacy advertising event: the PDU, and the scan response for who asks."""

    advertiser_address: hci.Address
    data: bytes
    response: bytes
    connectable: bool
    scannable: bool


class Advertiser(LegacyAdvertiser):
    """Bumble's takes 0.625 ms slots for milliseconds, sends ADV_IND only, and keeps its period to the microsecond."""

    def __init__(self, controller: AirController, rng: random.Random) -> None:
        super().__init__(controller)
        self._rng = rng

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        wait_s = self.advertising_interval_min * _SLOT_S + self._rng.uniform(0, _ADV_DELAY_MOST_S)
        self.timer_handle = asyncio.get_running_loop().call_later(wait_s, self._on_timer_fired)

    def send_advertising_data(self) -> None:
        """Send one event."""
        if not self.enabled:
            return
        kind = self.advertising_type
        self.controller.send_advertising_pdu(
            Advertisement(
                self.address,
                bytes(self.advertising_data),
                bytes(self.scan_response_data),
                connectable=kind == _AdvertisingType.ADV_IND,
                scannable=kind in (_AdvertisingType.ADV_IND, _AdvertisingType.ADV_SCAN_IND),
            )
        )


class AirConnection(Connection):
    """One end of a connection. Bumble's compares by content; ours is a thing of its own, and may be a key."""

    __hash__ = object.__hash__
    supervision_s: float = 0.0

    def __eq__(self, other: object) -> bool:
        return self is other


class AirController(Controller):
    """One radio. `name` is its place in the room; `gateway` says which side of the link it is on."""

    def __init__(self, name: str, link: LocalLink, address: hci.Address, rng: random.Random, *, gateway: bool) -> None:
        super().__init__(name, link=None, public_address=address)
        self.link = link
        self.gateway = gateway
        # Says that it scans and hears nothing until the scan is begun anew, as adapters' firmware does now and then.
        self.stuck = False
        self.le_features = Controller.le_features & ~_UNTRUE
        self.le_legacy_advertiser = Advertiser(self, rng)
        link.add_controller(self)

    @property
    def advertiser(self) -> LegacyAdvertiser:
        """The one advertising set there is."""
        return self.le_legacy_advertiser

    def on_advertisement(self, heard: Advertisement, rssi_dbm: int) -> None:
        """Report it and, when it is the one we wait for, connect.

        Bumble calls every advertisement connectable, at -50 dBm, and repeats its data as a scan response.
        """
        if self.le_scan_enable and not self.stuck:
            self._report(heard, rssi_dbm)
        pending = self.pending_le_connection
        if heard.connectable and pending is not None and pending.peer_address == heard.advertiser_address:
            self.create_le_connection(heard.advertiser_address)

    def on_hci_le_set_scan_enable_command(
        self, command: hci.HCI_LE_Set_Scan_Enable_Command
    ) -> hci.HCI_StatusReturnParameters:
        """A scan begins or ends."""
        self.stuck = False
        return super().on_hci_le_set_scan_enable_command(command)

    def _report(self, heard: Advertisement, rssi_dbm: int) -> None:
        kind = _EventType.ADV_NONCONN_IND
        if heard.connectable:
            kind = _EventType.ADV_IND
        elif heard.scannable:
            kind = _EventType.ADV_SCAN_IND
        self._report_one(kind, heard.advertiser_address, heard.data, rssi_dbm)
        if self.le_scan_type == hci.HCI_LE_Set_Scan_Parameters_Command.ACTIVE_SCANNING and heard.scannable:
            self._report_one(_EventType.SCAN_RSP, heard.advertiser_address, heard.response, rssi_dbm)

    def _report_one(self, kind: int, address: hci.Address, data: bytes, rssi_dbm: int) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind, address_type=address.address_type, address=address, data=data, rssi=rssi_dbm
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def create_le_connection(self, peer_address: hci.Address) -> None:
        """Ask the advertiser that was just heard for the connection we wait for."""
        pending = self.pending_le_connection
        if not isinstance(pending, hci.HCI_LE_Create_Connection_Command) or peer_address in self.le_connections:
            return
        self.pending_le_connection = None
        own = self.random_address
        if pending.own_address_type == hci.OwnAddressType.PUBLIC:
            own = self.public_address
        asked = ll.ConnectInd(
            own, peer_address, pending.connection_interval_min, pending.max_latency, pending.supervision_timeout
        )
        self._begin(hci.Role.CENTRAL, own, peer_address, asked)
        self.send_advertising_pdu(asked)

    def on_connect_ind(self, asked: ll.ConnectInd) -> bool:
        """Take a connection request; False when it is not for us or cannot be taken.

        Bumble tells the peripheral constants instead of the interval and timeout that were asked for, connects where
        the advertisement said not to, and loses a connection when its central comes again.
        """
        advertiser = self.advertiser
        connectable = advertiser.enabled and advertiser.advertising_type == _AdvertisingType.ADV_IND
        if not connectable or advertiser.address != asked.advertiser_address:
            return False
        if asked.initiator_address in self.le_connections:
            return False
        advertiser.stop()
        self._begin(hci.Role.PERIPHERAL, asked.advertiser_address, asked.initiator_address, asked)
        return True

    def _begin(self, role: hci.Role, own: hci.Address, peer: hci.Address, asked: ll.ConnectInd) -> None:
        connection = AirConnection(
            controller=self,
            handle=self.allocate_connection_handle(),
            role=role,
            self_address=own,
            peer_address=peer,
            link=self.link,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        connection.supervision_s = asked.timeout * _SUPERVISION_UNIT_S
        self.le_connections[peer] = connection
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=connection.handle,
                role=role,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=asked.interval,
                peripheral_latency=asked.latency,
                supervision_timeout=asked.timeout,
                central_clock_accuracy=0,
            )
        )

    @property
    def ends(self) -> list[AirConnection]:
        """Our ends of all connections."""
        return [one for one in self.le_connections.values() if isinstance(one, AirConnection)]

    def end_to(self, peer: hci.Address) -> AirConnection | None:
        """Our end of the connection to this address."""
        end = self.le_connections.get(peer)
        return end if isinstance(end, AirConnection) else None

    def lose(self, connection: AirConnection, reason: int) -> None:
        """End a connection for `reason` if it still stands."""
        if self.le_connections.get(connection.peer_address) is connection:
            self.on_le_disconnected(connection, reason)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Bumble says yes and goes on connecting. Core Specification, Vol 4 Part E 7.8.13: the attempt ends."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Bumble resets nothing. Connections are not told: the other end notices by its timeout."""
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.advertiser.stop()
        self.le_connections.clear()
        return super().on_hci_reset_command(command)
