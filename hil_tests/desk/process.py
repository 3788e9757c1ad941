"""The desk in a process of its own: start, kill, start again on the same database and port; ask its API.

Owns the process's life and the HTTP session. Must not know how the desk works inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any, Self

import aiohttp

from hil_tests.child import Child
from hil_tests.ports import free_port

_START_WITHIN_S = 30.0
_ASK_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.02


class DeskFailed(Exception):
    """The desk did not answer, or not with what was asked for."""


class DeskProcess:
    """`url` is the same over restarts, as is the database."""

    def __init__(self, directory: Path, broker: str, arguments: list[str], port: int | None) -> None:
        port = free_port() if port is None else port
        self.url = f"http://127.0.0.1:{port}"
        self.child: Child
        self._directory = directory
        self._command = [sys.executable, "-m", "hil_tests.desk", "--broker", broker, "--listen", f"127.0.0.1:{port}"]
        self._command += ["--database", str(directory / "desk.sqlite3"), *arguments]
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ASK_WITHIN_S))

    @classmethod
    async def start(cls, directory: Path, broker: str, *arguments: str, port: int | None = None) -> Self:
        """Start a desk for the broker at `host:port`; wait until it serves and is subscribed. Raises ChildFailed."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        desk = cls(directory, broker, list(arguments), port)
        try:
            await desk.restart()
        except BaseException:
            await desk._session.close()
            raise
        return desk

    async def restart(self, *, connected: bool = True) -> None:
        """Start it (again) once it has ended; with `connected`, wait for its broker too. Raises ChildFailed."""
        self.child = await Child.start("desk", self._command, self._directory)
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                while not await self._ready(connected=connected):
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            await self.child.kill()
            raise self.child.failed(f"is not ready within {_START_WITHIN_S:.0f} s") from None

    async def _ready(self, *, connected: bool) -> bool:
        if not self.child.running:
            raise self.child.failed("ended at once")
        try:
            async with self._session.get(f"{self.url}/healthz") as answer:
                health = await answer.json(content_type=None)
        except (aiohttp.ClientError, json.JSONDecodeError):
            return False
        return all(broker["connected"] for broker in health["brokers"]) or not connected

    async def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        await self.child.kill()

    async def stop(self) -> None:
        """End it the orderly way and leave nothing running."""
        await self._session.close()
        await self.child.stop()

    async def incidents(self, source: str = "wearable") -> list[dict[str, Any]]:
        """All incidents as the operator's page gets them, of wearables or of the gateways' own ("gateway")."""
        found: list[dict[str, Any]] = (await self.get("/api/incidents"))["incidents"]
        return [one for one in found if one["source"] == source]

    async def until_stage(self, event: str, stage: str, within_s: float = 30.0) -> dict[str, Any]:
        """The incident of an event once it has this stage. Raises ChildFailed when it does not get there."""
        found: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    with contextlib.suppress(DeskFailed):
                        found = [one for one in await self.incidents() if one["event"] == event]
                    if found and found[0]["stage"] == stage:
                        return found[0]
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            raise self.child.failed(f"has {event} as {found}, not {stage}, after {within_s} s") from None

    async def take(self, event: str, operator: str) -> None:
        """The operator's first click. Raises DeskFailed."""
        await self.post(f"/api/incidents/{event}/take", {"operator": operator})

    async def close(self, event: str, operator: str, outcome: str = "helped") -> None:
        """The operator's last click. Raises DeskFailed."""
        await self.post(f"/api/incidents/{event}/close", {"operator": operator, "outcome": outcome})

    async def get(self, path: str) -> Any:
        """The JSON of a GET. Raises DeskFailed."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON of a POST, sent as the desk's own page sends it. Raises DeskFailed."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"X-Pingan-Desk": "1", "Origin": self.url}
        try:
            async with self._session.request(method, self.url + path, json=body, headers=headers) as answer:
                if not answer.ok:
                    raise DeskFailed(f"{method} {path}: {answer.status} {await answer.text()}")
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DeskFailed(f"{method} {path}: {error or type(error).__name__}") from error
