"""The radio process, started and steered. Owns its sockets' place and its life. Must not know Bumble."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil_tests.child import Child

_READY_WITHIN_S = 20.0
_CONTROL_WITHIN_S = 5.0
# All that was recorded in a long campaign is one line.
_ANSWER_MOST = 64 << 20


class RadioRefused(Exception):
    """The radio cannot do what was asked."""


class RadioProcess:
    """One room. Make it with `start`, end it with `stop`."""

    def __init__(self, child: Child, sockets: Path) -> None:
        self.child = child
        self._sockets = sockets

    @classmethod
    async def start(
        cls, logs: Path, gateways: Sequence[str], *, interval_ms: float = 15, seed: int | None = None
    ) -> RadioProcess:
        """Start it and wait until it listens. Raises ChildFailed."""
        # A unix socket's path has 107 bytes at most, and a test's own directory is often longer.
        sockets = Path(tempfile.mkdtemp(prefix="pingan-radio-"))
        command = [sys.executable, "-m", "hil_tests.radio", "--interval-ms", str(interval_ms)]
        command += ["--wearables", str(sockets / "wearables"), "--control", str(sockets / "control")]
        for name in gateways:
            command += ["--gateway", f"{name}=unix:{sockets / name}"]
        if seed is not None:
            command += ["--seed", str(seed)]
        radio = cls(await Child.start("radio", command, logs), sockets)
        try:
            await radio.child.said(lambda line: line == "ready", _READY_WITHIN_S)
        except BaseException:
            await radio.stop()
            raise
        return radio

    @property
    def wearables_socket(self) -> Path:
        """For PINGAN_RADIO."""
        return self._sockets / "wearables"

    def hci(self, name: str) -> str:
        """The adapter of a gateway, as a Bumble transport."""
        return f"unix:{self._sockets / name}"

    async def control(self, do: str, **request: Any) -> Any:
        """Ask for something (hil_tests/README.md has the list). Raises RadioRefused, or ChildFailed when it is dead."""
        try:
            async with asyncio.timeout(_CONTROL_WITHIN_S):
                answer = await self._ask({"do": do, **request})
        except (OSError, ValueError) as error:
            raise self.child.failed(f"did not answer {do}: {error}") from error
        if not answer["ok"]:
            raise RadioRefused(answer["why"])
        return answer.get("result")

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(self._sockets / "control", limit=_ANSWER_MOST)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            return answer
        finally:
            writer.close()
            await writer.wait_closed()

    async def state(self, name: str) -> dict[str, Any] | None:
        """What one place is doing (see `list`); None when nobody is there."""
        found: dict[str, Any] | None = next((one for one in await self.control("list") if one["name"] == name), None)
        return found

    async def kill(self) -> None:
        """End it as a power cut would: all radios at once."""
        await self.child.kill()
        shutil.rmtree(self._sockets, ignore_errors=True)

    async def stop(self) -> None:
        """End it."""
        try:
            await self.child.stop()
        finally:
            shutil.rmtree(self._sockets, ignore_errors=True)
