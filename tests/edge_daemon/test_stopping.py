"""A signal stops the daemon, whatever a library does with the first cancellation."""

from __future__ import annotations

import asyncio

import pytest

from edge_daemon import __main__ as daemon


async def _swallows_one(inner: list[asyncio.Task[None]]) -> None:
    """Ends only when the part that swallowed a cancellation is cancelled again: a TaskGroup does that once."""

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        inner.append(tasks.create_task(stubborn()))


async def test_a_swallowed_cancellation_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "_STOP_WITHIN_S", 0.05)
    inner: list[asyncio.Task[None]] = []
    pipeline = asyncio.create_task(_swallows_one(inner))
    stopped = asyncio.Event()
    stopping = asyncio.create_task(daemon._stop(pipeline, stopped, asyncio.current_task()))
    done, _ = await asyncio.wait({pipeline}, timeout=0.2)
    assert not done
    stopped.set()
    done, _ = await asyncio.wait({pipeline, stopping}, timeout=10)
    assert done == {pipeline, stopping}
    assert pipeline.cancelled()
    assert inner[0].cancelled()
