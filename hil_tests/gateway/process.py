"""The gateway process, started, killed and started again. Owns its life and its log, not the daemon's parts."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil_tests.child import Child

_READY_WITHIN_S = 20.0


class GatewayProcess:
    """One gateway. `logs`: its JSON lines so far, over all its lives."""

    def __init__(
        self,
        name: str,
        directory: Path,
        config: Path,
        hci: str | None,
        clock: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.logs: list[dict[str, Any]] = []
        self.child: Child
        self._directory = directory
        self._config = config
        self._hci = hci
        self._clock = clock
        self._environment = environment

    @classmethod
    async def start(
        cls,
        directory: Path,
        config: Path,
        hci: str | None = None,
        *,
        name: str = "gateway",
        ready: bool = True,
        clock: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> GatewayProcess:
        """Start it; with `ready`, wait until it says so. `clock`: see steered_clock.py. Raises ChildFailed.

        `environment`: of each of its lives, beside ours.
        """
        gateway = cls(name, directory, config, hci, clock, environment)
        await gateway._launch(ready=ready)
        return gateway

    async def _launch(self, *, ready: bool) -> None:
        command = [sys.executable, "-m", "hil_tests.gateway", "--config", str(self._config)]
        if self._hci:
            command += ["--hci", self._hci]
        if self._clock:
            command += ["--clock", str(self._clock)]
        self.child = await Child.start(self.name, command, self._directory, self._environment)
        self.child.on_line = self._line
        if ready:
            try:
                await self.logged("gateway_ready", _READY_WITHIN_S, after=len(self.logs))
            except BaseException:
                await self.child.kill()
                raise

    def _line(self, text: str) -> None:
        self.logs.append(_entry(text))

    async def logged(self, log: str, within_s: float = 10.0, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first entry of that name, and with these fields, from `logs[after]` on. Raises ChildFailed.

        `after` is `len(gateway.logs)` before whatever is to cause the entry.
        """

        def wanted(entry: dict[str, Any]) -> bool:
            return entry.get("log") == log and all(entry.get(key) == value for key, value in fields.items())

        found = next((entry for entry in self.logs[after:] if wanted(entry)), None)
        if found is not None:
            return found
        line = await self.child.said(lambda text: wanted(_entry(text)), within_s, after=len(self.child.lines))
        return _entry(line)

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        await self.child.kill()

    async def stop(self) -> int:
        """SIGTERM, and its exit code. Raises ChildFailed when it does not end."""
        return await self.child.stop()

    async def start_unready(self) -> None:
        """Start again and return at once: for whoever kills it before it is ready."""
        await self._launch(ready=False)

    async def restart(self) -> None:
        """Start again with the same configuration, once it has been killed or stopped; wait until it is ready."""
        await self._launch(ready=True)


def _entry(text: str) -> dict[str, Any]:
    """A line of the daemon's log; what is none (Python's own last words) keeps its text."""
    try:
        entry: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"log": "unstructured", "text": text}
    return entry
