"""A wearable on a serial line, as far as measuring needs one: sealed frames in, answers out, nothing else in the way.

Owns the wearable's end of a pty and its counter. The real firmware is measured apart; its own time must not be in the
gateway's figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import tty

from protocol import codes, frame, keys, messages, serial_link
from protocol.aead import Aead

_READ_SIZE = 65536
_ANSWER_WITHIN_S = 30.0


class Wearer:
    """One wearable; `port` is the gateway's end of the line."""

    def __init__(self) -> None:
        self.keys = keys.derive(secrets.token_bytes(16))
        self._sealer = frame.UpSealer(self.keys.up, self.keys.id)
        # The wearable's own opener is made for little memory, not for speed: here it would be measured too.
        self._aead = Aead(self.keys.down)
        self._decoder = serial_link.Decoder()
        self._counter = 0
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.port = os.ttyname(self._theirs)
        self._heard = asyncio.Event()
        self._frames: list[bytes] = []
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    @property
    def row(self) -> dict[str, str]:
        """This wearable in the gateway's key file."""
        keys = self.keys
        return {"wearable": keys.handle.hex(), "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}

    def seal(self, number: int) -> tuple[int, bytes]:
        """A held press as bytes for the line, and the counter it is sealed under."""
        buf = bytearray(frame.OVERHEAD + messages.EVENT_SIZE)
        messages.pack_event(buf, frame.BODY_AT, codes.SOS, number, 0, codes.BATTERY_UNKNOWN, codes.HOLD)
        counter = self._counter
        self._counter += 1
        size = self._sealer.seal(codes.EVENT, counter, buf, messages.EVENT_SIZE)
        return counter, serial_link.encode(buf[:size])

    async def reach(self) -> None:
        """Say hello until the gateway answers: opening a port throws away what was written before."""
        for _ in range(100):
            buf = bytearray(frame.OVERHEAD + messages.HELLO_SIZE)
            messages.pack_hello(buf, frame.BODY_AT, 0, 0, codes.HEARD, codes.BATTERY_UNKNOWN, 0)
            size = self._sealer.seal(codes.HELLO, self._counter, buf, messages.HELLO_SIZE)
            self._counter += 1
            await self.write(serial_link.encode(buf[:size]))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.heard(), 0.2)
                self.taken()
                return
        raise TimeoutError("the gateway does not answer")

    async def write(self, data: bytes) -> None:
        """Put bytes on the line, waiting where it is full."""
        loop = asyncio.get_running_loop()
        while data:
            try:
                data = data[os.write(self._ours, data) :]
            except BlockingIOError:
                free = asyncio.Event()
                loop.add_writer(self._ours, free.set)
                await free.wait()
                loop.remove_writer(self._ours)

    async def stage(self, counter: int, wanted: int) -> None:
        """Wait until an answer to `counter` (or a later news of it) says the wanted stage."""
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while True:
                for sealed in self.taken():
                    answer = self.open(sealed, counter)
                    if answer is not None and answer.stage == wanted:
                        return
                await self.heard()

    async def heard(self) -> None:
        """Wait for the next frame from the gateway."""
        self._heard.clear()
        if not self._frames:
            await asyncio.wait_for(self._heard.wait(), _ANSWER_WITHIN_S)

    def taken(self) -> list[bytes]:
        """The frames that came since the last call."""
        frames, self._frames = self._frames, []
        return frames

    def open(self, sealed: bytes, counter: int) -> messages.Answer | None:
        """An answer to `counter`, or None (protocol/README.md section 3)."""
        head, salt = sealed[: frame.BODY_AT], sealed[1 : frame.BODY_AT]
        body = self._aead.open(b"\x02" + counter.to_bytes(4, "big") + salt, sealed[frame.BODY_AT :], head)
        return None if body is None else messages.Answer(body)

    def close(self) -> None:
        """Let go of the line."""
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    def _readable(self) -> None:
        self._frames += self._decoder.feed(os.read(self._ours, _READ_SIZE))
        if self._frames:
            self._heard.set()
