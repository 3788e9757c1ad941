"""A desk running inside the test, and what a browser would ask of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import text

from hil_tests.broker.mosquitto import Broker
from tools.desk.desk import Desk
from tools.desk.errors import BrokerDown
from tools.desk.settings import DeskSettings

WITHIN_S = 20.0


def settings_for(broker: Broker, directory: Path, **over: Any) -> DeskSettings:
    """Settings of a desk in a directory, on any free port."""
    made = {
        "broker_host": broker.host,
        "broker_port": broker.port,
        "database": str(directory / "desk.sqlite3"),
        "listen_port": 0,
    }
    return DeskSettings(**{**made, **over})


@dataclass
class Opened:
    """A running desk and a session with it."""

    desk: Desk
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        async with self.session.get(self.desk.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a POST."""
        async with self.session.post(self.desk.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def incidents(self) -> dict[str, dict[str, Any]]:
        """All incidents by event."""
        return {row["event"]: row for row in (await self.get("/api/incidents"))["incidents"]}

    async def counters(self) -> dict[str, int]:
        """What the desk has counted, well or not."""
        async with self.session.get(self.desk.url + "/healthz") as answer:
            counted: dict[str, int] = (await answer.json())["counters"]
            return counted

    async def sql(self, statement: str) -> None:
        """Do something to its database behind its back."""
        await self.desk._store.write(lambda transaction: transaction.run(text(statement)))

    async def until(self, path: str, reached: Any) -> Any:
        """Ask until `reached(answer)`; the last answer. Fails after WITHIN_S."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                answer = await self.get(path)
                if reached(answer):
                    return answer
                await asyncio.sleep(0.01)

    async def until_healthy(self, wanted: bool) -> None:
        """Wait until /healthz says so. Fails after WITHIN_S."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                async with self.session.get(self.desk.url + "/healthz") as answer:
                    if (answer.status == 200) is wanted:
                        return
                await asyncio.sleep(0.01)


@contextlib.contextmanager
def cut_off(desk: Opened, unreachable: str) -> Iterator[list[str]]:
    """Meanwhile this gateway cannot be reached. Gives which gateways the desk tries to tell, in their order."""
    brokers, tried = desk.desk._brokers, list[str]()
    tell = brokers.tell

    async def told(area: str, gateway: str, topic: str, payload: bytes) -> None:
        tried.append(gateway)
        if gateway == unreachable:
            raise BrokerDown("test")
        await tell(area, gateway, topic, payload)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(brokers, "tell", told)
        yield tried


@contextlib.asynccontextmanager
async def running(settings: DeskSettings) -> AsyncIterator[Opened]:
    """A desk that is connected. A fault inside it fails the test."""
    async with Desk(settings) as desk, aiohttp.ClientSession() as session:
        work = asyncio.create_task(desk.run())
        opened = Opened(desk, session)
        try:
            await opened.until_healthy(True)
            yield opened
            assert not work.done(), "the desk stopped by itself"
        finally:
            work.cancel()
            results = await asyncio.gather(work, return_exceptions=True)
        fault = results[0]
        if isinstance(fault, BaseException) and not isinstance(fault, asyncio.CancelledError):
            raise fault
