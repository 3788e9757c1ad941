"""Waiting for something that the end of a link cuts short. Owns telling the two apart, and from being cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bleak.exc import BleakError

_T = TypeVar("_T")


async def unless_ended(work: Coroutine[Any, Any, _T], ended: asyncio.Future[str]) -> _T:
    """The result of `work`; BleakError with the reason when `ended` comes first.

    Bumble cancels what waits for an answer when the connection goes. That CancelledError must not pass for somebody
    cancelling the caller, so `work` runs as a task of its own.
    """
    task = asyncio.ensure_future(work)
    either: set[asyncio.Future[Any]] = {task, ended}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and not task.cancelled():
            return task.result()
        raise BleakError(ended.result() if ended.done() else "disconnected")
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # it has been seen, or lost the race and is nobody's any more
