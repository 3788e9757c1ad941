"""The socket of `bluetooth.py` to the bench's radio: frames out, replies and events in; the twin of radio_link.c.

Owns the socket and the sorting of what comes. Must not know what Bluetooth is.
"""

import errno
import os
import socket
import struct
import time

import uselect

# hil_tests/radio/wire.py has these with their layouts.
INIT, DEINIT, ADVERTISE, ADVERTISE_STOP = 1, 2, 3, 4
SERVICES_BEGIN, SERVICE, SERVICES_END = 5, 6, 7
NOTIFY, UPDATE, DISCONNECT, MTU, NAME, ADDRESS_MODE = 8, 9, 10, 11, 12, 13
CONNECTED, DISCONNECTED, WRITE, READ, MTU_EXCHANGED, UPDATED, INDICATED = 65, 66, 67, 68, 69, 70, 71
ANSWER_WRITE, ANSWER_READ, REPLY = 80, 81, 128

_REPLY_WITHIN_MS = 5000


class Link:
    """Open from the start. Raises OSError when there is no radio."""

    def __init__(self):
        path = os.getenv("PINGAN_RADIO")
        if path is None:
            raise OSError(errno.ENODEV)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # MicroPython's unix port wants struct sockaddr_un, as bytes.
        self.socket.connect(struct.pack("<H", socket.AF_UNIX) + path.encode() + b"\0")
        self.socket.write(("wearable %s\n" % (os.getenv("PINGAN_RADIO_NAME") or "unnamed")).encode())
        self._readable = uselect.poll()
        self._readable.register(self.socket, uselect.POLLIN)
        self._buffer = b""
        self._reply = None
        self.events = []
        self.gone = False

    def send(self, code, payload):
        if self.gone:
            raise OSError(errno.ENODEV)
        self.socket.write(struct.pack("<HB", len(payload) + 1, code) + payload)

    def ask(self, code, payload=b""):
        self._reply = None
        self.send(code, payload)
        until = time.ticks_add(time.ticks_ms(), _REPLY_WITHIN_MS)
        while self._reply is None:
            left_ms = time.ticks_diff(until, time.ticks_ms())
            if left_ms <= 0 or self.gone:
                raise OSError(errno.ETIMEDOUT)
            self.fill(left_ms)
        if self._reply[0]:
            raise OSError(self._reply[0])
        return self._reply[1:]

    def fill(self, within_ms):
        """Take in what has come; sorts replies from events."""
        if not self._readable.poll(within_ms):
            return
        data = self.socket.recv(2048)
        self.gone = not data
        self._buffer += data
        while len(self._buffer) >= 2:
            size = struct.unpack("<H", self._buffer)[0]
            if len(self._buffer) < 2 + size:
                break
            code, payload = self._buffer[2], self._buffer[3 : 2 + size]
            self._buffer = self._buffer[2 + size :]
            if code == REPLY:
                self._reply = payload
            else:
                self.events.append((code, payload))
