"""A private dbus-daemon in the place of the system bus. Owns the process and its socket; knows nobody on it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hil_tests.child import Child

_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
_READY_WITHIN_S = 10.0


def find_daemon() -> str | None:
    """The installed dbus-daemon (Debian package dbus), None where there is none."""
    return shutil.which("dbus-daemon")


class PrivateBus:
    """Make it with `start`, end it with `stop`."""

    def __init__(self, place: Path, logs: Path) -> None:
        self._place = place
        self._logs = logs
        self._child: Child | None = None
        self.address = f"unix:path={place}/bus"

    @classmethod
    async def start(cls, logs: Path) -> PrivateBus:
        """Start it and wait until it takes connections. Raises ChildFailed."""
        # A unix socket's path has 107 bytes at most, and a test's own directory is often longer.
        place = Path(tempfile.mkdtemp(prefix="pingan-bus-"))
        (place / "bus.conf").write_text(_CONFIG.format(socket=place / "bus"))
        bus = cls(place, logs)
        await bus.again()
        return bus

    async def again(self) -> None:
        """Start it on its old address, after `kill`."""
        daemon = find_daemon()
        assert daemon is not None
        (self._place / "bus").unlink(missing_ok=True)
        command = [daemon, f"--config-file={self._place}/bus.conf", "--nofork", "--print-address=1"]
        self._child = await Child.start("dbus", command, self._logs)
        await self._child.said(lambda line: line.startswith("unix:path="), _READY_WITHIN_S)

    async def kill(self) -> None:
        """End it at once: all on it lose their connections."""
        assert self._child is not None
        await self._child.kill()

    async def stop(self) -> None:
        """End it and remove its socket."""
        await self.kill()
        await asyncio.to_thread(shutil.rmtree, self._place, ignore_errors=True)
