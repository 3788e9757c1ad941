"""The simulator's body: a socket on which the bench says what happens to it, and it says what can be seen of it.

Owns the lines and the state they tell. Must not know the application. led(), motor() and show() take no heap.
In:  `button down|up`, `battery <mv>`, `usb 0|1`, `quit`; at connection, the state of all three, button last. Besides:
`touch <x> <y>`, `accel <hex>` (x, y, z in mg, 16 bits each, little endian, any number of them), `nmea <sentence>`.
Out: `hello <version>`, `led <rrggbb>`, `motor 0|1`, `shows <STAGE> <number>`, `sleep <ms>`, `watchdog <ms>`, `feed`,
`log <text>`, `screen` (its file was written), `gnss 0|1`, `motion <word>` (what wakes it from now on).
"""

import binascii
import select
import socket
import struct
import sys

from sos import stages

_AF_UNIX = 1
_READ_SIZE = 256
_STATE_WITHIN_MS = 2000
_HEX = b"0123456789abcdef"
_DIGITS = 8
# What a chip keeps of what nobody took: the newest samples (6 bytes each), the newest sentences, the first taps.
_SAMPLES_BYTES = 170 * 6
_NMEA_BYTES = 2048
_TOUCHES = 8


class BodyLine:
    """Without a path there is no bench: nothing is said, and nothing happens to the body."""

    def __init__(self, path, poll):
        self.pressed = False
        self.battery_mv = 0
        self.usb = False
        self.touches = []
        self.samples = b""
        self.nmea = b""
        self._know_state = False
        self._text = b""
        self._led = bytearray(b"led 000000\n")
        self._rgb = -1
        self._motor = -1
        self._number = bytearray(_DIGITS + 1)
        self._shows = {stage: b"shows " + name.encode() + b" " for stage, name in stages.NAMES.items()}
        self._socket = None
        if path is not None:
            self._connect(path)
            poll.register(self._socket, select.POLLIN)

    def _connect(self, path):
        self._socket = socket.socket(_AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(struct.pack("<H", _AF_UNIX) + path.encode() + b"\0")
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        while not self._know_state and self._poll.poll(_STATE_WITHIN_MS):
            self.read(None)

    # ---- what happens to it ----

    def waits(self):
        """Whether the bench has said something that was not read."""
        return self._socket is not None and bool(self._poll.poll(0))

    def read(self, on_edge):
        """Take what has been said; `on_edge(pressed)` for each change of the button. Without a bench it ends."""
        if self._socket is None:
            return
        for _ in self._poll.ipoll(0):
            data = self._socket.recv(_READ_SIZE)
            if not data:
                sys.exit(1)
            lines = (self._text + data).split(b"\n")
            self._text = lines.pop()
            for line in lines:
                self._take(line.decode(), on_edge)

    def _take(self, line, on_edge):
        word, _, value = line.partition(" ")
        if word == "button":
            self._know_state = True
            pressed = value == "down"
            if pressed != self.pressed:
                self.pressed = pressed
                if on_edge is not None:
                    on_edge(pressed)
        elif word == "battery":
            self.battery_mv = int(value)
        elif word == "usb":
            self.usb = value == "1"
        elif word == "quit":
            sys.exit(1)
        else:
            self._feel(word, value)

    def _feel(self, word, value):
        """What only some bodies have."""
        if word == "touch":
            if len(self.touches) < _TOUCHES:
                self.touches.append(tuple(int(part) for part in value.split(" ")))
        elif word == "accel":
            self.samples = (self.samples + binascii.unhexlify(value))[-_SAMPLES_BYTES:]
        elif word == "nmea":
            self.nmea = (self.nmea + value.encode() + b"\r\n")[-_NMEA_BYTES:]

    # ---- what can be seen of it ----

    def say(self, line):
        """Any line."""
        if self._socket is not None:
            self._socket.write(line.encode() + b"\n")

    def led(self, rgb):
        """Light, when it changes."""
        if rgb == self._rgb or self._socket is None:
            return
        self._rgb = rgb
        for i in range(6):
            self._led[4 + i] = _HEX[(rgb >> (20 - 4 * i)) & 15]
        self._socket.write(self._led)

    def motor(self, on):
        """Vibration, when it changes."""
        if on == self._motor or self._socket is None:
            return
        self._motor = on
        self._socket.write(b"motor 1\n" if on else b"motor 0\n")

    def show(self, stage, number):
        """A stage and an event's number."""
        if self._socket is None:
            return
        digits = self._number
        at = _DIGITS
        digits[at] = 10
        while True:
            at -= 1
            digits[at] = 48 + number % 10
            number //= 10
            if not number:
                break
        size = _DIGITS + 1 - at
        for i in range(size):
            digits[i] = digits[at + i]
        self._socket.write(self._shows[stage])
        self._socket.write(digits, size)
