"""The wearable's body: what can be done to it (button, battery, cable) and what can be seen and felt of it.

Owns the socket the simulator board connects to, the lines on it, and the record of everything it said, with times.
Must not know the interpreter's process (process.py). The body outlives a restart: the button stays as it is held.

Lines to the wearable: `button down|up`, `battery <mv>`, `usb 0|1`, `touch <x> <y>`, `accel <hex>`, `nmea <sentence>`.
From it: `hello <version>`, `led <rrggbb>`, `motor 0|1`, `shows <STAGE> <number>`, `sleep <ms>`, `watchdog <ms>`,
`feed`, `log <text>`, `screen`, `gnss 0|1`, `motion any|falls`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from hil_tests.wearable.errors import WearableFailed
from hil_tests.wearable.finger import Finger

BATTERY_FULL_MV = 4100
_TAIL = 40
# What an accelerometer keeps for a sleeper: 170 samples.
_SAMPLES_BYTES = 170 * 6
_TAIL_BYTES = 3000
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Shown:
    """One `shows` line: the stage the feedback now shows, of which event (0: none). `at_s` by time.monotonic()."""

    stage: str
    number: int
    at_s: float


@dataclass(frozen=True)
class Signal:
    """Lamp or motor switched: `what` is "led" (value 0xRRGGBB) or "motor" (0, 1)."""

    what: str
    value: int
    at_s: float


class Body:
    """Make it with `await Body.listen(path, output)`; `path` is short enough for a unix socket (107 bytes).

    `output` is the file the interpreter prints to: its end goes into error messages.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self.shown: list[Shown] = []
        self.signals: list[Signal] = []
        self.log: list[str] = []
        self.version: str | None = None
        self.sleep_ms: int | None = None
        self.sleep_said_s = 0.0
        self.watchdog_ms: int | None = None
        self.fed_at_s = 0.0
        self.finger = Finger(self._say, self.changed)
        self.failure: str | None = None
        self.failure_told = False
        self._battery_mv = BATTERY_FULL_MV
        self._usb = False
        self.screens = 0
        self.gnss_on = False
        # What wakes it: motion of which kind, "" none; what has happened to it asleep that does.
        self.motion_wakes = ""
        self.stirred = ""
        # What a chip keeps while the processor sleeps.
        self._taps: list[str] = []
        self._samples = b""
        self._writer: asyncio.StreamWriter | None = None
        self._heard_out = asyncio.Event()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    @classmethod
    async def listen(cls, path: Path, output: Path) -> Self:
        """Wait for wearables at `path`. Raises OSError."""
        body = cls(output)
        body._server = await asyncio.start_unix_server(body._serve, path)
        return body

    async def close(self) -> None:
        """Take no more connections and drop the present one."""
        self._drop()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def new_life(self) -> None:
        """The interpreter is started anew: what the last one announced holds no longer."""
        self._drop()
        self.version = None
        self.sleep_ms = None
        self.watchdog_ms = None
        self.gnss_on = False

    def set_battery(self, millivolts: int) -> None:
        """The battery's voltage from now on."""
        self._battery_mv = millivolts
        self._say(f"battery {millivolts}")

    def set_usb(self, present: bool) -> None:
        """Put it into its cradle, or take it out."""
        self._usb = present
        self._say(f"usb {int(present)}")

    def touch(self, x: int, y: int) -> None:
        """Tap the screen, as a pixel of it. Asleep, it wakes by that."""
        if self._awake:
            self._say(f"touch {x} {y}")
        else:
            self._taps.append(f"touch {x} {y}")
            self.stirred = self.stirred or "touch"
        self.changed()

    def move(self, samples: list[tuple[int, int, int]], *, stirs: bool = False) -> None:
        """Samples of the accelerometer, in mg, 1/50 s apart. `stirs`: the chip finds in them what it was to wake by."""
        data = b"".join(struct.pack("<hhh", *sample) for sample in samples)
        if self._awake:
            self._say(f"accel {data.hex()}")
        else:
            self._samples = (self._samples + data)[-_SAMPLES_BYTES:]
            if stirs and self.motion_wakes:
                self.stirred = self.stirred or "motion"
        self.changed()

    def nmea(self, sentence: str) -> None:
        """The receiver of satellites says this, while it has power."""
        if self.gnss_on:
            self._say(f"nmea {sentence}")

    @property
    def on_usb(self) -> bool:
        """Whether it lies in its cradle."""
        return self._usb

    def fail(self, why: str) -> None:
        """Nothing more will come: whoever waits is told why."""
        self.failure = why
        self.failure_told = False
        self.changed()

    def changed(self) -> None:
        """Wake everybody who waits, to look again."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    def next_change(self) -> Coroutine[object, object, object]:
        """The next thing it says, to be awaited. Ask before looking: what comes in between is not missed then."""
        return self._changed.wait()

    async def until(self, look: Callable[[], _Found | None], within_s: float, what: str) -> _Found:
        """The first result of `look` that is not None, asked again at every change.

        Raises WearableFailed when the wearable failed or `within_s` passed, naming `what` was waited for.
        """
        deadline_s = time.monotonic() + within_s
        while True:
            found = look()
            if found is not None:
                return found
            if self.failure is not None:
                self.failure_told = True
                raise WearableFailed(f"no {what}: {self.failure}")
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), deadline_s - time.monotonic())
            except TimeoutError as error:
                raise WearableFailed(f"no {what} within {within_s:g} s: {self.tail()}") from error

    def tail(self) -> str:
        """The last things it said, showed and printed, for an error message."""
        showed = ", ".join(f"{shown.stage} {shown.number}" for shown in self.shown[-_TAIL:])
        said = "\n".join(self.log[-_TAIL:])
        printed = self._output.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if self._output.exists() else ""
        return f"showed {showed or 'nothing'}; said:\n{said}\nprinted:\n{printed}"

    async def heard_out(self) -> None:
        """The interpreter has ended: wait until all that it said is taken."""
        if self._writer:
            await self._heard_out.wait()

    @property
    def _awake(self) -> bool:
        return self._writer is not None and self.sleep_ms is None

    def _say(self, line: str) -> None:
        writer = self._writer
        if writer and not writer.is_closing():
            # Not by the writer: one write to an interpreter that has just ended, and it drops the last words unread.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                os.write(writer.get_extra_info("socket").fileno(), line.encode() + b"\n")

    def _drop(self) -> None:
        if self._writer:
            self._writer.close()
            self._writer = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._drop()
        self._writer = writer
        heard_out = self._heard_out = asyncio.Event()
        # As pins have a level at boot: the state first, then the changes.
        self._say(f"battery {self._battery_mv}")
        self._say(f"usb {int(self._usb)}")
        for tap in self._taps:
            self._say(tap)
        if self._samples:
            self._say(f"accel {self._samples.hex()}")
        self._taps, self._samples, self.stirred = [], b"", ""
        self._say(f"button {'down' if self.finger.down else 'up'}")
        # A killed interpreter ends the connection in any way it likes; process.py tells what became of it.
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if self._writer is writer:
                    self._take(line.decode(errors="replace").rstrip("\n"))
        heard_out.set()
        writer.close()

    def _take(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        now_s = time.monotonic()
        try:
            self._act(word, rest, now_s)
        except ValueError:
            self.fail(f"the wearable said {line!r} to its body")
        self.changed()

    def _act(self, word: str, rest: str, now_s: float) -> None:
        """Raises ValueError for what is no line of the body's."""
        match word:
            case "shows":
                stage, number = rest.split(" ")
                self.shown.append(Shown(stage, int(number), now_s))
            case "led":
                self.signals.append(Signal(word, int(rest, 16), now_s))
            case "motor":
                self.signals.append(Signal(word, int(rest), now_s))
            case "hello":
                self.version = rest
            case "sleep":
                self.sleep_ms, self.sleep_said_s = int(rest), now_s
            case "watchdog":
                self.watchdog_ms = int(rest)
                self.fed_at_s = now_s
            case "feed":
                self.fed_at_s = now_s
            case "log":
                self.log.append(rest)
            case _:
                self._act_part(word, rest)

    def _act_part(self, word: str, rest: str) -> None:
        """What only some boards say. Raises ValueError."""
        match word:
            case "screen":
                self.screens += 1
            case "gnss":
                self.gnss_on = rest == "1"
            case "motion":
                self.motion_wakes = rest
            case _:
                raise ValueError(word)
