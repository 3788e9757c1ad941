"""Bytes of the firmware as it goes on a board, and the heap it needs, told by its own heartbeat.

The image of the ESP32-C3 pendant is staged and counted. Its heap is measured on the 32-bit build of the bench (the
boards' object sizes): the firmware boots, takes a held press from its serial line to the answer, and says how little
heap was ever free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from hil_tests import micropython
from hil_tests.micropython.errors import BuildFailed
from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import codes, frame, messages, rolling, serial_link
from protocol.keys import DeviceKeys
from tools import image
from tools.bench.figure import Figure

_BOARD = "pendant_xiao_esp32c3"
# firmware/boards/partitions_4MiB.csv: the vfs partition.
_ROOM = 2 * 1024 * 1024
_HEAP = 160 * 1024
_HEARD_WITHIN_S = 60.0
_COUNTERS = 4096


async def measure(place: Path) -> list[Figure]:
    """Two figures: the image against its partition, the heap against what the bench gives."""
    staged = image.stage(_BOARD, place / "image", release=True)
    interpreter, heap, detail = _interpreter()
    used = heap - await _heap_free_low(place, interpreter, heap)
    return [
        Figure("mpy_bytes", staged.total, "mpy_room", _ROOM, "bytes", _BOARD),
        Figure("ram_bytes", used, "ram_room", heap, "bytes", detail),
    ]


def _interpreter() -> tuple[Path, int, str]:
    """The 32-bit build; where the compiler makes none, the 64-bit one with twice the heap, and the figure says so."""
    try:
        return micropython.binary(32), _HEAP, "32-bit objects, as on the boards"
    except BuildFailed:
        return micropython.binary(), 2 * _HEAP, "64-bit objects, twice the boards': gcc-multilib is missing"


async def _heap_free_low(place: Path, interpreter: Path, heap: int) -> int:
    line = SerialLine.lay(place)
    simulator = image.stage("simulator", place / "simulator").directory
    wearable = await WearableProcess.start(
        place,
        simulator,
        serial=line.wearable,
        interpreter=interpreter,
        heap=str(heap),
    )
    try:
        async with asyncio.timeout(_HEARD_WITHIN_S):
            await wearable.hold()
            async for frame_type, body in _frames(line.gateway, wearable.keys):
                if frame_type == codes.HEARTBEAT:
                    return messages.Heartbeat(body).heap_free_low
    finally:
        await wearable.stop()
        line.close()
    raise TimeoutError("no heartbeat")


async def _frames(port: str, keys: DeviceKeys) -> AsyncIterator[tuple[int, bytes]]:
    """Type and body of each frame that the wearable puts on its line, as a gateway opens them."""
    ids = {rolling_id: counter for counter, rolling_id in enumerate(rolling.RollingIds(keys.id).table(0, _COUNTERS))}
    opener, decoder = frame.UpOpener(keys.up), serial_link.Decoder()
    reader = asyncio.StreamReader()
    with open(port, "rb", buffering=0) as file:  # noqa: ASYNC230, PTH123 # a pty opens at once
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), file
        )
        try:
            while data := await reader.read(4096):
                for sealed in decoder.feed(data):
                    counter = ids[frame.rolling_id(sealed)]
                    yield frame.parse_head(sealed), opener.open(sealed, counter)
        finally:
            transport.close()
