"""The bench's hand: a tap is a tap, however busy the bench is."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

from hil_tests.wearable.body import Body

_TAP_S = 0.1
_BUSY_S = 1.2


async def test_a_tap_is_no_hold_where_the_bench_is_busy_in_the_midst_of_it(tmp_path: Path) -> None:
    body = await Body.listen(tmp_path / "body", tmp_path / "output")
    try:
        with socket.socket(socket.AF_UNIX) as wearable:
            wearable.connect(str(tmp_path / "body"))
            said = b""
            while b"button up\n" not in said:
                await asyncio.sleep(0)
                wearable.settimeout(0.01)
                try:
                    said += wearable.recv(4096)
                except TimeoutError:
                    continue
            body.finger.press()
            tap = asyncio.create_task(body.finger.release_after(_TAP_S))
            await asyncio.sleep(0)
            time.sleep(_BUSY_S)  # noqa: ASYNC251  # so busy is the loop
            assert wearable.recv(4096) == b"button down\nbutton up\n", "it was let go only when the loop came to it"
            await tap
    finally:
        await body.close()
