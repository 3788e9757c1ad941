"""bluetoothd as far as bleak sees it, with one adapter: and everything that goes wrong with it, at a word.

Owns org.bluez on a private bus: discovery sessions, devices, connections (device.py has what a device is). By imitation
of BlueZ 5.66 src/adapter.c; what was looked up: a session per client, which goes with the client; InProgress for a
second one; NotReady without power; RSSI taken from all devices when discovery ends; a power cycle ends all sessions.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from hil_tests.bluez.device import Device
from hil_tests.bluez.tree import Refused, Silent, Tree, Values

ADAPTER = "org.bluez.Adapter1"
_ERROR = "org.bluez.Error."


class Bluetoothd:
    """Make it with `await Bluetoothd.start(address)`. What is public may be set at any time."""

    def __init__(self, address: str) -> None:
        self._bus_address = address
        self._bus: MessageBus | None = None
        self._tree: Tree | None = None
        self._devices: dict[str, Device] = {}
        self._sessions: set[str] = set()
        self.name = "hci0"
        self.there = True
        # What its firmware does: it says that it scans, and hears nothing.
        self.deaf = False
        # Of "scan", "power", "usb", "bluetoothd": what brings a deaf one back.
        self.cured_by: set[str] = set()
        self.powered = True
        # Of a method or "Powered": leave it unanswered, or answer with org.bluez.Error.<this>.
        self.hanging: set[str] = set()
        self.refusing: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.on_powered: Callable[[bool], None] = lambda on: None

    @classmethod
    async def start(cls, address: str) -> Bluetoothd:
        """Come up on the bus at `address`."""
        daemon = cls(address)
        await daemon.up()
        return daemon

    @property
    def path(self) -> str:
        """The adapter's object."""
        return f"/org/bluez/{self.name}"

    @property
    def discovering(self) -> bool:
        """Whether anybody's discovery is under way."""
        return bool(self._sessions)

    # ---- the process ----

    async def up(self) -> None:
        """The process starts."""
        self._bus = await MessageBus(bus_address=self._bus_address, bus_type=BusType.SYSTEM).connect()
        self._tree = Tree(self._bus, self._called)
        self._tree.on_set = self._set
        self._bus.add_message_handler(self._left)
        rule = "type='signal',interface='org.freedesktop.DBus',member='NameOwnerChanged'"
        to = "org.freedesktop.DBus"
        await self._bus.call(Message(to, "/org/freedesktop/DBus", to, "AddMatch", signature="s", body=[rule]))
        await self._bus.request_name("org.bluez")
        if self.there:
            self._show()

    async def down(self) -> None:
        """The process is killed: it says goodbye to nobody."""
        assert self._bus is not None
        self._sessions.clear()
        for device in self._devices.values():
            device.forget()
        self._bus.disconnect()
        with suppress(OSError, EOFError):  # of a bus that was killed
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    async def restart(self) -> None:
        """As systemd restarts it."""
        await self.down()
        self._cure("bluetoothd")
        self.hanging.clear()
        await self.up()

    # ---- the adapter ----

    def unplug(self) -> None:
        """The adapter is pulled out."""
        self.there = False
        self._sessions.clear()
        for device in self._devices.values():
            device.forget()
        self._now.remove(self.path)

    def plug(self, name: str = "hci0", *, powered: bool = True) -> None:
        """It is put in; the kernel may give it another name."""
        self.there, self.name, self.powered = True, name, powered
        self._cure("usb")
        self._show()

    def power(self, on: bool) -> None:
        """Somebody switches it."""
        if on and not self.powered:
            self._cure("power")
        self.powered = on
        if not on:
            self.stop_discovering()
        self._now.change(self.path, {"Powered": Variant("b", on)})
        self.on_powered(on)

    def stop_discovering(self) -> None:
        """Every session ends, whoever wanted it."""
        if not self._sessions:
            return
        self._sessions.clear()
        for device in self._devices.values():
            device.unheard()
        self._now.change(self.path, {"Discovering": Variant("b", False)})

    def _show(self) -> None:
        values: Values = {
            "Address": Variant("s", "A1:00:00:00:00:02"),
            "Powered": Variant("b", self.powered),
            "Discovering": Variant("b", False),
            "Roles": Variant("as", ["central"]),
        }
        self._now.add(self.path, ADAPTER, values)

    def _cure(self, remedy: str) -> None:
        if remedy in self.cured_by:
            self.deaf = False

    @property
    def _now(self) -> Tree:
        assert self._tree is not None
        return self._tree

    # ---- the air ----

    def device(self, address: str) -> Device:
        """A device of this address."""
        return self._devices.setdefault(address, Device(address))

    def advertise(self, device: Device, company: int | None, data: bytes = b"", rssi: int = -60) -> bool:
        """A device advertises once; whether it was heard."""
        if not (self.there and self.powered and self._sessions) or self.deaf:
            return False
        device.heard(self._now, self.path, company, data, rssi)
        return True

    async def advertise_for_ever(self, address: str, company: int | None, data: bytes, every_s: float) -> None:
        """A device that advertises until it is cancelled."""
        rssi = -60
        while True:
            rssi = -61 if rssi == -60 else -60
            self.advertise(self.device(address), company, data, rssi)
            await asyncio.sleep(every_s)

    # ---- calls ----

    def _called(self, message: Message) -> tuple[str, list[Any]]:
        member = str(message.member)
        named = "Powered" if member == "Set" else member
        self.calls[named] += 1
        if named in self.hanging:
            raise Silent
        if named in self.refusing:
            raise Refused(_ERROR + self.refusing[named], "as the test wants it")
        if message.interface == ADAPTER:
            self._adapter(member, str(message.sender), str(message.path))
            return "", []
        for device in self._devices.values():
            if device.path and str(message.path).startswith(device.path):
                return device.called(self._now, message)
        return "", []

    def _adapter(self, member: str, sender: str, path: str) -> None:
        if not self.there or path != self.path:
            raise Refused("org.freedesktop.DBus.Error.UnknownObject", path)
        if not self.powered:
            raise Refused(_ERROR + "NotReady", "Resource Not Ready")
        if member == "StartDiscovery":
            if sender in self._sessions:
                raise Refused(_ERROR + "InProgress", "Operation already in progress")
            self._cure("scan")
            self._sessions.add(sender)
            self._now.change(self.path, {"Discovering": Variant("b", True)})
        elif member == "StopDiscovery":
            if sender not in self._sessions:
                raise Refused(_ERROR + "Failed", "No discovery started")
            self._leave(sender)

    def _leave(self, client: str) -> None:
        if self._sessions == {client}:
            self.stop_discovering()
        self._sessions.discard(client)

    def _set(self, path: str, name: str, value: Any) -> None:
        if path == self.path and name == "Powered":
            self.power(bool(value))

    def _left(self, message: Message) -> bool:
        """A client's connection has gone, and its session with it."""
        if message.message_type == MessageType.SIGNAL and message.member == "NameOwnerChanged" and not message.body[2]:
            self._leave(message.body[0])
        return False
