"""A process of ours says how many asyncio tasks it has whenever it is sent SIGUSR1. For whoever looks for leaks."""

from __future__ import annotations

import asyncio
import json
import os
import signal


def tell_on_signal() -> None:
    """From now on; one line on stderr, like the log's: {"log": "tasks", "tasks": N}. In the main thread only."""

    def tell(_number: int, _frame: object) -> None:
        # Between two steps of the loop's own thread: nothing moves. Written past the buffers, in one piece.
        try:
            count = len(asyncio.all_tasks())
        except RuntimeError:
            return
        os.write(2, json.dumps({"log": "tasks", "tasks": count}).encode() + b"\n")

    signal.signal(signal.SIGUSR1, tell)
