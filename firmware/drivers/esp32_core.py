"""What our ESP32 boards share: time, RTC memory, the data partition, watchdog, tick, serial line, sleep.

Owns the chip's own abilities, as boards/contract.py asks for them. Must not know pins, lamps or batteries: a board
file inherits from Esp32Core and adds those. Runs on MicroPython 1.25 and later for ESP32-C3 and ESP32-S3.
"""

import binascii
import os
import time

import bluetooth
import esp32
import machine
import vfs

from build import RELEASE
from drivers.absent import Absent
from drivers.steady_flash import SteadyFlash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# boards/contract.py's numbers; it is documentation and not on the device (tests/firmware compares them).
RESET_POWER_ON = 1
RESET_DEEP_SLEEP = 4
WAKE_NONE = 0
WAKE_BUTTON = 1
WAKE_TIMER = 2
WAKE_SERIAL = 3
_TICK_MS = 20
# Of the 2,048 that the port gives.
_RTC_SIZE = 1536
_READ_SIZE = 32
_PROGRAM_SIZE = 128

_FLASH = "/flash"
# A partition of its own (boards/partitions_*.csv): an update that rewrites the program's file system leaves it alone.
_PARTITION = "records"
_ENODEV = 19

# In front of the application's bytes: magic (2) | epoch (4) | time_ns() at power-on (8) | CRC-32 (4).
_MAGIC = b"PT"
_HEAD_SIZE = 18

# ticks_ms wraps after 2^30 ms and ticks_diff sees half of that: now_ms gets a new base long before.
_REBASE_MS = 3600000


class Esp32Core(Absent):
    """See boards/contract.py for every public name."""

    def __init__(self) -> None:
        self.release = RELEASE
        self._edges = 0
        # The contract took its numbers from here. A brown-out comes as power-on: the port tells no difference.
        self.reset_cause = machine.reset_cause()
        self.wake_cause = WAKE_NONE
        self._base_ms = [0, 0]
        self._base_ticks = [time.ticks_ms(), 0]
        self._base = 0
        self._rtc = machine.RTC()
        self._find_origin()
        self._ran = False
        self._tick: "Callable[[], None] | None" = None
        self._button: "Callable[[bool], None] | None" = None
        self._timer: "machine.Timer | None" = None
        self._dog: "machine.WDT | None" = None
        self._uart: "machine.UART | None" = None

    # ---- time ----

    def _find_origin(self) -> None:
        """Set power_epoch and started_ms. The chip's clock runs on through deep sleep and every reset but power-on."""
        now_ns = time.time_ns()
        kept = self._rtc.memory()
        head = kept[: _HEAD_SIZE - 4]
        whole = kept[:2] == _MAGIC and kept[_HEAD_SIZE - 4 : _HEAD_SIZE] == _crc(head)
        origin_ns = int.from_bytes(head[6:14], "little") if whole else now_ns
        # After a loss of power the memory may hold what it held, or anything: the clock, at least, has begun anew.
        if self.reset_cause == RESET_POWER_ON or not whole or origin_ns > now_ns:
            origin_ns = now_ns
            head = _MAGIC + os.urandom(4) + now_ns.to_bytes(8, "little")
            self._rtc.memory(head + _crc(head))
        self.power_epoch = int.from_bytes(head[2:6], "little")
        self.started_ms = (now_ns - origin_ns) // 1000000

    def now_ms(self) -> int:
        """Ms since this run started."""
        base = self._base
        return self._base_ms[base] + time.ticks_diff(time.ticks_ms(), self._base_ticks[base])

    def _rebase(self) -> None:
        """Into the other pair, then switch: now_ms in the main loop may be interrupted here and must not mix them."""
        base = 1 - self._base
        self._base_ticks[base] = time.ticks_ms()
        self._base_ms[base] = self._base_ms[self._base] + time.ticks_diff(
            self._base_ticks[base], self._base_ticks[self._base]
        )
        self._base = base

    def wait(self, most_ms: int) -> None:
        """Pause; callbacks run meanwhile and end it, as do serial bytes."""
        self._ran = False
        self._before_wait()
        started = time.ticks_ms()
        while not self._ran and time.ticks_diff(time.ticks_ms(), started) < most_ms:
            if self._uart is not None and self._uart.any():
                return
            time.sleep_ms(1)

    def _before_wait(self) -> None:
        """What a board does in the main loop, where there is time."""

    def on_tick(self, callback: "Callable[[], None]") -> None:
        """Call `callback()` every 20 ms."""
        self._tick = callback
        self._timer = machine.Timer(0)
        self._timer.init(mode=machine.Timer.PERIODIC, period=_TICK_MS, callback=self._on_timer)

    def _on_timer(self, _timer: "machine.Timer") -> None:
        self._ran = True
        if time.ticks_diff(time.ticks_ms(), self._base_ticks[self._base]) > _REBASE_MS:
            self._rebase()
        self._tick()

    # ---- button ----

    def on_button(self, callback: "Callable[[bool], None]") -> None:
        """Call `callback(pressed)` on every edge."""
        self._button = callback

    def _edge(self, pressed: bool) -> None:
        """For the board's interrupt handler: pass an edge on. No heap."""
        self._ran = True
        self._edges += 1
        if self._button is not None:
            self._button(pressed)

    # ---- flash and RTC memory ----

    def records(self) -> SteadyFlash:
        """The data partition. Raises OSError when there is none."""
        found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=_PARTITION)
        if not found:
            raise OSError(_ENODEV)
        return SteadyFlash(found[0])

    def mount_flash(self) -> str:
        """Mount the data partition. Raises OSError; never formats."""
        flash = self.records()
        if self.reset_cause != RESET_DEEP_SLEEP:
            flash.firm_up()
        # The interpreter asks for the methods, the stubs for their class.
        system = vfs.VfsLfs2(flash, readsize=_READ_SIZE, progsize=_PROGRAM_SIZE)  # type: ignore[arg-type]
        vfs.mount(system, _FLASH)
        return _FLASH

    def rtc_load(self) -> bytes:
        """What rtc_store kept."""
        return self._rtc.memory()[_HEAD_SIZE:]

    def rtc_store(self, data: bytes) -> None:
        """Keep at most 1,536 bytes. Raises ValueError for more."""
        if len(data) > _RTC_SIZE:
            raise ValueError("RTC memory takes 1536 bytes")
        self._rtc.memory(self._rtc.memory()[:_HEAD_SIZE] + data)

    # ---- links ----

    def bluetooth(self) -> bluetooth.BLE:
        """The radio, not yet active."""
        return bluetooth.BLE()

    def serial_read(self, buf: bytearray) -> int:
        """What waits on the line; 0 for nothing or no line."""
        if self._uart is None or not self._uart.any():
            return 0
        return self._uart.readinto(buf) or 0

    def serial_write(self, buf: bytearray, size: int) -> bool:
        """Hand buf[:size] to the UART; False when there is nobody to read it. No heap."""
        if self._uart is None or not self.external_power():
            return False
        # Every stream takes a size; the stubs know it of files only.
        return self._uart.write(buf, size) == size  # type: ignore[call-arg]

    def external_power(self) -> bool:
        """The board's: whether it is on a cable."""
        raise NotImplementedError

    # ---- life and death ----

    def watchdog(self, timeout_ms: int) -> None:
        """Start it; it cannot be stopped."""
        self._dog = machine.WDT(timeout=timeout_ms)

    def feed(self) -> None:
        """Feed it, when it was started."""
        if self._dog is not None:
            self._dog.feed()

    def button_pressed(self) -> bool:
        """The board's: whether it is held now."""
        raise NotImplementedError

    def _may_sleep(self) -> bool:
        """Give every edge that has come to its callback; False when there was one or the button is held."""
        edges = self._edges
        time.sleep_ms(1)
        return self._edges == edges and not self.button_pressed()

    def reset(self) -> None:
        """Start anew."""
        machine.reset()

    # ---- development ----

    def ready(self, version: str) -> None:
        """Nothing waits for it here."""
        self.log("ready " + version)

    def log(self, text: str) -> None:
        """On the console of a development build."""
        if not self.release:
            print(text)


def _crc(data: bytes) -> bytes:
    return (binascii.crc32(data) & 0xFFFFFFFF).to_bytes(4, "little")
