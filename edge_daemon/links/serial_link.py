"""The serial links: which ports there are, opened as they appear, let go as they vanish.

Owns the set of open ports. Must not know frames.
"""

from __future__ import annotations

import asyncio
import glob
import os
import termios
from collections.abc import Callable

import serial

from edge_daemon.clock import Clock
from edge_daemon.config import Serial
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from edge_daemon.links.serial_port import SerialPort
from edge_daemon.log import Log

log = Log("link.serial")


class SerialLink:
    """Every port that matches the configured patterns. A port that can't be opened is tried again for ever.

    `leave`: a port that is somebody else's, by whatever name; "" for none. A modem must not be told frames.
    """

    def __init__(
        self,
        settings: Serial,
        on_heard: Callable[[Heard], None],
        clock: Clock,
        counters: Counters,
        leave: str = "",
    ) -> None:
        self._settings = settings
        self._leave = leave
        self._on_heard = on_heard
        self._clock = clock
        self._counters = counters
        self._ports: dict[str, SerialPort] = {}
        self._failing: dict[str, str] = {}

    def states(self) -> list[dict[str, str]]:
        """Each known port and whether it is up, for the heartbeat."""
        up = [{"link": "serial", "name": device, "state": "up"} for device in sorted(self._ports)]
        return up + [{"link": "serial", "name": device, "state": "down"} for device in sorted(self._failing)]

    def open_ports(self) -> list[SerialPort]:
        """Every port that is open: a way to whoever sits at it."""
        return list(self._ports.values())

    async def run(self) -> None:
        """Look for ports for ever."""
        try:
            while True:
                self._rescan()
                await asyncio.sleep(self._settings.rescan_s)
        finally:
            for port in list(self._ports.values()):
                port.close()

    def _rescan(self) -> None:
        present = {device for pattern in self._settings.ports for device in glob.glob(pattern)}
        if self._leave:
            # Each time: what is plugged in again may have another number under the same name by-id.
            left = os.path.realpath(self._leave)
            present = {device for device in present if os.path.realpath(device) != left}
        for device in self._ports.keys() - present:
            # Its name has gone and the kernel has not told us: the next one plugged in would get another name.
            self._ports[device].lost("name gone")
        for device in sorted(present - self._ports.keys()):
            self._open(device)
        for device in self._failing.keys() - present:
            del self._failing[device]

    def _open(self, device: str) -> None:
        try:
            port = SerialPort(device, self._settings.baud, self._on_heard, self._on_lost, self._clock, self._counters)
        # termios.error: the port went while pyserial set it up. ValueError: a speed that this port has not.
        except (serial.SerialException, termios.error, OSError, ValueError) as error:
            # Said once per cause: a port in use stays in use for hours.
            if self._failing.get(device) != str(error):
                self._failing[device] = str(error)
                log.warning("serial_refused", port=device, why=str(error))
            return
        self._ports[device] = port
        self._failing.pop(device, None)
        log.info("serial_opened", port=device)

    def _on_lost(self, port: SerialPort, why: str) -> None:
        self._ports.pop(port.device, None)
        self._counters.add("serial_lost")
        log.warning("serial_lost", port=port.device, why=why)
