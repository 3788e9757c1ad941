"""aiomqtt's client, and what of a connection it leaves undone (2.5.1). Owns these repairs, and nothing of ours.

Uses its private names, and so is pinned to its version (requirements.lock): with a new one this file is looked at.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiomqtt


class Client(aiomqtt.Client):
    """aiomqtt's (2.5.1), which makes asyncio write a trace for two things that happen with a broker that breaks off.

    A farewell that comes while it is let in is forgotten there; and a socket is watched that may have been closed.
    """

    def _on_disconnect(self, *arguments: Any) -> None:
        super()._on_disconnect(*arguments)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()

    def _on_socket_register_write(self, client: Any, _userdata: Any, sock: Any) -> None:
        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001  # whatever paho raises is the end of this connection
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def watch() -> None:
            if sock.fileno() >= 0:
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(watch)


def let_go(client: aiomqtt.Client) -> None:
    """Close what aiomqtt (2.5.1) leaves open when paho raised over a packet, as over a topic that cannot be.

    The loop would serve that socket, and paho that packet, for ever. Whoever waited for the end may have gone before it
    came: it is looked at here, or asyncio would write a trace for it.
    """
    for end in (client._connected, client._disconnected):  # noqa: SLF001
        if end.done() and not end.cancelled():
            end.exception()
    sock = client._client.socket()  # noqa: SLF001
    if isinstance(sock, socket.socket) and sock.fileno() >= 0:
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())
        sock.close()
    if client._misc_task is not None:  # noqa: SLF001
        client._misc_task.cancel()  # noqa: SLF001
