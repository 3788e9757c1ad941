"""What a campaign hears of the log is its own."""

from __future__ import annotations

import asyncio
import gc

from hil_tests.faults.listener import listening

LEFT = [{"level": "error", "log": "Future exception was never retrieved", "room": "asyncio", "error": "test"}]


def leave_one_behind() -> None:
    """As a library does that calls what it does not wait for; in a circle, for whoever collects to find."""
    future = asyncio.get_running_loop().create_future()
    future.set_exception(OSError("test"))
    circle: list[object] = [future]
    circle.append(circle)


def first_lines(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [entry | {"log": entry["log"].splitlines()[0]} for entry in entries]


async def test_what_was_left_behind_before_is_not_heard_and_what_is_left_behind_meanwhile_is() -> None:
    gc.disable()
    try:
        leave_one_behind()
        with listening() as errors:
            gc.collect()
            assert errors == []
            leave_one_behind()
            gc.collect()
            assert first_lines(errors) == LEFT
        leave_one_behind()
        gc.collect()
        assert first_lines(errors) == LEFT
    finally:
        gc.enable()
