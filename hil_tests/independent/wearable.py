"""A wearable on a serial line, from protocol/README.md sections 5 and 9 alone.

Owns its behaviour: repeating, asking, believing, obeying. Keeps nothing over a restart; its roots are for tests only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hil_tests.independent import wire

_RANK = {
    "": -1,
    "BUSY": -1,
    "HEARD": 0,
    "STORED": 1,
    "NO_PATH": 1,
    "ACCEPTED": 2,
    "ANSWERED": 3,
    "CLOSED": 4,
    "REFUSED": 4,
}
_HAS_IT = ("STORED", "NO_PATH", "ACCEPTED", "ANSWERED")
_ENDS = ("CLOSED", "REFUSED")
_GAP_MOST_S = 30.0


@dataclass
class Alarm:
    """One event of ours. `shown`: every stage that was shown for it, in order."""

    kind: int
    number: int
    detail: int
    at_s: float
    shown: list[str] = field(default_factory=list)
    reason: int = 0
    send_again: bool = True

    @property
    def stage(self) -> str:
        """What is shown now; "" before the first answer."""
        return self.shown[-1] if self.shown else ""


class Wearable:
    """Open it on the tty of its end of the line; close it after use."""

    def __init__(self, root: bytes, tty: str, counter: int = 0, battery_mv: int = 2950) -> None:
        self.keys = wire.Keys.of(root)
        self.alarms: dict[int, Alarm] = {}
        self.counter = counter
        self.sent: list[bytes] = []
        self.heard_counters: list[int] = []
        self.commands_done: list[int] = []
        self.drop_results = 0
        self._battery_mv = battery_mv
        self._number = 0
        self._started_s = time.monotonic()
        self._questions: deque[int] = deque(maxlen=4)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._decoder = wire.FromLine()
        self._fd = os.open(tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    @property
    def handle(self) -> str:
        """Its name at gateway and platform."""
        return self.keys.handle.hex()

    def identity(self, number: int) -> str:
        """An event's identity in words."""
        return f"{self.handle}-{number:06x}"

    def registry_row(self) -> dict[str, str]:
        """Its row in a gateway's key file."""
        keys = self.keys
        return {"wearable": self.handle, "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}

    async def close(self) -> None:
        """Switch it off."""
        asyncio.get_running_loop().remove_reader(self._fd)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        os.close(self._fd)

    def press(self, kind: int = wire.SOS, detail: int = wire.HOLD) -> Alarm:
        """Something happened: send it until it is stored, then ask for it until it is closed."""
        self._number += 1
        alarm = self.alarms[self._number] = Alarm(kind, self._number, detail, time.monotonic())
        self._start(self._carry(alarm))
        return alarm

    async def beat(self) -> bool:
        """Send a heartbeat, at most three times; whether it was heard."""
        for _ in range(3):
            uptime_s = int(time.monotonic() - self._started_s)
            counter = self.ask(wire.HEARTBEAT, wire.heartbeat(uptime_s, self._battery_mv, 78, len(self.alarms)))
            with contextlib.suppress(TimeoutError):
                await self.until(lambda counter=counter: counter in self.heard_counters, 10.0)  # type: ignore[misc]
                return True
        return False

    async def until(self, true: Callable[[], bool], within_s: float) -> None:
        """Wait until something holds; looked at after every frame. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def shows(self, alarm: Alarm, stage: str, within_s: float = 10.0) -> None:
        """Wait until a stage has been shown. Raises TimeoutError."""
        await self.until(lambda: stage in alarm.shown, within_s)

    def ask(self, frame_type: int, body: bytes) -> int:
        """Seal a body under the next counter and write it; returns the counter."""
        counter, self.counter = self.counter, self.counter + 1
        self._questions.appendleft(counter)
        self.write(wire.seal_up(self.keys, frame_type, counter, body))
        return counter

    def write(self, frame: bytes) -> None:
        """Put a frame on the line as it is."""
        self.sent.append(frame)
        os.write(self._fd, wire.to_line(frame))

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, alarm: Alarm) -> None:
        """Sections 5.3 and 5.4."""
        while alarm.stage not in _ENDS:
            if alarm.send_again:
                await self._repeat(alarm, 1.0, lambda: not alarm.send_again, self._send_event)
            else:
                await self._ask_state(alarm, alarm.stage)

    async def _ask_state(self, alarm: Alarm, stage: str) -> None:
        await self._repeat(alarm, 2.0, lambda: alarm.stage != stage or alarm.send_again, self._send_hello)

    async def _repeat(
        self, alarm: Alarm, gap_s: float, enough: Callable[[], bool], send: Callable[[Alarm], None]
    ) -> None:
        """Send with doubling gaps until it is enough. An event goes at once, a question after its first gap."""
        if send == self._send_event:
            send(alarm)
        while True:
            try:
                await self.until(enough, gap_s)
            except TimeoutError:
                send(alarm)
                gap_s = min(gap_s * 2, _GAP_MOST_S)
            else:
                return

    def _send_event(self, alarm: Alarm) -> None:
        age_ms = int((time.monotonic() - alarm.at_s) * 1000)
        body = wire.event(alarm.kind, alarm.number, alarm.detail, age_ms, 78, self._battery_mv)
        self.ask(wire.EVENT, body)

    def _send_hello(self, alarm: Alarm) -> None:
        self.ask(wire.HELLO, wire.hello(alarm.number, wire.STAGES.index(alarm.stage), 78, len(self.alarms)))

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except (BlockingIOError, OSError):
            return
        for frame in self._decoder.feed(data):
            self._take(frame)
        self._changed.set()

    def _take(self, frame: bytes) -> None:
        """Section 5.2: try the last four questions, newest first."""
        for question in self._questions:
            body = wire.open_down(self.keys, frame, question)
            if body is None:
                continue
            if frame[0] & 15 == wire.ANSWER and len(body) >= 5:
                self._believe(question, body)
            elif frame[0] & 15 == wire.COMMAND and len(body) >= 3:
                self._obey(body)
            return

    def _believe(self, question: int, body: bytes) -> None:
        number = int.from_bytes(body[1:4], "big")
        if body[0] >= len(wire.STAGES):
            return
        stage = wire.STAGES[body[0]]
        if stage == "HEARD" and number == 0:
            self.heard_counters.append(question)
        alarm = self.alarms.get(number)
        if alarm is None or alarm.stage in _ENDS:
            return
        if stage == "HEARD":
            alarm.send_again = True
        elif stage in _HAS_IT or stage in _ENDS:
            alarm.send_again = False
        self._show(alarm, stage, body[4])

    def _show(self, alarm: Alarm, stage: str, reason: int) -> None:
        """A stage never falls; STORED and NO_PATH replace each other; HEARD lights nothing."""
        if stage in ("HEARD", alarm.stage) or _RANK[stage] < _RANK[alarm.stage]:
            return
        alarm.shown.append(stage)
        alarm.reason = reason

    def _obey(self, body: bytes) -> None:
        """Section 5.6: done once per id, told each time."""
        command = int.from_bytes(body[:2], "big")
        known = body[2] == wire.LOCATE
        if known and command not in self.commands_done:
            self.commands_done.append(command)
        if self.drop_results:
            self.drop_results -= 1
            return
        self.ask(wire.RESULT, body[:2] + bytes([wire.DONE if known else wire.UNKNOWN]))
