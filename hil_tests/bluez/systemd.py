"""systemd as far as RestartUnit goes. Owns org.freedesktop.systemd1 on a private bus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

_NAME = "org.freedesktop.systemd1"


class Systemd:
    """`restart()` is done for each unit that may be restarted; `permits`: what polkit says."""

    def __init__(self, bus: MessageBus, restart: Callable[[], Awaitable[None]]) -> None:
        self._bus = bus
        self._restart = restart
        self._tasks: set[asyncio.Task[None]] = set()
        self.permits = True
        self.asked: list[str] = []
        bus.add_message_handler(self._answer)

    @classmethod
    async def start(cls, address: str, restart: Callable[[], Awaitable[None]]) -> Systemd:
        """Come up on the bus at `address`."""
        systemd = cls(await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect(), restart)
        await systemd._bus.request_name(_NAME)
        return systemd

    async def stop(self) -> None:
        """Leave the bus."""
        await asyncio.gather(*self._tasks)
        self._bus.disconnect()
        with suppress(OSError, EOFError):  # of a bus that was killed
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def _answer(self, message: Message) -> Message | bool:
        if message.message_type != MessageType.METHOD_CALL or message.member != "RestartUnit":
            return False
        self.asked.append(message.body[0])
        if not self.permits:
            denied = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
            return Message.new_error(message, denied, "Interactive authentication required.")
        task = asyncio.ensure_future(self._do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Message.new_method_return(message, "o", ["/org/freedesktop/systemd1/job/1"])

    async def _do(self) -> None:
        await self._restart()
