"""A wearable away from home: frames that only the platform can open, and its reading of what comes back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from protocol import box, codes
from protocol.ccm import TAG_SIZE
from protocol.frame import BODY_AT, BODY_MAX, OVERHEAD, DownOpener, UpSealer
from protocol.keys import derive
from protocol.messages import Answer, battery_nibble, pack_event, pack_heartbeat, pack_hello
from protocol.trail_code import Position, Writer

TEST_ONLY_ROOT = bytes(range(16))


class Wearable:
    """Counters run on by themselves; `frames` made are up frames in hex."""

    def __init__(self, test_only_root: bytes = TEST_ONLY_ROOT, counter: int = 0) -> None:
        self.root = test_only_root
        self.keys = derive(test_only_root)
        self.handle = self.keys.handle.hex()
        self.counter = counter
        self._sealer = UpSealer(self.keys.up, self.keys.id)
        self._opener = DownOpener(self.keys.down)

    def seal(self, frame_type: int, body: bytes) -> bytes:
        """A frame under the next counter."""
        frame = bytearray(OVERHEAD + BODY_MAX)
        frame[BODY_AT : BODY_AT + len(body)] = body
        size = self._sealer.seal(frame_type, self.counter, frame, len(body))
        self.counter += 1
        return bytes(frame[:size])

    def event(self, number: int, kind: int = codes.SOS, detail: int = codes.HOLD, age: int = 5) -> bytes:
        """An EVENT frame; `age` in 0.1 s."""
        body = bytearray(16)
        size = pack_event(body, 0, kind, number, age, battery_nibble(78), detail)
        return self.seal(codes.EVENT, bytes(body[:size]))

    def hello(self, asked: int | None = None) -> bytes:
        """A HELLO frame that asks for the stage of an event."""
        body = bytearray(16)
        flags = 0 if asked is None else codes.HELLO_ASKS_STATE
        size = pack_hello(body, 0, flags, asked or 0, codes.STORED, battery_nibble(78), 1)
        return self.seal(codes.HELLO, bytes(body[:size]))

    def heartbeat(self) -> bytes:
        """A HEARTBEAT frame."""
        return self.seal(codes.HEARTBEAT, pack_heartbeat(60, 2950, 78, 41000, (1, 2, 3), 1, 0, 0))

    def trail(self, sequence: int, *positions: Position, wrong: bool = False) -> bytes:
        """A box of positions; `wrong`: sealed with a key that is not its own."""
        writer = Writer(10)
        for position in positions:
            assert writer.add(position)
        key = bytes(16) if wrong else self.keys.trail
        return box.seal(key, box.TRAIL, sequence, os.urandom(8), writer.data)

    def read(self, said: dict[str, Any], counter: int) -> list[tuple[int, int]]:
        """(stage, number) of every answer in a down/stranger message, opened as answers to `counter`."""
        found = [Answer(body) for frame_type, body in self.opened(said, counter) if frame_type == codes.ANSWER]
        assert len(found) == len(said["frames"])
        return [(answer.stage, answer.number) for answer in found]

    def opened(self, said: dict[str, Any], counter: int) -> list[tuple[int, bytes]]:
        """(type, body) of every frame in a down/stranger message, opened as answers to `counter`."""
        found = []
        for row in said["frames"]:
            frame = bytearray.fromhex(row["frame"])
            assert self._opener.open(frame, len(frame), counter), "the wearable cannot open it"
            found.append((frame[0] & 0x0F, bytes(frame[BODY_AT : len(frame) - TAG_SIZE])))
        return found


def key_file(path: Path, *wearables: Wearable) -> Path:
    """The platform's key file with these wearables' roots."""
    rows = [{"root": wearable.root.hex()} for wearable in wearables]
    path.touch(mode=0o600)
    path.write_text(json.dumps({"v": 1, "wearables": rows}), encoding="utf-8")
    return path


def up_stranger(gateway: str, *frames: bytes, heard_age_ms: int = 5) -> dict[str, Any]:
    """An up/stranger message."""
    rows = [
        {"rid": frame[1:9].hex(), "frame": frame.hex(), "link": "ble", "rssi_dbm": -70, "heard_age_ms": heard_age_ms}
        for frame in frames
    ]
    return {"v": 1, "gateway": gateway, "frames": rows}
