"""One open serial port. Owns its file descriptor, its decoder and what waits to be written.

Must not know which ports there are (serial_link.py) nor what a frame says.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import serial

from edge_daemon.clock import Clock
from edge_daemon.counters import Counters
from edge_daemon.heard import Heard
from protocol import serial_link

# An answer takes 30 bytes; a port that has not taken this much is not reading, and the wearable will ask again.
_UNWRITTEN_MOST = 8192
_READ_SIZE = 4096


class SerialPort:
    """Raises on opening what pyserial raises (serial_link.py has the list). `on_lost` is called once, when it goes."""

    def __init__(
        self,
        device: str,
        baud: int,
        on_heard: Callable[[Heard], None],
        on_lost: Callable[[SerialPort, str], None],
        clock: Clock,
        counters: Counters,
    ) -> None:
        self.device = device
        self._on_heard = on_heard
        self._on_lost = on_lost
        self._clock = clock
        self._counters = counters
        self._decoder = serial_link.Decoder()
        self._refused = 0
        self._unwritten = bytearray()
        self._port = serial.Serial(device, baud, timeout=0, exclusive=True)
        self._fd: int = self._port.fileno()
        os.set_blocking(self._fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable)
        self.live = True

    def send(self, frame: bytes) -> None:
        """Queue a frame; what the port can't take is dropped and counted."""
        # The leading 00 ends whatever noise the idle line has made: else it would cost this frame.
        data = b"\x00" + serial_link.encode(frame)
        if not self.live or len(self._unwritten) + len(data) > _UNWRITTEN_MOST:
            self._counters.add("serial_unwritten")
            return
        self._unwritten += data
        self._writable()

    def close(self) -> None:
        """Let the port go. Safe to call twice."""
        if self.live:
            self.live = False
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._port.close()

    def lost(self, why: str) -> None:
        """The port has gone: close it and say so, once."""
        if self.live:
            self.close()
            self._on_lost(self, why)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self.lost(str(error))
            return
        if not data:
            self.lost("end of file")
            return
        now_ms = self._clock.now_ms()
        for frame in self._decoder.feed(data):
            self._on_heard(Heard(frame, "serial", None, now_ms, self))
        if self._decoder.refused > self._refused:
            self._counters.add("refused_serial_noise", self._decoder.refused - self._refused)
            self._refused = self._decoder.refused

    def _writable(self) -> None:
        try:
            written = os.write(self._fd, self._unwritten)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self.lost(str(error))
            return
        del self._unwritten[:written]
        if self._unwritten:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)
