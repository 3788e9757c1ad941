# A peripheral for tests of the radio, not the firmware: it does what lines on its standard input say, and prints what
# happens. Runs on every interpreter of the bench.
import asyncio
import select
import sys

import bluetooth

_NAMES = {1: "connected", 2: "disconnected", 3: "written", 4: "read", 20: "indicated", 21: "mtu", 27: "updated"}
UP = (bluetooth.UUID("7b1e0002-5a6e-4c2d-9f3a-70696e67616e"), bluetooth.FLAG_NOTIFY | bluetooth.FLAG_READ)
DOWN = (bluetooth.UUID("7b1e0003-5a6e-4c2d-9f3a-70696e67616e"), bluetooth.FLAG_WRITE)
SERVICE = (bluetooth.UUID("7b1e0001-5a6e-4c2d-9f3a-70696e67616e"), (UP, DOWN))

ble = bluetooth.BLE()
connections = []


def say(*words):
    print(*words)


def plain(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    return str(value)


def on_event(event, data):
    if event == 1:
        connections.append(data[0])
    elif event == 2:
        connections.remove(data[0])
    say(_NAMES.get(event, str(event)), *[plain(one) for one in data])
    if event == 3:
        value = ble.gatts_read(data[1])
        say("value", value.hex())
        if value[:1] == b"e":  # echo
            ble.gatts_notify(data[0], up, value)


def manufacturer(hexed):
    frame = bytes.fromhex(hexed)
    return b"\x02\x01\x06" + bytes((len(frame) + 3, 0xFF)) + b"\xff\xff" + frame


def obey(words):
    do = words[0]
    if do == "advertise":  # connectable, interval in ms, frame
        ble.gap_advertise(int(words[2]) * 1000, adv_data=manufacturer(words[3]), connectable=words[1] == "1")
    elif do == "again":  # as before
        ble.gap_advertise(int(words[1]) * 1000)
    elif do == "silent":
        ble.gap_advertise(None)
    elif do == "address":
        ble.config(addr_mode=int(words[1]))
        kind, address = ble.config("mac")
        say("address", kind, address.hex())
    elif do == "notify":
        ble.gatts_notify(connections[0], up, bytes.fromhex(words[1]))
    elif do == "write":
        ble.gatts_write(up, bytes.fromhex(words[1]))
    elif do == "bare":
        ble.gatts_register_services(())
    elif do == "mtu":
        ble.config(mtu=int(words[1]))
    elif do == "buffer":
        ble.gatts_set_buffer(down, int(words[1]))
    elif do == "disconnect":
        say("disconnecting", ble.gap_disconnect(connections[0]))
    elif do == "off":
        ble.active(False)
        say("off", ble.active())
    elif do == "on":
        start()
    else:
        say("unknown", do)


def start():
    global up, down
    ble.active(True)
    ble.config(mtu=247, gap_name="pendant")
    ble.irq(on_event)
    ((up, down),) = ble.gatts_register_services((SERVICE,))
    ble.gatts_set_buffer(down, 244)
    kind, address = ble.config("mac")
    say("ready", kind, address.hex(), ble.config("mtu"))


async def main():
    start()
    readable = select.poll()
    readable.register(sys.stdin, select.POLLIN)
    while True:
        while readable.poll(0):
            line = sys.stdin.readline()
            if not line:
                return
            try:
                obey(line.split())
            except OSError as error:
                say("error", error.errno)
        await asyncio.sleep_ms(5)


asyncio.run(main())
