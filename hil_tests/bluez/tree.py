"""D-Bus objects with properties, told of as bluetoothd tells: ObjectManager and PropertiesChanged. Knows no Bluetooth.

Written on plain messages, not on dbus-fast's services: these cannot leave a call unanswered, and a fake must.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

PROPERTIES = "org.freedesktop.DBus.Properties"
_MANAGER = "org.freedesktop.DBus.ObjectManager"
_INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
Values = dict[str, Variant]


class Refused(Exception):
    """Answer with this D-Bus error: its name and text."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.text = text


class Silent(Exception):
    """Do not answer."""


class Tree:
    """`call(message)` sees every call; it returns (signature, body) or raises Refused or Silent."""

    def __init__(self, bus: MessageBus, call: Callable[[Message], tuple[str, list[Any]]]) -> None:
        self._bus = bus
        self._call = call
        self.objects: dict[str, dict[str, Values]] = {}
        # Sees each call to set a property before it is done.
        self.on_set: Callable[[str, str, Any], None] = lambda path, name, value: None
        bus.add_message_handler(self._answer)

    def add(self, path: str, interface: str, values: Values) -> None:
        """An object with one interface comes."""
        self.objects[path] = {interface: values}
        self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, {interface: values}])

    def remove(self, path: str) -> None:
        """An object and all below it go."""
        for one in [name for name in self.objects if name == path or name.startswith(path + "/")]:
            self._signal("/", _MANAGER, "InterfacesRemoved", "oas", [one, list(self.objects.pop(one))])

    def change(self, path: str, values: Values, *, gone: tuple[str, ...] = ()) -> None:
        """Properties change, or go."""
        interface, now = next(iter(self.objects[path].items()))
        now.update(values)
        for name in gone:
            now.pop(name, None)
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, values, list(gone)])

    def value(self, path: str, name: str) -> Any:
        """A property's value now."""
        return next(iter(self.objects[path].values()))[name].value

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus.connected:
            self._bus.send(Message.new_signal(path, interface, member, signature, body))

    def _answer(self, message: Message) -> Message | bool:
        if message.message_type != MessageType.METHOD_CALL:
            return False
        try:
            signature, body = self._dispatch(message)
        except Refused as refused:
            return Message.new_error(message, refused.name, refused.text)
        except Silent:
            return True
        return Message.new_method_return(message, signature, body)

    def _dispatch(self, message: Message) -> tuple[str, list[Any]]:
        if message.interface == _INTROSPECTABLE:
            return "s", [self._introspect(str(message.path))]
        # The bench's own hand is on every call first: it may refuse it or leave it unanswered.
        answer = self._call(message)
        if message.interface == _MANAGER:
            return "a{oa{sa{sv}}}", [self.objects]
        if message.interface == PROPERTIES:
            return self._property(message)
        return answer

    def _property(self, message: Message) -> tuple[str, list[Any]]:
        path = str(message.path)
        if path not in self.objects:
            raise Refused("org.freedesktop.DBus.Error.UnknownObject", path)
        values = next(iter(self.objects[path].values()))
        if message.member == "GetAll":
            return "a{sv}", [values]
        name = message.body[1]
        if message.member == "Set":
            self.on_set(path, name, message.body[2].value)
            return "", []
        return "v", [values[name]]

    def _introspect(self, path: str) -> str:
        below = {one[len(path) :].split("/")[1] for one in self.objects if one.startswith(path + "/")}
        return "<node>" + "".join(f'<node name="{name}"/>' for name in sorted(below)) + "</node>"
