"""A board on the bench: a chip with its flash at the end of a cable, in its loader or running what its flash holds.

Owns power, reset and which of the two it is. State is a directory: `flash.bin`, and while it is plugged `tty`. Every
board runs in a thread of its own; the methods may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from hil_tests.board import boot, slip
from hil_tests.board.cable import Cable
from hil_tests.board.chip import Chip
from hil_tests.board.faults import Cut, Faults
from hil_tests.board.flash import Flash
from hil_tests.board.lines import Bridge, UsbJtag
from hil_tests.board.loader import Loader
from hil_tests.board.registers import Registers

_IDLE_S = 0.2
_WITHIN_S = 20.0
_USB_JTAG = {"vid": 0x303A, "pid": 0x1001, "product": "USB JTAG/serial debug unit"}
_CP2102 = {"vid": 0x10C4, "pid": 0xEA60, "product": "CP2102 USB to UART Bridge Controller"}


class Running(Protocol):
    """What runs on the chip."""

    def start(self) -> None:
        """Run, with the serial device it was made for as its console."""

    def stop(self) -> None:
        """Reset or power cut: at once, whatever it does."""


# From the board's directory, its flash, and the tty that is the program's console.
ProgramOf = Callable[[Path, Path, str], Running]


@dataclass
class Kind:
    """What board it is. `known`: SHA-256 of an application it can run -> its size; `bridge`: no USB of its own."""

    chip: Chip
    flash_bytes: int
    mac: bytes = bytes.fromhex("34851804aabb")
    bridge: bool = False
    known: dict[str, int] = field(default_factory=dict)
    program: ProgramOf | None = None


class Board:
    """`faults` may be changed while it runs. `mode`: off, rom, stub, loop (nothing to run) or run."""

    def __init__(self, directory: Path, registry: Path, kind: Kind, faults: Faults | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        registry.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.kind = kind
        self.faults = faults or Faults()
        self.flash = Flash(directory / "flash.bin", kind.flash_bytes, self.faults)
        usb: dict[str, object] = {**(_CP2102 if kind.bridge else _USB_JTAG), "serial": kind.mac.hex(":").upper()}
        self._cable = Cable(directory, registry, usb, self.faults)
        self._wiring = (Bridge if kind.bridge else UsbJtag)(self._reset)
        self._packets = slip.Reader()
        self._loader: Loader | None = None
        self._program: Running | None = None
        self._console = (-1, -1)
        self._unread = bytearray()
        self._why_not = ""
        self._settles_at: float | None = None
        self._orders: list[tuple[Callable[[], None], threading.Event]] = []
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"board {directory.name}", daemon=True)
        self.pulled = threading.Event()
        self.resets = 0

    @property
    def port(self) -> str:
        """How the host names the device, the same after every plugging."""
        return str(self._cable.port)

    @property
    def mode(self) -> str:
        """As the class says."""
        if not self._cable.plugged:
            return "off"
        if self._loader is not None:
            return "stub" if self._loader.stub else "rom"
        return "loop" if self._why_not else "run"

    def __enter__(self) -> Self:
        self._thread.start()
        self.plug()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.pull()
        self._order(self._end)
        self._thread.join(_WITHIN_S)
        self.flash.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def plug(self) -> None:
        """Cable in: power, and the chip starts as after any reset."""
        self._order(self._power)

    def pull(self) -> None:
        """Cable out: all stops where it is."""
        self._order(self._cut)

    def _order(self, act: Callable[[], None]) -> None:
        """Let the board's thread do it, and wait until it has."""
        done = threading.Event()
        self._orders.append((act, done))
        os.write(self._wake_write, b"!")
        if not done.wait(_WITHIN_S):
            raise AssertionError("the board on the bench does not answer")

    def _run(self) -> None:
        while True:
            console = [self._console[0]] if self._console[0] >= 0 else []
            ready = self._cable.wait([self._wake_read, *console], self._turn_within_s())
            if self._wake_read in ready:
                os.read(self._wake_read, 64)
                while self._orders:
                    act, done = self._orders.pop(0)
                    try:
                        act()
                    except SystemExit:
                        return
                    finally:
                        done.set()
            elif self._cable.plugged:
                try:
                    self._turn(said=bool(ready))
                except Cut:
                    self._cut()
                    self.pulled.set()

    def _turn_within_s(self) -> float:
        if self._settles_at is None:
            return _IDLE_S
        return max(0.0, self._settles_at - time.monotonic())

    def _turn(self, *, said: bool) -> None:
        """Once around: lines, what the host sent, what the chip says."""
        for dtr, rts in self._cable.lines():
            self._wiring.change(dtr, rts)
            self._settles_at = time.monotonic() + self._wiring.settle_s if self._wiring.settle_s else None
        if self._settles_at is not None and time.monotonic() >= self._settles_at:
            self._settles_at = None
            self._wiring.settled()
        received = self._cable.received()
        if self._loader is not None:
            self._serve(self._loader, received)
        elif self._program is not None:
            self._converse(received, said=said)
        elif self._why_not and not received:
            self._say(self._why_not)
        self._cable.flush()
        self._cable.alive()

    def _converse(self, received: bytes, *, said: bool) -> None:
        """Between cable and program; one that does not read stops nothing else of the board."""
        self._unread += received
        with contextlib.suppress(BlockingIOError):
            while self._unread:
                del self._unread[: os.write(self._console[0], self._unread[:1024])]
        if said:
            self._cable.send(os.read(self._console[0], 4096), waits=False)

    def _serve(self, loader: Loader, received: bytes) -> None:
        for packet in self._packets.feed(received):
            loader.take(packet)
            if loader is not self._loader:
                return
        if not received:
            loader.idle()

    def _reset(self, download: bool) -> None:
        """The chip starts anew, into its loader or into its flash."""
        self.resets += 1
        self._stop_program()
        self._packets.reset()
        self._loader = None
        kind = self.kind
        boot_mode = kind.chip.strap_download if download else kind.chip.strap_run
        name = "DOWNLOAD(USB/UART0)" if download else "SPI_FAST_FLASH_BOOT"
        self._say(f"{kind.chip.banner}rst:0x15 (USB_UART_CHIP_RESET),boot:0x{boot_mode:x} ({name})")
        if download:
            self._say("waiting for download")
            registers = Registers(kind.chip, kind.mac, kind.flash_bytes)
            self._loader = Loader(kind.chip, registers, self.flash, self._packet, self._reset)
            return
        self._why_not = boot.why_not(self.flash, kind.chip, kind.known)
        if not self._why_not and kind.program is not None:
            self._start_program(kind.program)

    def _start_program(self, program_of: ProgramOf) -> None:
        self.flash.save()
        self._console = os.openpty()
        tty.setraw(self._console[1])
        os.set_blocking(self._console[0], False)
        self._unread.clear()
        self._program = program_of(self.directory, self.flash.file, os.ttyname(self._console[1]))
        self._program.start()

    def _stop_program(self) -> None:
        if self._program is None:
            return
        self._program.stop()
        self._program = None
        os.close(self._console[0])
        os.close(self._console[1])
        self._console = (-1, -1)

    def _power(self) -> None:
        self._cable.plug()
        self._reset(download=False)

    def _cut(self) -> None:
        self._cable.pull()
        self._stop_program()
        self._loader = None
        self.flash.save()

    def _end(self) -> None:
        raise SystemExit

    def _packet(self, packet: bytes) -> None:
        self._cable.send(slip.frame(packet))

    def _say(self, line: str) -> None:
        self._cable.send(line.encode() + b"\r\n", waits=False)
