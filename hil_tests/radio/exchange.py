"""One interpreter's socket: frames out, and questions that wait for their answer.

Owns tags and the bound on every answer. Must not know what is asked.
"""

from __future__ import annotations

import asyncio
import struct

from bumble import att

from hil_tests.radio import wire

# An interpreter may be busy with a search or a flash erase; a hung one must not hold the central up for ever.
_ANSWER_WITHIN_S = 10.0


class Exchange:
    """What the radio says to one interpreter."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._tag = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    def send(self, code: int, payload: bytes) -> None:
        """Say something; a socket that has gone is noticed by whoever reads it."""
        self._writer.write(wire.frame(code, payload))

    async def read(self, connection: int, handle: int) -> bytes:
        """The attribute's value as the firmware grants it. Raises ATT_Error with the firmware's own code."""
        return await self._ask(wire.Event.READ, struct.pack("<HH", connection, handle), handle)

    async def write(self, connection: int, handle: int, value: bytes) -> None:
        """Hand a written value to the firmware. Raises ATT_Error with the firmware's own code."""
        await self._ask(wire.Event.WRITE, struct.pack("<HH", connection, handle) + value, handle)

    def answered(self, payload: bytes) -> None:
        """Take ANSWER_WRITE or ANSWER_READ."""
        waiting = self._waiting.get(payload[0])
        if waiting is not None and not waiting.done():
            waiting.set_result(payload[1:])

    def close(self) -> None:
        """The interpreter has gone: nobody waits for it any longer."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._writer.close()

    async def _ask(self, code: int, payload: bytes, handle: int) -> bytes:
        self._tag = self._tag % 0xFF + 1  # 0 says that no answer is wanted
        tag = self._tag
        waiting = self._waiting[tag] = asyncio.get_running_loop().create_future()
        self.send(code, bytes([tag]) + payload)
        try:
            done, _ = await asyncio.wait({waiting}, timeout=_ANSWER_WITHIN_S)
        finally:
            if self._waiting.get(tag) is waiting:
                del self._waiting[tag]
        if not done or waiting.cancelled():
            raise att.ATT_Error(att.ATT_UNLIKELY_ERROR_ERROR, handle)
        answer: bytes = waiting.result()
        if answer[0]:
            raise att.ATT_Error(answer[0], handle)
        return answer[1:]
