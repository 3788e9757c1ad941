"""The bench's hand: a tap is a tap, however busy the bench is."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

from hil_tests.wearable.body import Body

_TAP_S = 0.1
_BUSY_S = 1.2
_HEARD_WITHIN_S = 20.0


async def test_a_tap_is_no_hold_where_the_bench_is_busy_in_the_midst_of_it(tmp_path: Path) -> None:
    body = await Body.listen(tmp_path / "body", tmp_path / "output")
    try:
        with socket.socket(socket.AF_UNIX) as wearable:
            wearable.connect(str(tmp_path / "body"))
            wearable.setblocking(False)
            said = b""
            async with asyncio.timeout(_HEARD_WITHIN_S):
                while b"button up\n" not in said:
                    said += await asyncio.get_running_loop().sock_recv(wearable, 4096)
            body.finger.press()
            tap = asyncio.create_task(body.finger.release_after(_TAP_S))
            await asyncio.sleep(0)
            time.sleep(_BUSY_S)  # noqa: ASYNC251  # so busy is the loop
            assert wearable.recv(4096) == b"button down\nbutton up\n", "it was let go only when the loop came to it"
            await tap
    finally:
        await body.close()
