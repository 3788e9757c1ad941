# ruff: noqa: ANN001, ANN201, ANN202, ANN204, ARG002, D102, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""`bluetooth.BLE()` as far as the application uses it, over the story's wire. Runs on MicroPython.

Owns advertising and connections as words. Must not know frames. There is no air time here: what is said is heard, by
whom the story lets hear it; how long it was said is counted for the energy.
"""

_CONNECT, _DISCONNECT, _WRITE, _MTU = 1, 2, 3, 21
_UP, _DOWN = 3, 6
_ENOTCONN = 128
_MTU_BYTES = 247


class Radio:
    """`off` is called by the board when the wearable's power or waking ends."""

    def __init__(self, wire, meter, at_ms):
        self._wire = wire
        self._meter = meter
        self._at_ms = at_ms
        self._handler = None
        self._value = b""
        self._connected = []
        self._on_air = ""

    # ---- what the application calls ----

    def active(self, on):
        if on:
            self._wire.say("addr")

    def config(self, addr_mode=0, mtu=0, gap_name=""):
        if addr_mode:
            self._wire.say("addr")

    def irq(self, handler):
        self._handler = handler

    def gatts_register_services(self, _services):
        return ((_UP, _DOWN),)

    def gatts_set_buffer(self, _handle, _size, _append):
        pass

    def gatts_read(self, _handle):
        return self._value

    def gap_advertise(self, interval_us, adv_data=b"", connectable=True):
        self._quiet()
        if interval_us is None:
            self._wire.say("off")
            return
        self._on_air = "advertising_%d_ms" % (interval_us // 1000)
        self._meter.turn(self._on_air, True, self._at_ms())
        self._wire.say("adv " + adv_data.hex())

    def gatts_notify(self, handle, _value, data):
        if handle not in self._connected:
            raise OSError(_ENOTCONN)
        self._meter.count("notified")
        self._wire.say("notify %d %s" % (handle, data.hex()))

    def gap_disconnect(self, handle):
        self._lose(handle)
        self._wire.say("drop %d" % handle)

    # ---- what the story does ----

    def take(self, words):
        """`connect H`, `write H HEX`, `gone H`."""
        handle = int(words[1])
        if words[0] == "connect":
            self._quiet()
            self._connected.append(handle)
            self._meter.turn("connected", True, self._at_ms())
            self._handler(_CONNECT, (handle, 1, b"\x01" * 6))
            self._handler(_MTU, (handle, _MTU_BYTES))
        elif handle not in self._connected:
            return
        elif words[0] == "write":
            self._value = bytes.fromhex(words[2])
            self._meter.count("written")
            self._handler(_WRITE, (handle, _DOWN))
        else:
            self._lose(handle)
            self._handler(_DISCONNECT, (handle, 1, b"\x01" * 6))

    def _lose(self, handle):
        if handle in self._connected:
            self._connected.remove(handle)
        if not self._connected:
            self._meter.turn("connected", False, self._at_ms())

    def _quiet(self):
        if self._on_air:
            self._meter.turn(self._on_air, False, self._at_ms())
            self._on_air = ""
