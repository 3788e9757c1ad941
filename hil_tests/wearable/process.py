"""One wearable of the bench: the staged firmware in MicroPython, to be pressed and looked at.

Owns its identity and what a person and a test do with it. Must not know how the interpreter is kept going (life.py),
the radio's inside, nor what the firmware ought to do.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

from hil_tests.wearable import provision
from hil_tests.wearable.body import Body, Shown
from hil_tests.wearable.errors import WearableFailed
from hil_tests.wearable.life import Life, Settings, Start
from protocol import keys as protocol_keys

# A start takes 50 ms; this is for a machine with everything else on it.
START_WITHIN_S = 15.0
# Between the debouncing and the second that makes a hold, as far from either as a busy machine needs.
PRESS_MS = 120
HOLD_MS = 1600


class WearableProcess:
    """Make it with `await WearableProcess.start(...)`, end it with `await stop()`; both in one event loop."""

    def __init__(self, settings: Settings, keys: protocol_keys.DeviceKeys, body: Body, socket: Path) -> None:
        self.keys = keys
        self.body = body
        self._settings = settings
        self._socket = socket
        self._life = Life(settings, body, socket)

    @classmethod
    async def start(
        cls,
        directory: Path,
        image: Path,
        name: str = "pendant-1",
        radio_socket: Path | None = None,
        serial: str | None = None,
        root: bytes | None = None,
        **more: Any,
    ) -> Self:
        """Provision (unless `directory` holds its flash already), power on and wait until it takes presses.

        `root`: 16 bytes; random without. `more`: see Settings. Raises WearableFailed.
        """
        settings = Settings(directory, image, name, radio_socket, serial, **more)
        # A unix socket's path is short; the directories of tests are not.
        socket = Path(tempfile.mkdtemp(prefix="pingan-body-")) / "body"
        keys = protocol_keys.derive(root or secrets.token_bytes(protocol_keys.ROOT_SIZE))
        wearable = cls(settings, keys, await Body.listen(socket, settings.log), socket)
        try:
            wearable._provision(root)
            await wearable.power_on()
        except BaseException:
            await wearable.stop()
            raise
        return wearable

    def _provision(self, root: bytes | None) -> None:
        flash = self._settings.flash
        if not flash.exists():
            provision.make_flash(self._settings.interpreter, flash, self.keys)
        elif root is None:
            raise WearableFailed(f"{flash} belongs to a wearable that was here before: give its root")

    # ---- the hand on the button ----

    async def press(self, times: int = 1) -> float:
        """Press and let go, so often in a row; return when it first went down, by time.monotonic()."""
        at_s = self.down()
        await self.body.finger.release_after(PRESS_MS / 1000, times - 1)
        return at_s

    async def hold(self) -> float:
        """Hold for longer than a second, then let go; return when it went down."""
        at_s = self.down()
        # By the bench's loop, unlike a tap: where that is late, the wearable is, too, and must still see a hold.
        await asyncio.sleep(HOLD_MS / 1000)
        self.up()
        return at_s

    def down(self) -> float:
        """Push the button, and keep it down; return when, by time.monotonic()."""
        return self.body.finger.press()

    def up(self) -> None:
        """Let the button go."""
        self.body.finger.release()

    def battery(self, millivolts: int) -> None:
        """The battery's voltage from now on."""
        self.body.set_battery(millivolts)

    def usb(self, present: bool) -> None:
        """Put it into its cradle, or take it out."""
        self.body.set_usb(present)
        self.body.changed()

    # ---- the eye on the lamp ----

    @property
    def showing(self) -> Shown | None:
        """What the feedback shows now; None before it has shown anything."""
        return self.body.shown[-1] if self.body.shown else None

    async def shown(self, stage: str, number: int | None = None, within_s: float = 10.0, since: int = 0) -> Shown:
        """The first time `stage` was shown (for event `number`), from entry `since` of body.shown on.

        Raises WearableFailed with the log when that does not come within `within_s`, or the wearable failed.
        """

        def look() -> Shown | None:
            entries = self.body.shown[since:]
            return next((s for s in entries if s.stage == stage and number in (None, s.number)), None)

        what = stage if number is None else f"{stage} for event {number}"
        return await self.body.until(look, within_s, f"{what} of {self._settings.name}")

    # ---- power ----

    @property
    def starts(self) -> list[Start]:
        """Every start of the interpreter so far: one by power-on, one by each waking, reset and watchdog."""
        return self._life.starts

    async def power_on(self, reset: str = "power_on") -> None:
        """Put the battery in and wait until it takes presses. `reset`: the chip's own word. Raises WearableFailed."""
        self._life.power_on(reset)
        await self.ready()

    async def power_flickers(self, for_s: float, reset: str = "brown_out") -> None:
        """Power comes for so long and goes again: a dying cell under the load of its own radio."""
        self._life.power_on(reset)
        await asyncio.sleep(for_s)
        await self._life.power_cut()

    async def power_cut(self) -> None:
        """Take the battery out in the middle of whatever it does."""
        await self._life.power_cut()

    def freeze(self) -> None:
        """Stop the processor in its tracks: only the watchdog can help now, or thaw()."""
        self._life.freeze()

    def thaw(self) -> None:
        """It goes on where it stood still, as after a long erase."""
        self._life.thaw()

    async def ready(self, within_s: float = START_WITHIN_S) -> str:
        """Wait until it takes presses; return the firmware's version. Raises WearableFailed."""
        return await self.body.until(lambda: self.body.version, within_s, f"start of {self._settings.name}")

    async def started(self, count: int, within_s: float = START_WITHIN_S) -> Start:
        """Wait for its `count`-th start (1: the first); return that. Raises WearableFailed."""
        return await self.body.until(lambda: next(iter(self.starts[count - 1 :]), None), within_s, f"start {count}")

    async def asleep(self, within_s: float) -> int:
        """Wait until it goes to deep sleep; return for how many ms it means to. Raises WearableFailed."""
        return await self.body.until(lambda: self.body.sleep_ms, within_s, "deep sleep")

    async def stop(self) -> None:
        """Power off for good and leave nothing running. Safe to call twice.

        Raises WearableFailed, when all is cleared away, for a failure that nobody has been told of yet.
        """
        await self._life.power_cut()
        await self.body.close()
        shutil.rmtree(self._socket.parent, ignore_errors=True)
        if self.body.failure is not None and not self.body.failure_told:
            self.body.failure_told = True
            raise WearableFailed(f"{self._settings.name}: {self.body.failure}")

    # ---- identity ----

    @property
    def handle(self) -> str:
        """Its pseudonym at gateway and platform: 16 hex digits."""
        return self.keys.handle.hex()

    def registry_row(self) -> dict[str, str]:
        """Its row of a gateway's key file."""
        return provision.registry_row(self.keys)
