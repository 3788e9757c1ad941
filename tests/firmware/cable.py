"""The gateway's end of a serial cable, for tests: opens what the wearable sealed, seals what it is to hear."""

from __future__ import annotations

import contextlib
import os
import time
from asyncio import sleep

from hil_tests.wearable.process import WearableProcess
from hil_tests.wearable.serial_line import SerialLine
from protocol import frame, rolling, serial_link

_COUNTERS = 200_000


class Cable:
    """`counters`: of every genuine frame heard, in order; the last is the newest question."""

    def __init__(self, line: SerialLine, wearable: WearableProcess) -> None:
        self._port = os.open(line.gateway, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._decoder = serial_link.Decoder()
        self._ids = rolling.RollingIds(wearable.keys.id)
        self._opener = frame.UpOpener(wearable.keys.up)
        self._sealer = frame.DownSealer(wearable.keys.down)
        self._waiting: list[tuple[int, bytes]] = []
        self.counters: list[int] = []

    def close(self) -> None:
        """Unplug."""
        os.close(self._port)

    async def heard(self, frame_type: int, within_s: float = 10.0) -> bytes:
        """The body of the next frame of this type. Raises AssertionError when none comes."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            self._read()
            while self._waiting:
                found, body = self._waiting.pop(0)
                if found == frame_type:
                    return body
            await sleep(0.005)
        raise AssertionError(f"no frame of type {frame_type} within {within_s} s")

    def _read(self) -> None:
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._port, 4096)
        for sealed in self._decoder.feed(data):
            counter = self._ids.find(frame.rolling_id(sealed), 0, _COUNTERS)
            assert counter >= 0, "a frame of somebody else"
            assert not self.counters or counter > self.counters[-1], "a counter was used again"
            self.counters.append(counter)
            self._waiting.append((frame.parse_head(sealed), self._opener.open(sealed, counter)))

    def say(self, frame_type: int, body: bytes, counter: int | None = None) -> bytes:
        """Seal an answer to a question (the newest without `counter`), write it, return the frame."""
        question = self.counters[-1] if counter is None else counter
        sealed = self._sealer.seal(frame_type, question, os.urandom(8), body)
        self.write(sealed)
        return sealed

    def write(self, sealed: bytes) -> None:
        """Write any bytes as a frame."""
        os.write(self._port, serial_link.encode(sealed))
