"""`bluetooth` for Debian's own MicroPython, which has none: the same calls, the same wire to the bench's radio.

Owns the module as far as a peripheral uses it; behaviour follows extmod/modbluetooth.c. Must not know the firmware.
Not as on a board: events come only where the application waits in select.poll(), as asyncio does (select.py here), or
where another call waits for the radio; everything here lives in the application's heap, so proofs about memory need our
own build (../variant/modbluetooth_radio.c); `bytes(UUID)` fails, for a class in Python cannot be a buffer there.
"""

import errno
import micropython
import select
import struct
import sys

import radio_link
from gatt_values import UUID, Value  # noqa: F401 - UUID is for the application

FLAG_BROADCAST = 0x0001
FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020

_IRQ_CENTRAL_CONNECT = 1
_IRQ_CENTRAL_DISCONNECT = 2
_IRQ_GATTS_WRITE = 3
_IRQ_GATTS_READ_REQUEST = 4
_IRQ_GATTS_INDICATE_DONE = 20
_IRQ_MTU_EXCHANGED = 21
_IRQ_CONNECTION_UPDATE = 27

_ATT_ATTRIBUTE_NOT_FOUND = 0x0A
_DATA_MOST = 31
_AS_BEFORE = 0xFF


class BLE:
    """The one radio of the device, whoever asks for it."""

    _only = None

    def __new__(cls):
        if cls._only is None:
            cls._only = object.__new__(cls)
            cls._only._handler = None
            cls._only._name = b""
            cls._only._mtu = 256
            cls._only._link = None
        return cls._only

    def __init__(self):
        pass

    def active(self, value=None):
        if value is None:
            return self._link is not None
        if value and self._link is None:
            self._open()
        elif not value and self._link is not None:
            self._close()
        return self._link is not None

    def _open(self):
        self._values = {}
        self._connected = set()
        link = radio_link.Link()
        self._address = link.ask(radio_link.INIT, struct.pack("<H", self._mtu))
        self._link = link
        select.watch(link.socket, self._readable)

    def _close(self):
        link, self._link = self._link, None
        try:
            link.ask(radio_link.DEINIT)
        except OSError:
            pass
        select.watch(None, None)
        link.socket.close()

    def _on(self):
        if self._link is None:
            raise OSError(errno.ENODEV)
        return self._link

    def _ask(self, code, payload=b""):
        reply = self._on().ask(code, payload)
        if self._link.events:
            micropython.schedule(self._deliver, self._link)
        return reply

    def config(self, name=None, **values):
        if name is not None:
            return self._get(name)
        for key, value in values.items():
            self._set(key, value)
        return None

    def _get(self, name):
        if name == "gap_name":
            return self._name
        self._on()
        if name == "mac":
            return self._address[0], self._address[1:]
        if name == "mtu":
            return self._mtu
        raise ValueError("unknown config param")

    def _set(self, key, value):
        if key == "gap_name":
            self._name = value.encode() if isinstance(value, str) else bytes(value)
            if self._link is not None:
                self._link.send(radio_link.NAME, self._name)
        elif key == "mtu":
            if not 23 <= value <= 527:
                raise OSError(errno.EINVAL)
            self._on().send(radio_link.MTU, struct.pack("<H", value))
            self._mtu = value
        elif key == "addr_mode":
            self._address = self._ask(radio_link.ADDRESS_MODE, bytes((value,)))
        elif key != "rxbuf":
            raise ValueError("unknown config param")

    def irq(self, handler):
        self._handler = handler

    # ---- advertising and connections ----

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        link = self._on()
        if interval_us is None:
            link.send(radio_link.ADVERTISE_STOP, b"")
            return
        sizes = []
        body = b""
        for data in (adv_data, resp_data):
            if data is not None and len(data) > _DATA_MOST:
                raise OSError(errno.EINVAL)
            sizes.append(_AS_BEFORE if data is None else len(data))
            body += b"" if data is None else bytes(data)
        link.send(radio_link.ADVERTISE, struct.pack("<BIBB", connectable, interval_us, *sizes) + body)

    def gap_disconnect(self, connection):
        link = self._on()
        if connection not in self._connected:
            return False
        link.send(radio_link.DISCONNECT, struct.pack("<H", connection))
        return True

    # ---- GATT server ----

    def gatts_register_services(self, services):
        self._on()
        self._values = {}
        self._ask(radio_link.SERVICES_BEGIN)
        result = []
        for uuid, characteristics in services:
            payload = _attribute(uuid, 0) + bytes((len(characteristics),))
            for characteristic in characteristics:
                descriptors = characteristic[2] if len(characteristic) > 2 else ()
                payload += _attribute(characteristic[0], characteristic[1]) + bytes((len(descriptors),))
                for descriptor in descriptors:
                    payload += _attribute(descriptor[0], descriptor[1])
            reply = self._ask(radio_link.SERVICE, payload)
            handles = struct.unpack("<%dH" % (len(reply) // 2), reply)
            for handle in handles:
                self._values[handle] = Value()
            result.append(handles)
        self._ask(radio_link.SERVICES_END)
        return tuple(result)

    def _value(self, handle):
        self._on()
        if handle not in self._values:
            raise OSError(errno.EINVAL)
        return self._values[handle]

    def gatts_read(self, handle):
        return self._value(handle).taken()

    def gatts_write(self, handle, data, send_update=False):
        value = self._value(handle)
        value.data = bytes(data)
        value.room = max(value.room, len(value.data))
        if send_update:
            self._link.send(radio_link.UPDATE, struct.pack("<H", handle) + value.data)

    def gatts_set_buffer(self, handle, size, append=False):
        value = self._value(handle)
        value.data = b""
        value.room = size
        value.append = append

    def gatts_notify(self, connection, handle, data=None):
        self._send_value(connection, handle, 1, data)

    def gatts_indicate(self, connection, handle, data=None):
        self._send_value(connection, handle, 2, data)

    def _send_value(self, connection, handle, operation, data):
        link = self._on()
        if connection not in self._connected:
            raise OSError(errno.ENOTCONN)
        data = self.gatts_read(handle) if data is None else bytes(data)
        link.send(radio_link.NOTIFY, struct.pack("<HHB", connection, handle, operation) + data)

    # ---- events ----

    def _readable(self):
        link = self._link
        link.fill(0)
        self._deliver(link)
        if link.gone:
            select.watch(None, None)  # for ever readable, and nothing more to come

    def _deliver(self, link):
        while link.events and self._link is link:
            code, payload = link.events.pop(0)
            self._event(link, code, payload)

    def _call(self, event, *data):
        """The handler's answer; its exception is printed, as modbluetooth.c does."""
        if self._handler is None:
            return None
        try:
            return self._handler(event, data)
        except Exception as error:
            sys.print_exception(error)
            return None

    def _event(self, link, code, payload):
        number = struct.unpack_from("<H", payload)[0]
        if code in (radio_link.CONNECTED, radio_link.DISCONNECTED):
            (self._connected.add if code == radio_link.CONNECTED else self._connected.discard)(number)
            event = _IRQ_CENTRAL_CONNECT if code == radio_link.CONNECTED else _IRQ_CENTRAL_DISCONNECT
            self._call(event, number, payload[2], memoryview(payload)[3:])
        elif code == radio_link.WRITE:
            self._written(link, payload)
        elif code == radio_link.READ:
            self._read(link, payload)
        elif code == radio_link.MTU_EXCHANGED:
            self._call(_IRQ_MTU_EXCHANGED, *struct.unpack("<HH", payload))
        elif code == radio_link.UPDATED:
            self._call(_IRQ_CONNECTION_UPDATE, *struct.unpack("<HHHHH", payload))
        elif code == radio_link.INDICATED:
            self._call(_IRQ_GATTS_INDICATE_DONE, *struct.unpack("<HHB", payload))

    def _written(self, link, payload):
        tag, connection, handle = struct.unpack_from("<BHH", payload)
        error = 0 if handle in self._values else _ATT_ATTRIBUTE_NOT_FOUND
        if not error:
            self._values[handle].written(payload[5:])
            self._call(_IRQ_GATTS_WRITE, connection, handle)
        if tag and self._link is link:
            link.send(radio_link.ANSWER_WRITE, bytes((tag, error)))

    def _read(self, link, payload):
        tag, connection, handle = struct.unpack_from("<BHH", payload)
        answer = self._call(_IRQ_GATTS_READ_REQUEST, connection, handle)
        error = answer if isinstance(answer, int) else 0
        if not error and handle not in self._values:
            error = _ATT_ATTRIBUTE_NOT_FOUND
        if self._link is link:
            link.send(radio_link.ANSWER_READ, bytes((tag, error)) + (b"" if error else self._values[handle].data))


def _attribute(uuid, flags):
    return bytes((len(uuid.little_endian),)) + uuid.little_endian + struct.pack("<H", flags)
