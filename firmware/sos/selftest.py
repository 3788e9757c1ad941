"""The factory's test of one wearable's parts, over what boards/contract.py promises of any board.

Owns what is done to a part and what is measured; whether that is good is the factory's to say (tools/factory). Not part
of an image: the tool sends this file through the prompt, where main.py does not run. Every answer is a dict of plain
values, `{"fitted": False}` where the board has no such part. Identity, outbox and ledger are never read or written.
"""

import os
from array import array

_EDGES_MOST = 64
_QUIET_MS = 300
_WAIT_MS = 20
_PAINT_MS = 60
# An accelerometer's samples: what it keeps of them, how long it is listened to.
_KEPT_SAMPLES = 170
_FEEL_MS = 300
# No name, no service: a factory's radio test is nobody's business.
_ADVERTISEMENT = b"\x02\x01\x06\x05\xff\xff\xffPT"
_ADVERTISE_US = 100000
_SPARE = "/selftest.tmp"
# Eight blocks of the chip: written, read back, given back.
_SPARE_SIZE = 32768
_CHUNK = 512


class SelfTest:
    """`board`: a Board that nobody else uses now."""

    def __init__(self, board):
        self._board = board
        self._ble = None

    def about(self):
        """Who answers."""
        return {"board": self._board.name, "profile": self._board.profile}

    def button(self, within_ms):
        """Wait for one press, from down to 300 ms after the last edge. Times in ms from the call."""
        board = self._board
        times: "list[int]" = []

        def edge(_pressed):
            if len(times) < _EDGES_MOST:
                times.append(board.now_ms())

        down_at_start = board.button_pressed()
        began = board.now_ms()
        board.on_button(edge)
        while board.now_ms() - began < within_ms:
            board.wait(_WAIT_MS)
            if times and not board.button_pressed() and board.now_ms() - times[-1] > _QUIET_MS:
                break
        down_at_end = board.button_pressed()
        edges = [at - began for at in times]
        return {"fitted": True, "down_at_start": down_at_start, "down_at_end": down_at_end, "edges_ms": edges}

    def led(self, rgb):
        """Show a colour until told otherwise."""
        if not (self._board.has_led or self._board.has_display):
            return {"fitted": False}
        self._board.led(rgb)
        # A display draws where the main loop waits.
        self._board.wait(_PAINT_MS)
        return {"fitted": True}

    def motor(self, on):
        """On or off until told otherwise."""
        if not self._board.has_motor:
            return {"fitted": False}
        self._board.motor(1 if on else 0)
        return {"fitted": True}

    def battery(self):
        """The cell as it is measured now."""
        return {"fitted": True, "mv": self._board.battery_mv()}

    def accelerometer(self):
        """At rest: thousandths of the earth's pull, the mean of what is felt in 300 ms. Zeros when it says nothing."""
        board = self._board
        if not board.has_accelerometer:
            return {"fitted": False}
        samples = array("h", [0] * (3 * _KEPT_SAMPLES))
        self._felt(samples)  # what it has kept is older than the question
        began = board.now_ms()
        while board.now_ms() - began < _FEEL_MS:
            board.wait(_WAIT_MS)
        count = self._felt(samples)
        sums = [sum([samples[3 * i + axis] for i in range(count)]) for axis in range(3)]
        return {"fitted": True, "mg": [round(total / count) if count else 0 for total in sums]}

    def _felt(self, samples):
        try:
            return self._board.samples(samples)
        except OSError:
            return 0  # silent for long

    def radio_on(self):
        """Advertise until radio_off(). The address as it is on air."""
        self._ble = self._board.bluetooth()
        if self._ble is None:
            return {"fitted": False}
        try:
            self._ble.active(True)
            kind, address = self._ble.config("mac")
            self._ble.gap_advertise(_ADVERTISE_US, adv_data=_ADVERTISEMENT, connectable=False)
        except OSError as error:
            return {"fitted": True, "error": repr(error)}
        return {"fitted": True, "kind": kind, "address": ":".join(["%02X" % byte for byte in address])}

    def radio_off(self):
        """Silent again."""
        if self._ble is not None:
            try:
                self._ble.active(False)
            except OSError as error:
                return {"error": repr(error)}
        return {}

    def flash(self):
        """A spare file in the program's file system and, where it can be mounted, in the records'."""
        answer = {"fitted": True, "program": _spare_file("")}
        try:
            folder = self._board.mount_flash()
        except OSError:
            # A new board's: provisioning formats it.
            answer["records"] = _blank_blocks()
            return answer
        answer["records"] = _spare_file(folder)
        return answer


def _spare_file(folder):
    """Return "ok", or what went wrong. Its blocks are free ones; littlefs gives them back."""
    path = folder + _SPARE
    try:
        with open(path, "wb") as file:
            for number in range(_SPARE_SIZE // _CHUNK):
                file.write(_pattern(number))
        good = True
        with open(path, "rb") as file:
            for number in range(_SPARE_SIZE // _CHUNK):
                good = file.read(_CHUNK) == _pattern(number) and good
        os.remove(path)
    except OSError as error:
        return repr(error)
    return "ok" if good else "reads back wrong"


def _pattern(number):
    """No two alike, so that a block that kept another's bytes is seen."""
    return bytes([(number * 37 + at * 11 + (at >> 3)) & 0xFF for at in range(_CHUNK)])


def _blank_blocks():
    """Every block of a records partition that was never used, programmed to 0 and erased; "ok" or which one is bad.

    The one thing here that knows a port: the contract gives no way to a partition that cannot be mounted. A block that
    is not blank is left alone, and so is the rest of such a partition: it may be somebody's.
    """
    try:
        import esp32
    except ImportError:
        return "cannot be mounted"
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="records")
    if not found:
        return "no partition"
    part, size = found[0], found[0].ioctl(5, 0)
    buf, blank, zeros = bytearray(size), b"\xff" * size, bytes(size)
    blocks = range(part.ioctl(4, 0))
    for block in blocks:
        part.readblocks(block, buf)
        if buf != blank:
            return "cannot be mounted, and is not blank"
    for block in blocks:
        for wanted in (zeros, blank):
            if wanted is zeros:
                part.writeblocks(block, zeros, 0)
            else:
                part.ioctl(6, block)
            part.readblocks(block, buf)
            if buf != wanted:
                return "block %d is bad" % block
    return "ok"
