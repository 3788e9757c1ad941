"""The remedies for an adapter that does not hear, mildest first: each is done once when asked, by name.

Owns how each is done. Must not know when. What this machine does not let us do (no permission, no such thing) is
Impossible, and the next one's turn. Interfaces: BlueZ Adapter1.Powered, systemd's RestartUnit, and ble_usb.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from edge_daemon.links.ble_bluez import Bluez, BluezFailed
from edge_daemon.links.ble_scan import Scan
from edge_daemon.links.ble_usb import UsbPlug

_UNIT = "bluetooth.service"
# So long an adapter is left switched off.
_OFF_S = 1.0
_COMMAND_WITHIN_S = 30.0


class Impossible(Exception):
    """This remedy cannot be had here; str() says why."""


class Steps:
    """`command`: what restarts bluetoothd, [] to ask systemd."""

    def __init__(self, scan: Scan, bluez: Bluez, usb: UsbPlug, command: list[str]) -> None:
        self._scan = scan
        self._bluez = bluez
        self._usb = usb
        self._command = command
        self._ways: dict[str, Callable[[], Awaitable[None]]] = {
            "scan": self._again,
            "power": self._power,
            "usb": self._plug,
            "bluetoothd": self._restart,
        }

    async def take(self, name: str) -> None:
        """Do it, and let the scan begin anew. Raises Impossible."""
        try:
            async with self._scan.stopped():
                await self._ways[name]()
        except (BluezFailed, OSError) as error:
            raise Impossible(str(error) or type(error).__name__) from error

    async def _again(self) -> None:
        """The scan is begun anew after every remedy; here it is all."""

    async def _power(self) -> None:
        try:
            await self._bluez.set_powered(False)
            await asyncio.sleep(_OFF_S)
        except asyncio.CancelledError:
            # Whoever stops us must not leave it off, nor be told of another error than that we were stopped.
            with suppress(BluezFailed):
                await self._bluez.set_powered(True)
            raise
        await self._bluez.set_powered(True)

    async def _plug(self) -> None:
        if not await self._usb.reset(self._bluez.name):
            raise Impossible("not a USB adapter")

    async def _restart(self) -> None:
        if not self._command:
            await self._bluez.restart_service(_UNIT)
            return
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(_COMMAND_WITHIN_S):
                code = await process.wait()
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if code:
            raise Impossible(f"{self._command[0]}: exit code {code}")
