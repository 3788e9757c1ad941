"""A gateway as a wearable's energy sees one: it comes when called, answers, stays its ten seconds, and goes.

Owns when that is in virtual time, as edge_daemon/links/ble_visit.py has it, and the settings of a profile on their way
to the wearable. Must not know what is counted. Nothing is stored here and nobody is told: only the times matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hil_tests.stories.wearable import StoryWearable
from protocol import box, codes, fragments, frame, messages, rolling, watchful

# A scan hears an advertisement and a connection comes about; an answer takes two connection intervals.
_COMES_MS = 400
_ANSWERS_MS = 60
LINGER_MS = 10_000
_HANDLE = 1
_FRAME_AT = 7
_PAYLOAD = 244
_COUNTERS = 1 << 17
_SALT = 8


class EnergyGateway:
    """`due` has what it does next, by time. `to_give`: commands (code, arguments), each with the next answer."""

    def __init__(self, wearable: StoryWearable, settings: bytes) -> None:
        self._wearable = wearable
        keys = wearable.keys
        ids = rolling.RollingIds(keys.id)
        self._ids = {rolling_id: counter for counter, rolling_id in enumerate(ids.table(0, _COUNTERS))}
        self._opener = frame.UpOpener(keys.up)
        self._sealer = frame.DownSealer(keys.down)
        sealed = box.seal(keys.trail, box.SETTINGS, 1, os.urandom(box.SALT_SIZE), settings)
        self.to_give = [(codes.COMMAND_SETTINGS, part) for part in watchful.parts(1, sealed)]
        self.due: list[tuple[int, Callable[[], None]]] = []
        self.near = True
        self._connected = False
        self._leaves_ms = 0
        self._joiner = fragments.Joiner()
        self._command = 0
        wearable.on_said = self._said

    def at(self, at_ms: int, do: Callable[[], None]) -> None:
        """At that time."""
        self.due.append((at_ms, do))
        self.due.sort(key=lambda one: one[0])

    def _said(self, words: list[str]) -> None:
        if words[0] == "adv" and self.near and not self._connected:
            self._connected = True
            # What was heard on the air is answered as soon as there is a connection.
            sealed = bytes.fromhex(words[1])[_FRAME_AT:]
            self.at(self._wearable.at_ms + _COMES_MS, lambda: self._come(sealed))
        elif words[0] == "notify":
            sealed_or_none = self._joiner.feed(bytes.fromhex(words[2]))
            if sealed_or_none is not None:
                self.at(self._wearable.at_ms + _ANSWERS_MS, lambda: self._answer(sealed_or_none))
        elif words[0] == "drop":
            self._connected = False

    def slept(self) -> None:
        """The wearable sleeps: whatever was to come does not."""
        self.due.clear()
        self._connected = False

    def _come(self, sealed: bytes) -> None:
        self._joiner = fragments.Joiner()
        self._wearable.tell(f"connect {_HANDLE}")
        self._answer(sealed)
        self._leave_later()

    def _leave_later(self) -> None:
        self._leaves_ms = self._wearable.at_ms + LINGER_MS
        self.at(self._leaves_ms, self._leave)

    def _leave(self) -> None:
        if self._connected and self._wearable.at_ms >= self._leaves_ms:
            self._connected = False
            self._wearable.tell(f"gone {_HANDLE}")

    def _answer(self, sealed: bytes) -> None:
        counter = self._ids.get(frame.rolling_id(sealed))
        body = None if counter is None else self._opener.open(sealed, counter)
        if body is None or counter is None or not self._connected:
            return
        kind = frame.parse_head(sealed)
        if kind == codes.EVENT:
            answer = messages.pack_answer(codes.CLOSED, messages.Event(body).number, codes.REASON_NONE)
        elif kind == codes.HELLO and messages.Hello(body).asks_state:
            answer = messages.pack_answer(codes.CLOSED, messages.Hello(body).number, codes.REASON_NONE)
        else:
            answer = messages.pack_answer(codes.HEARD, 0, codes.REASON_NONE)
        if kind == codes.TRAIL:
            self._write(codes.TAKEN, counter, watchful.pack_taken(box.sequence(watchful.Trail(body).box)))
        elif kind != codes.RESULT:
            self._write(codes.ANSWER, counter, answer)
        if self.to_give:
            code, arguments = self.to_give.pop(0)
            self._command += 1
            self._write(codes.COMMAND, counter, messages.pack_command(self._command, code, arguments))
        self._leave_later()

    def _write(self, kind: int, counter: int, body: bytes) -> None:
        sealed = self._sealer.seal(kind, counter, os.urandom(_SALT), body)
        for piece in fragments.split(sealed, _PAYLOAD):
            self._wearable.tell(f"write {_HANDLE} {piece.hex()}")
