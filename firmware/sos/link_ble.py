"""The Bluetooth link: one advertiser, one GATT service. `bluetooth` is used here and nowhere else.

Owns advertising, connections, addresses and fragments. Must not know what a frame says. advertise() takes no heap;
an adapter that fails is noted (`failed`), stops nobody and is started anew by restart().
"""

import bluetooth
from micropython import const

from protocol import codes, fragments

_CENTRAL_CONNECT = const(1)
_CENTRAL_DISCONNECT = const(2)
_GATTS_WRITE = const(3)
_MTU_EXCHANGED = const(21)

_ADDRESS_NON_RESOLVABLE = const(3)
_MTU = const(247)
_FRAME_SIZE = const(24)
# Frames that have come and not been looked at; a peer that floods loses its own.
_INBOX_MOST = const(8)
# ATT's smallest MTU is 23, of which three bytes are the notification's own header.
_ATT_HEADER = const(3)
_MTU_LEAST = const(23)


class Connection:
    """One central.

    `ready`: it has written, so it has also subscribed (it does that first). `genuine_ms`: when it last brought a frame
    that opened; at first, when it came. `known`: it has brought one. `told_heartbeat`: the heartbeat that waits was
    handed to it.
    """

    def __init__(self, now_ms):
        self.mtu = _MTU_LEAST
        self.joiner = fragments.Joiner()
        self.ready = False
        self.genuine_ms = now_ms
        self.known = False
        self.told_heartbeat = False


class BleLink:
    """`inbox`: (connection handle, frame) in the order they came."""

    def __init__(self, ble, now_ms):
        self._ble = ble
        self._now_ms = now_ms
        # Flags (general discoverable, no BR/EDR), then manufacturer data: length, type, company, frame.
        self._advertisement = bytearray(b"\x02\x01\x06\x1b\xff\x00\x00") + bytearray(_FRAME_SIZE)
        self._advertisement[5] = codes.COMPANY_ID & 0xFF
        self._advertisement[6] = codes.COMPANY_ID >> 8
        self.connections = {}
        self.inbox = []
        self.on_air = False
        self.failed = True
        self._address_used = False
        self._up = self._down = 0

    # ---- the way of an alarm ----

    def advertise(self, frame, interval_ms):
        """Put a frame of 24 bytes on the air until stop() or the next. Returns whether the radio took it. No heap."""
        if self.failed:
            return False
        advertisement = self._advertisement
        for i in range(_FRAME_SIZE):
            advertisement[7 + i] = frame[i]
        try:
            self._ble.gap_advertise(interval_ms * 1000, adv_data=advertisement, connectable=True)
        except OSError:
            self.failed = True
            return False
        self.on_air = self._address_used = True
        return True

    def stop(self):
        """Off the air. No heap."""
        self.on_air = False
        if self.failed:
            return
        try:
            self._ble.gap_advertise(None)
        except OSError:
            self.failed = True

    # ---- the rest may take heap ----

    def restart(self):
        """Bring the radio up, whatever state it is in. Returns whether it is."""
        self.on_air = False
        self.connections.clear()
        try:
            self._ble.active(False)
            self._ble.active(True)
            self._ble.config(mtu=_MTU, gap_name="")
            self._ble.irq(self._event)
            up = (bluetooth.UUID(codes.UP_UUID), bluetooth.FLAG_NOTIFY)
            down = (bluetooth.UUID(codes.DOWN_UUID), bluetooth.FLAG_WRITE)
            service = (bluetooth.UUID(codes.SERVICE_UUID), (up, down))
            ((self._up, self._down),) = self._ble.gatts_register_services((service,))
            self._ble.gatts_set_buffer(self._down, _MTU - _ATT_HEADER, False)
            self._ble.config(addr_mode=_ADDRESS_NON_RESOLVABLE)
        except OSError:
            self.failed = True
            return False
        self._address_used = False
        self.failed = False
        return True

    def change_address(self):
        """A fresh address if the present one has been on the air and is not in use; when is the caller's to know."""
        if self.failed or not self._address_used or self.on_air or self.connections:
            return
        try:
            self._ble.config(addr_mode=_ADDRESS_NON_RESOLVABLE)
            self._address_used = False
        except OSError:
            self.failed = True

    def notify(self, frame, handle=None):
        """Hand a frame to one central, or to all that are ready. Returns whether there was one."""
        sent = False
        for known, connection in list(self.connections.items()):
            if known != handle and (handle is not None or not connection.ready):
                continue
            try:
                for piece in fragments.split(frame, connection.mtu - _ATT_HEADER):
                    self._ble.gatts_notify(known, self._up, piece)
                sent = True
            except OSError:
                self.disconnect(known)
        return sent

    def disconnect(self, handle):
        """Let a central go."""
        self.connections.pop(handle, None)
        try:
            self._ble.gap_disconnect(handle)
        except OSError:
            pass  # it had gone

    def drop_idle(self, now_ms, idle_ms, done_ms):
        """Let those go that have brought nothing genuine for `idle_ms`: they keep us awake and others out.

        `done_ms`: the same for those who have brought something before.
        """
        for handle, connection in list(self.connections.items()):
            if now_ms - connection.genuine_ms >= (done_ms if connection.known else idle_ms):
                self.disconnect(handle)

    def _event(self, event, data):
        """From the stack, in scheduler context. What is on the heap here is small and soon gone."""
        if event == _CENTRAL_CONNECT:
            # The controller stops a connectable advertisement by itself when somebody connects.
            self.on_air = False
            self.connections[data[0]] = Connection(self._now_ms())
        elif event == _CENTRAL_DISCONNECT:
            self.connections.pop(data[0], None)
        elif event == _MTU_EXCHANGED:
            if data[0] in self.connections:
                self.connections[data[0]].mtu = data[1]
        elif event == _GATTS_WRITE and data[1] == self._down:
            self._written(data[0], self._ble.gatts_read(self._down))

    def _written(self, handle, fragment):
        connection = self.connections.get(handle)
        if connection is None:
            return
        connection.ready = True
        frame = connection.joiner.feed(fragment)
        if frame is not None and len(self.inbox) < _INBOX_MOST:
            self.inbox.append((handle, frame))
