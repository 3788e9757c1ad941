"""Taking a USB adapter's plug out and in, by the kernel: its `authorized` file to 0 and to 1.

Owns finding the plug. Must not know Bluetooth. Interface: Linux Documentation/usb/authorization.rst; needs the right to
write that file (root, or a udev rule).
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

SYSFS = Path("/sys/class/bluetooth")
# Capacitors keep a dongle alive for a while; the kernel needs its time to forget it.
_OUT_S = 1.0


class UsbPlug:
    """`sysfs`: /sys/class/bluetooth. `find` while the adapter lives, `reset` when it does not."""

    def __init__(self, sysfs: Path = SYSFS) -> None:
        self._sysfs = sysfs
        self._plug: Path | None = None

    def find(self, adapter: str) -> Path | None:
        """The USB device of `adapter`, "" for the only one; where it was seen last if it is not there now."""
        entry = self._sysfs / adapter if adapter else self._only()
        if entry is not None and entry.exists():
            self._plug = _device(entry.resolve())
        return self._plug

    def _only(self) -> Path | None:
        try:
            found = [entry for entry in self._sysfs.iterdir() if re.fullmatch("hci[0-9]+", entry.name)]
        except OSError:
            return None
        return found[0] if len(found) == 1 else None

    async def reset(self, adapter: str) -> bool:
        """Out and in again. False: it is not a USB adapter. Raises OSError: no permission, or it has gone."""
        plug = self.find(adapter)
        if plug is None:
            return False
        switch = plug / "authorized"
        # In a thread: the kernel answers when its drivers have let go, and when they have taken hold again.
        out = asyncio.ensure_future(asyncio.to_thread(switch.write_text, "0"))
        try:
            await asyncio.shield(out)
            await asyncio.sleep(_OUT_S)
        except asyncio.CancelledError:
            # Whoever stops us must not leave a house without ears.
            with suppress(OSError):
                await out
                await asyncio.to_thread(switch.write_text, "1")
            raise
        await asyncio.to_thread(switch.write_text, "1")
        return True


def _device(place: Path) -> Path | None:
    """The USB device that a device is part of; an interface has `authorized`, too, but no `idVendor`."""
    for parent in place.parents:
        if (parent / "idVendor").exists() and (parent / "authorized").exists():
            return parent
    return None
