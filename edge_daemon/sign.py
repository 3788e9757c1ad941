"""The gateway's own light and sound: that an emergency has no answer, that there is no platform. Blocks nobody.

Owns the signs: a LED of the kernel's (/sys/class/leds) that blinks, and a command that is run. Must not know why. A LED
on a GPIO pin is one of those with the kernel's leds-gpio driver; all else (a sounder, gpioset, aplay) is the command's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from edge_daemon.config import Sign as Settings
from edge_daemon.log import Log

log = Log("sign")

OK, NO_PLATFORM, NO_ANSWER = "ok", "no_platform", "no_answer"
# Two blinks that nobody takes for one another, nor for a mere lamp: 4 Hz, and a flash every 2 s.
_BLINK_S = {NO_ANSWER: (0.125, 0.125), NO_PLATFORM: (0.2, 1.8)}
_KILLED_AFTER_S = 10.0
# A sound that was made once is not heard by whoever comes into the room later.
_AGAIN_S = 30.0
_LEDS = Path("/sys/class/leds")


class Sign:
    """`show` is called as often as one likes; `run` does it. Errors are logged, once until it works again."""

    def __init__(self, settings: Settings, killed_after_s: float = _KILLED_AFTER_S, again_s: float = _AGAIN_S) -> None:
        self._led = _LEDS / settings.led if settings.led else None
        self._command = settings.command
        self._killed_after_s = killed_after_s
        self._again_s = again_s
        self._no_answer = self._no_platform = False
        self._changed = asyncio.Event()
        self._led_failed = False

    @property
    def state(self) -> str:
        """What is shown: an emergency without an answer before all else."""
        return NO_ANSWER if self._no_answer else NO_PLATFORM if self._no_platform else OK

    def no_answer(self, now: bool) -> None:
        """Whether an emergency has waited too long."""
        self._no_answer = now
        self._changed.set()

    def no_platform(self, now: bool) -> None:
        """Whether no way answers."""
        if now != self._no_platform:
            self._no_platform = now
            self._changed.set()

    async def run(self) -> None:
        """Show it for ever. Nothing that is configured: nothing is done."""
        async with asyncio.TaskGroup() as tasks:
            if self._led is not None:
                tasks.create_task(self._light(self._led), name="led")
            if self._command:
                tasks.create_task(self._sound(), name="sign command")

    async def _light(self, led: Path) -> None:
        try:
            bright = (led / "max_brightness").read_text().strip()
        except OSError:
            bright = "1"
        self._write(led / "trigger", "none")
        try:
            while True:
                state = self.state
                if state == OK:
                    self._write(led / "brightness", "0")
                    await self._change()
                    continue
                on_s, off_s = _BLINK_S[state]
                self._write(led / "brightness", bright)
                await asyncio.sleep(on_s)
                self._write(led / "brightness", "0")
                await asyncio.sleep(off_s)
        finally:
            self._write(led / "brightness", "0")

    def _write(self, file: Path, value: str) -> None:
        """Sysfs takes a few bytes at once, or refuses them."""
        try:
            file.write_text(value)
        except OSError as error:
            if not self._led_failed:
                log.error("led_failed", file=str(file), why=error.strerror)
            self._led_failed = True
        else:
            self._led_failed = False

    async def _sound(self) -> None:
        said = OK
        while True:
            state = self.state
            if state == said == OK:
                await self._change()
                continue
            said = state
            await self._call(state)
            if self.state == state:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if state == OK else self._again_s):
                        await self._change()

    async def _change(self) -> None:
        """Wait until the state may be another. Both loops wait: whoever was there first is woken, too."""
        before = self.state
        while self.state == before:
            self._changed.clear()
            await self._changed.wait()

    async def _call(self, state: str) -> None:
        """Run the command to its end, or for so long as is given to it."""
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, state, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
            )
        except OSError as error:
            log.error("command_failed", command=self._command[0], why=error.strerror)
            return
        log.info("sign_shown", state=state)
        try:
            async with asyncio.timeout(self._killed_after_s):
                code = await process.wait()
        except TimeoutError:
            log.warning("command_killed", command=self._command[0], after_s=self._killed_after_s)
        else:
            if code:
                log.error("command_failed", command=self._command[0], exit_code=code)
        finally:
            # With all that it has started, also when we are stopped. What it left behind on purpose stays.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
