"""What a board of the bench does when its chip runs: MicroPython from its flash file, with a prompt on its cable.

Owns the process. Must not know the ROM loader (the chip in front of it) nor who plays its body. The flash file is the
chip's whole flash: the partition table in it says where `/` and the records lie. start() is power, stop() is its loss:
SIGKILL in the middle of whatever runs, and RTC memory gone. Everything else - soft reset, deep sleep, the watchdog - is
the chip's own, and `running` stays true through it.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests import micropython

_START = Path(__file__).parent / "program_chip" / "start.py"
_END_WITHIN_S = 10
_TAIL = 2000
# A bench that is killed takes its boards with it: a chip without a cable would run on for ever.
_WITH_ITS_BENCH = ["setpriv", "--pdeathsig", "KILL", "--"]


@dataclass(frozen=True)
class Around:
    """What surrounds the chip. `mac`: from its fuses; `body`: where a Body listens (None: nobody touches the board).

    `radio_socket`, `serial`: as of a wearable. `heap` is twice a board's, for 64-bit objects are twice as large.
    """

    mac: str = "60:55:f9:00:00:01"
    body: Path | None = None
    radio_socket: Path | None = None
    serial: str | None = None
    heap: str = "320k"
    interpreter: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)


class Program:
    """One chip's program. `tty`: the chip's end of the cable, a path or a descriptor (pty, socket), raw already."""

    def __init__(self, directory: Path, flash: Path, tty: str | int, around: Around | None = None) -> None:
        self._directory = directory
        self._flash = flash
        self._tty = tty
        self._around = around or Around()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the chip has power and its program has not crashed."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """What the interpreter itself had to say, which no cable carries."""
        return self._directory / "program.log"

    def state(self) -> str:
        """Of one that does not answer: whether it runs, and what its log says last."""
        if self._process is None:
            return "has no power"
        log = self.log.read_text(errors="replace")[-_TAIL:]
        if self._process.poll() is not None:
            return f"has ended with {self._process.returncode}: {log}"
        return f"runs: {log}"

    def start(self, reset: str = "power_on") -> None:
        """Give it power. `reset`: the chip's own word for this start. Does nothing while it runs.

        Raises BuildFailed, or OSError when the tty cannot be opened.
        """
        if self.running:
            return
        interpreter = self._around.interpreter or micropython.binary()
        tty = os.open(self._tty, os.O_RDWR | os.O_NOCTTY) if isinstance(self._tty, str) else os.dup(self._tty)
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*_WITH_ITS_BENCH, str(interpreter), "-X", f"heapsize={self._around.heap}", str(_START)],
                    env=self._environment(reset),
                    cwd=self._directory,
                    stdin=tty,
                    stdout=tty,
                    stderr=log,
                    start_new_session=True,
                )
        finally:
            os.close(tty)

    def stop(self) -> None:
        """Take the power away. Safe to call twice."""
        self._kill()
        self._rtc.unlink(missing_ok=True)

    def reset(self) -> None:
        """The reset pin: the chip starts anew at once, RTC memory keeps what it has. Raises as start()."""
        self._kill()
        self.start("hard")

    @property
    def _rtc(self) -> Path:
        return self._directory / "program.rtc"

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(_END_WITHIN_S)

    def _environment(self, reset: str) -> dict[str, str]:
        around = self._around
        environment = {
            "MICROPYPATH": ".frozen",
            "PINGAN_FLASH": str(self._flash.absolute()),
            "PINGAN_RTC": str(self._rtc.absolute()),
            "PINGAN_MAC": around.mac,
            "PINGAN_RADIO_NAME": around.mac,
            "PINGAN_RESET": reset,
            "PINGAN_WAKE": "none",
            "PINGAN_PROMPT": "friendly",
        }
        places = {"PINGAN_BODY": around.body, "PINGAN_RADIO": around.radio_socket, "PINGAN_SERIAL": around.serial}
        environment |= {name: str(place) for name, place in places.items() if place is not None}
        return environment | around.environment
