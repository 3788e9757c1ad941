"""A wearable's wire side for tests of the daemon: seals questions, opens answers. Knows protocol/, not the daemon."""

from __future__ import annotations

import asyncio

from edge_daemon.heard import Heard
from protocol import ccm, codes, frame, keys, messages


class Recorder:
    """A path that keeps what is sent on it."""

    def __init__(self) -> None:
        self.live = True
        self.sent: list[bytes] = []
        self.news = asyncio.Event()

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)
        self.news.set()


class Wearer:
    """One wearable with a counter and an event number; `name` makes its test-only root."""

    def __init__(self, name: str = "a", counter: int = 0) -> None:
        self.keys = keys.derive(f"test_only_{name:_<6}".encode())
        self.handle = self.keys.handle.hex()
        self.counter = counter
        self.number = 0
        self.revoked = False
        self._sealer = frame.UpSealer(self.keys.up, self.keys.id)
        self._opener = frame.DownOpener(self.keys.down)
        self.path = Recorder()
        self.ble = Recorder()

    def registry_row(self) -> dict[str, object]:
        """This wearable in the gateway's key file."""
        keys = self.keys
        row: dict[str, object] = {
            "wearable": self.handle,
            "up": keys.up.hex(),
            "down": keys.down.hex(),
            "id": keys.id.hex(),
        }
        return {**row, "revoked": True} if self.revoked else row

    def seal(self, frame_type: int, body: bytes) -> bytes:
        """A frame under the next counter."""
        buf = bytearray(frame.BODY_AT) + bytearray(body) + bytearray(ccm.TAG_SIZE)
        size = self._sealer.seal(frame_type, self.counter, buf, len(body))
        self.counter += 1
        return bytes(buf[:size])

    def event(
        self, kind: int = codes.SOS, number: int | None = None, detail: int = codes.HOLD, age_ms: int = 0
    ) -> bytes:
        """An event frame; a new number unless one is given."""
        if number is None:
            self.number += 1
            number = self.number
        body = bytearray(messages.EVENT_SIZE)
        messages.pack_event(body, 0, kind, number, messages.age_code(age_ms), 11, detail)
        return self.seal(codes.EVENT, bytes(body))

    def hello(self, number: int = 0, stage: int = 0) -> bytes:
        """A hello that asks the state of an event, when a number is given."""
        body = bytearray(messages.HELLO_SIZE)
        messages.pack_hello(body, 0, codes.HELLO_ASKS_STATE if number else 0, number, stage, 11, 1)
        return self.seal(codes.HELLO, bytes(body))

    def open(self, sealed: bytes) -> messages.Answer | messages.Command | None:
        """An answer or command to one of the last four questions, or None."""
        for counter in range(self.counter - 1, max(self.counter - 5, -1), -1):
            buf = bytearray(sealed)
            if self._opener.open(buf, len(buf), counter):
                body = buf[frame.BODY_AT : len(buf) - ccm.TAG_SIZE]
                return messages.Command(body) if buf[0] & 15 == codes.COMMAND else messages.Answer(body)
        return None

    def heard(self, sealed: bytes, link: str = "serial", at_ms: int = 0) -> Heard:
        """The frame as a link would hand it to the daemon."""
        return Heard(sealed, link, None, at_ms, self.ble if link == "ble" else self.path)
