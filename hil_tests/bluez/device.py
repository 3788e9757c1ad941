"""One device as bluetoothd shows it: its advertisements, and a GATT server with our two characteristics.

Owns its D-Bus objects. Must not know adapters or sessions.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dbus_fast import Message, Variant

from hil_tests.bluez.tree import Refused, Tree
from protocol import codes

_MTU = 247
_REACHED = "/service000a/char000b"
_SAYS = "/service000a/char000d"


class Device:
    """`written`: what was written to it, piece by piece."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.path = ""
        self.written: asyncio.Queue[bytes] = asyncio.Queue()
        # Refuses to be connected to with org.bluez.Error.Failed of this text.
        self.unreachable = ""
        self._tree: Tree | None = None

    def heard(self, tree: Tree, adapter: str, company: int | None, data: bytes, rssi: int) -> None:
        """It was heard advertising."""
        values = {"RSSI": Variant("n", rssi)}
        if company is not None:
            values["ManufacturerData"] = Variant("a{qv}", {company: Variant("ay", data)})
        if self.path:
            tree.change(self.path, values)
            return
        self._tree = tree
        self.path = f"{adapter}/dev_{self.address.replace(':', '_')}"
        known = {
            "Address": Variant("s", self.address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", self.address.replace(":", "-")),
            "Adapter": Variant("o", adapter),
            "Paired": Variant("b", False),
            "Trusted": Variant("b", False),
            "UUIDs": Variant("as", []),
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
        }
        tree.add(self.path, "org.bluez.Device1", {**known, **values})

    def unheard(self) -> None:
        """Discovery has ended: BlueZ takes the RSSI away, which bleak passes on like an advertisement."""
        if self.path and self._tree is not None:
            self._tree.change(self.path, {}, gone=("RSSI",))

    def forget(self) -> None:
        """Its objects have gone with the adapter or with bluetoothd."""
        self.path = ""

    def notify(self, data: bytes) -> None:
        """It says something over its connection."""
        assert self._tree is not None
        self._tree.change(self.path + _SAYS, {"Value": Variant("ay", data)})

    @property
    def connected(self) -> bool:
        """Whether somebody is connected."""
        return bool(self.path) and self._tree is not None and bool(self._tree.value(self.path, "Connected"))

    def called(self, tree: Tree, message: Message) -> tuple[str, list[Any]]:
        """A call to one of its objects."""
        if message.member == "Connect":
            self._connect(tree)
        elif message.member == "Disconnect":
            tree.change(self.path, {"ServicesResolved": Variant("b", False), "Connected": Variant("b", False)})
        elif message.member == "WriteValue":
            self.written.put_nowait(bytes(message.body[0]))
        elif message.member == "StartNotify":
            tree.change(self.path + _SAYS, {"Notifying": Variant("b", True)})
        return "", []

    def _connect(self, tree: Tree) -> None:
        if self.unreachable:
            raise Refused("org.bluez.Error.Failed", self.unreachable)
        tree.change(self.path, {"Connected": Variant("b", True)})
        service = self.path + "/service000a"
        if service not in tree.objects:
            server = {"Device": Variant("o", self.path), "Primary": Variant("b", True)}
            tree.add(service, "org.bluez.GattService1", {"UUID": Variant("s", codes.SERVICE_UUID), **server})
            self._characteristic(tree, service, _REACHED, codes.DOWN_UUID, ["write", "write-without-response"])
            self._characteristic(tree, service, _SAYS, codes.UP_UUID, ["notify"])
        tree.change(self.path, {"ServicesResolved": Variant("b", True)})

    def _characteristic(self, tree: Tree, service: str, place: str, uuid: str, flags: list[str]) -> None:
        values = {
            "UUID": Variant("s", uuid),
            "Service": Variant("o", service),
            "Flags": Variant("as", flags),
            "MTU": Variant("q", _MTU),
            "Notifying": Variant("b", False),
        }
        tree.add(self.path + place, "org.bluez.GattCharacteristic1", values)
