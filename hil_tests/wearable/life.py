"""What keeps a wearable's interpreter going: power-on, deep sleep and waking, watchdog, reset, power cut.

Owns the process and the rules by which it is started again. Must not know buttons' meaning nor identities. An
interpreter that ends without having said why is a failure, told to whoever waits; it is never quietly started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from hil_tests import micropython
from hil_tests.wearable.body import Body
from hil_tests.wearable.errors import WearableFailed

# A killed process is gone at once; this is for a machine with everything else on it.
_END_WITHIN_S = 10.0
# The simulator's exit codes (firmware/boards/simulator.py): asleep, or asking to be started again at once.
_ASLEEP = 0
_RESET = 3
# The application never sleeps so soon after an edge it has seen. So a press in the last moment before it slept was not
# seen, and wakes it, as the level of a real button does.
_UNSEEN_S = 0.5
_RUN = "import boot, main"
_FOR_EVER_S = 1e9


@dataclass(frozen=True)
class Start:
    """One start of the interpreter: why (PINGAN_RESET, PINGAN_WAKE) and when, by time.monotonic()."""

    reset: str
    wake: str
    at_s: float


@dataclass(frozen=True)
class Settings:
    """What surrounds one wearable: its image, name, files (in `directory`) and wires.

    `heap`: twice the board's, for objects of the 64-bit build are twice as large. `environment` is added last.
    `may_reset`: a restart that the firmware asks for is carried out. Else it is a failure, for main.py asks for one
    after a fault of its own, and that must not pass unseen.
    """

    directory: Path
    image: Path
    name: str
    radio_socket: Path | None = None
    serial: str | None = None
    interpreter: Path = field(default_factory=micropython.binary)
    heap: str = "320k"
    environment: dict[str, str] = field(default_factory=dict)
    may_reset: bool = False

    @property
    def flash(self) -> Path:
        """The file that is the flash."""
        return self.directory / f"{self.name}.flash"

    @property
    def rtc(self) -> Path:
        """The file that is the RTC memory."""
        return self.directory / f"{self.name}.rtc"

    @property
    def log(self) -> Path:
        """What the interpreter printed, all its runs in a row."""
        return self.directory / f"{self.name}.log"


class Life:
    """The power switch of one wearable; `socket` is where its body listens."""

    def __init__(self, settings: Settings, body: Body, socket: Path) -> None:
        self.starts: list[Start] = []
        self._settings = settings
        self._body = body
        self._socket = socket
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def power_on(self, reset: str = "power_on") -> None:
        """Put the battery in. `reset`: what the chip will say of this start. Raises WearableFailed when it is in."""
        if self._task:
            raise WearableFailed(f"{self._settings.name} has power already")
        self._body.failure = None
        self._task = asyncio.create_task(self._live(reset), name=f"life of {self._settings.name}")

    async def power_cut(self) -> None:
        """Take the battery out in the middle of whatever it does: the running program and RTC memory are gone."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._kill()
        self._body.new_life()
        self._settings.rtc.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Stop the processor in its tracks: only the watchdog can help now."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it stood still."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)

    async def _live(self, reset: str) -> None:
        """Start it again whenever what stopped it would; end when nothing would."""
        wake = "none"
        while True:
            code = await self._run(reset, wake)
            if code is None:
                reset, wake = "watchdog", "none"
            elif code == _ASLEEP and self._body.sleep_ms is not None:
                reset, wake = "deep_sleep", await self._sleep(self._body.sleep_ms)
            elif code == _RESET and self._settings.may_reset:
                reset, wake = "soft", "none"
            else:
                self._body.fail(f"the interpreter ended with {code}: {self._body.tail()}")
                return

    async def _run(self, reset: str, wake: str) -> int | None:
        """One run of the interpreter; its exit code, None when the watchdog ended it."""
        self._body.new_life()
        log = self._settings.log.open("ab")
        try:
            log.write(f"--- {reset}, {wake}\n".encode())
            log.flush()
            self._process = await asyncio.create_subprocess_exec(
                *(str(self._settings.interpreter), "-X", f"heapsize={self._settings.heap}", "-c", _RUN),
                env=self._environment(reset, wake),
                cwd=self._settings.image,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            log.close()
        self.starts.append(Start(reset, wake, time.monotonic()))
        self._body.changed()
        code = await self._supervise(self._process)
        await self._body.heard_out()
        return code

    async def _supervise(self, process: asyncio.subprocess.Process) -> int | None:
        """Wait for the end of `process`, or be its watchdog."""
        ended = asyncio.create_task(process.wait())
        try:
            while True:
                await asyncio.wait({ended}, timeout=self._watchdog_left_s())
                if ended.done():
                    return ended.result()
                if self._watchdog_left_s() <= 0:
                    await self._kill()
                    return None
        finally:
            ended.cancel()

    def _watchdog_left_s(self) -> float:
        """How long the watchdog still waits, at most a second so that a new announcement is not overlooked."""
        if self._body.watchdog_ms is None:
            return 1.0
        return min(1.0, self._body.fed_at_s + self._body.watchdog_ms / 1000 - time.monotonic())

    async def _sleep(self, sleep_ms: int) -> str:
        """Lie asleep until something wakes it; return what did."""
        # From its own word on it sees nothing; on a busy machine its process ends a good while after that.
        unseen_after_s = self._body.sleep_said_s - _UNSEEN_S

        def look() -> str | None:
            if self._body.finger.down or self._body.finger.pressed_at_s > unseen_after_s:
                return "button"
            if self._body.stirred:
                return self._body.stirred
            return "serial" if self._body.on_usb else None

        try:
            return await self._body.until(look, sleep_ms / 1000 if sleep_ms > 0 else _FOR_EVER_S, "wake")
        except WearableFailed:
            return "timer"

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait_for(process.wait(), _END_WITHIN_S)

    def _environment(self, reset: str, wake: str) -> dict[str, str]:
        settings = self._settings
        environment = {
            "MICROPYPATH": f".frozen:{settings.image}",
            "PINGAN_BODY": str(self._socket),
            "PINGAN_FLASH": str(settings.flash),
            "PINGAN_RTC": str(settings.rtc),
            "PINGAN_RADIO_NAME": settings.name,
            "PINGAN_RESET": reset,
            "PINGAN_WAKE": wake,
            "PINGAN_PROFILE": "pendant",
            **settings.environment,
        }
        if settings.radio_socket:
            environment["PINGAN_RADIO"] = str(settings.radio_socket)
        if settings.serial:
            environment["PINGAN_SERIAL"] = settings.serial
        return environment
