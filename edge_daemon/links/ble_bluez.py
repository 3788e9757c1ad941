"""What bluetoothd says of the adapter, beside bleak: bleak's scanner does not tell that its scan has died.

Owns a D-Bus connection of its own. Must not know scans, and decides nothing: `on_news` says "look again", `look` says
what is. Where there is no system bus (the bench), everything goes on without it. Interfaces: BlueZ org.bluez.Adapter1,
org.freedesktop.systemd1.Manager.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dbus_fast import AuthError, BusType, InvalidAddressError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from edge_daemon.log import Log

log = Log("link.ble")

BLUEZ = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
_ROOT = "/org/bluez"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_BUS = "org.freedesktop.DBus"
_RETRY_FIRST_S = 1.0
_RETRY_MOST_S = 60.0
# Adapters only, never the hundreds of devices below them: a flood must not come in by this door, too.
_RULES = (
    f"type='signal',sender='{_BUS}',interface='{_BUS}',member='NameOwnerChanged',arg0='{BLUEZ}'",
    f"type='signal',sender='{BLUEZ}',interface='{_BUS}.ObjectManager',arg0path='{{path}}'",
    f"type='signal',sender='{BLUEZ}',interface='{_PROPERTIES}',member='PropertiesChanged',path='{{path}}'",
)
_ADAPTERS_MOST = 16


class BluezFailed(Exception):
    """bluetoothd, systemd or the bus did not do what was asked; str() is the D-Bus error's name and text."""


class BluezSilent(BluezFailed):
    """There was no answer at all."""


@dataclass(frozen=True)
class Said:
    """What bluetoothd says now. `name` "" : it has no such adapter, or does not run."""

    name: str = ""
    powered: bool = False
    discovering: bool = False

    @property
    def scanning(self) -> bool:
        """Whether there is an adapter, and it scans."""
        return not self.trouble

    @property
    def trouble(self) -> str:
        """Why it does not scan."""
        if not self.name:
            return "no adapter"
        if not self.powered:
            return "powered off"
        return "" if self.discovering else "discovery stopped"


class Bluez:
    """`wanted`: the adapter's name, "" for the first that is powered."""

    def __init__(self, wanted: str, answer_within_s: float) -> None:
        self._wanted = wanted
        self._answer_within_s = answer_within_s
        self._bus: MessageBus | None = None
        # After a USB reset hci0 may come back as hci1: it is known by its address.
        self._address = ""
        self.name = wanted
        self._watched: set[str] = set()
        self.on_news: Callable[[], None] = lambda: None
        # Set when the system bus has been found, or found missing, for the first time.
        self.tried = asyncio.Event()

    async def run(self) -> None:
        """Be connected to the system bus for ever, or try to."""
        wait_s = _RETRY_FIRST_S
        while True:
            try:
                bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
            except (OSError, EOFError, AuthError, InvalidAddressError) as error:
                log.debug("no_system_bus", why=str(error) or type(error).__name__)
                self.tried.set()
            else:
                wait_s = _RETRY_FIRST_S
                await self._stay(bus)
                log.warning("system_bus_lost")
                self.on_news()
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _RETRY_MOST_S)

    async def _stay(self, bus: MessageBus) -> None:
        self._bus = bus
        self._watched.clear()
        try:
            bus.add_message_handler(self._signal)
            await self._call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", [_RULES[0]])
            await self.look()
            self.tried.set()
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        except (OSError, EOFError, BluezFailed) as error:
            log.debug("system_bus_failed", why=str(error) or type(error).__name__)
        finally:
            self._bus = None
            bus.disconnect()
            with suppress(OSError, EOFError):
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def _signal(self, message: Message) -> None:
        if message.message_type == MessageType.SIGNAL and (message.path or "").startswith(("/org/bluez", "/")):
            if message.member == "PropertiesChanged" and not {"Powered", "Discovering"} & set(message.body[1]):
                return
            if message.member in ("PropertiesChanged", "InterfacesRemoved", "InterfacesAdded", "NameOwnerChanged"):
                self.on_news()

    async def look(self) -> Said | None:
        """The adapter's state; None where there is nobody to ask, or no answer. Never raises."""
        try:
            return await self._look()
        except BluezFailed as error:
            log.debug("bluez_not_asked", why=str(error))
            return None

    async def _look(self) -> Said:
        if self._bus is None:
            raise BluezFailed("no system bus")
        owned = await self._call(_BUS, "/org/freedesktop/DBus", _BUS, "NameHasOwner", "s", [BLUEZ])
        if not owned[0]:
            return Said()
        adapters = {name: await self._adapter(name) for name in await self._names()}
        name = self._choose({name: said for name, said in adapters.items() if said})
        if not name:
            return Said()
        await self._watch(f"{_ROOT}/{name}")
        said = adapters[name]
        self.name = name
        self._address = str(said.get("Address", ""))
        return Said(name, bool(said.get("Powered")), bool(said.get("Discovering")))

    async def _names(self) -> list[str]:
        """The adapters there are; asked in this way because GetManagedObjects would name every device in the street."""
        xml = (await self._call(BLUEZ, _ROOT, f"{_BUS}.Introspectable", "Introspect"))[0]
        return sorted(re.findall(r'<node name="(hci[0-9]+)"', xml))[:_ADAPTERS_MOST]

    async def _adapter(self, name: str) -> dict[str, Any]:
        try:
            said = (await self._call(BLUEZ, f"{_ROOT}/{name}", _PROPERTIES, "GetAll", "s", [ADAPTER]))[0]
        except BluezSilent:
            raise
        except BluezFailed:
            return {}  # it has just gone
        return {key: value.value for key, value in said.items()}

    def _choose(self, adapters: dict[str, dict[str, Any]]) -> str:
        if self._wanted in adapters:
            return self._wanted
        same = [name for name, said in adapters.items() if self._address and said.get("Address") == self._address]
        if same:
            return same[0]
        if self._wanted:
            return ""
        powered = [name for name, said in adapters.items() if said.get("Powered")]
        return next(iter(powered or adapters), "")

    async def _watch(self, path: str) -> None:
        if path not in self._watched:
            for rule in _RULES[1:]:
                await self._call(_BUS, "/org/freedesktop/DBus", _BUS, "AddMatch", "s", [rule.format(path=path)])
            self._watched.add(path)

    async def set_powered(self, on: bool) -> None:
        """Switch the adapter. Raises BluezFailed: no adapter, blocked by rfkill, not permitted, no answer."""
        said = await self._look()
        if not said.name:
            raise BluezFailed("no adapter")
        body = [ADAPTER, "Powered", Variant("b", on)]
        await self._call(BLUEZ, f"{_ROOT}/{said.name}", _PROPERTIES, "Set", "ssv", body)

    async def restart_service(self, unit: str) -> None:
        """Have systemd restart bluetoothd. Raises BluezFailed: no systemd, no permission (polkit), no answer."""
        manager = "org.freedesktop.systemd1"
        await self._call(
            manager, "/org/freedesktop/systemd1", f"{manager}.Manager", "RestartUnit", "ss", [unit, "replace"]
        )

    async def _call(
        self, to: str, path: str, interface: str, member: str, signature: str = "", body: list[Any] | None = None
    ) -> list[Any]:
        if self._bus is None:
            raise BluezFailed("no system bus")
        message = Message(to, path, interface, member, signature=signature, body=body or [])
        try:
            async with asyncio.timeout(self._answer_within_s):
                reply = await self._bus.call(message)
        except TimeoutError:
            raise BluezSilent(f"{member}: no answer") from None
        except (OSError, EOFError) as error:
            raise BluezFailed(f"{member}: {error or type(error).__name__}") from error
        assert reply is not None
        if reply.message_type == MessageType.ERROR:
            raise BluezFailed(f"{member}: {reply.error_name} {' '.join(map(str, reply.body))}".strip())
        return reply.body
