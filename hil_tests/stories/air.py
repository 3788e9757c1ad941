"""The air of a story: which gateway hears which wearable, connections, and that each question is answered in its time.

Owns who is near whom, and the waiting for a gateway's reaction: as long as it is under way, the story's time stands.
Must not know what is told. There is no loss and no air time here; hil_tests/radio has both.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path

from hil_tests.stories.line import Line, Word
from hil_tests.stories.wearable import StoryWearable
from protocol import codes, frame

# Frames a gateway that knows the wearable answers; to a result it may have nothing to say.
_QUESTIONS = (codes.HELLO, codes.EVENT, codes.HEARTBEAT)
# A commit on a busy machine's disk, and the connection before it.
_ANSWERED_WITHIN_S = 5.0
# A stranger's frame goes to the platform, which may know its wearable, and have an answer.
_PASSED_WITHIN_S = 0.5
# More may follow a first answer: what the platform said, a command.
_QUIET_S = 0.04
# A gateway waits 60 s for its answers, then it has looked all the same (gateway.py).
_LOOKED_WITHIN_S = 90.0
_FRAME_AT = 7
_FIRST = 0x80
_HANDLE = 1


@dataclass
class _Radio:
    """A wearable as the air has it."""

    wearable: StoryWearable
    address: str = ""
    advertises: bool = False
    gateway: str | None = None
    asked: bytes = b""
    asks: bool = False
    passes: bool = False


class Air:
    """`near` has the pairs (wearable, gateway) that hear each other. `unanswered`: questions of a near wearable."""

    def __init__(self, place: Path) -> None:
        self.near: set[tuple[str, str]] = set()
        self.unanswered = 0
        self._place = place
        self._radios: dict[str, _Radio] = {}
        self._lines: dict[str, Line] = {}
        self._knows: dict[str, set[str]] = {}
        self._servers: list[asyncio.Server] = []
        self._addresses = itertools.count(1)
        self._looks = itertools.count(1)
        self._looked: dict[int, asyncio.Event] = {}
        self._reacted = asyncio.Event()
        self._clock: Word = {}

    def socket(self, gateway: str) -> Path:
        """Where this gateway finds the air."""
        return self._place / f"{gateway}.air"

    async def open(self, gateway: str, knows: set[str]) -> None:
        """Wait for a gateway that serves these wearables, by their names."""
        self._knows[gateway] = knows

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = self._lines[gateway] = Line(reader, writer)
            line.tell(**self._clock)
            async for word in line.words():
                self._take(gateway, word)
            if self._lines.get(gateway) is line:
                del self._lines[gateway]
            line.close()

        self._servers.append(await asyncio.start_unix_server(serve, self.socket(gateway)))

    def close(self) -> None:
        """No more air."""
        for server in self._servers:
            server.close()
        for line in list(self._lines.values()):
            line.close()

    def add(self, wearable: StoryWearable) -> None:
        """One more on the air."""
        radio = self._radios[wearable.name] = _Radio(wearable)
        wearable.on_said = lambda words: self._said(radio, words)

    def clock(self, at_ms: int, wall_of_0_ms: int, boot: int) -> None:
        """Tell every gateway what time it is."""
        self._clock = {"do": "clock", "at_ms": at_ms, "wall_of_0_ms": wall_of_0_ms, "boot": boot}
        for line in self._lines.values():
            line.tell(**self._clock)

    # ---- what a wearable says ----

    def _said(self, radio: _Radio, words: list[str]) -> None:
        word = words[0]
        if word == "addr":
            radio.address = f"02:00:00:{next(self._addresses):06X}"
            radio.address = ":".join([radio.address[:8], *(radio.address[i : i + 2] for i in (9, 11, 13))])
            radio.advertises = False
        elif word == "adv":
            radio.advertises = True
            data = bytes.fromhex(words[1])
            self._question(radio, data[_FRAME_AT:])
            for gateway in self._hearing(radio):
                self._lines[gateway].tell(do="advertised", address=radio.address, data=words[1])
        elif word == "off":
            radio.advertises = False
        elif radio.gateway is None:
            return
        elif word == "notify":
            piece = bytes.fromhex(words[2])
            if piece[0] & _FIRST:
                self._question(radio, piece[1:])
            self._tell(radio.gateway, do="notified", address=radio.address, data=words[2])
        else:
            self._hang_up(radio)

    def _question(self, radio: _Radio, sealed: bytes) -> None:
        # What was said on the air is handed over again to who has come by it: one question.
        if frame.parse_head(sealed) in _QUESTIONS and sealed != radio.asked:
            radio.asked = sealed
            hearing = self._hearing(radio)
            radio.asks |= any(radio.wearable.name in self._knows[gateway] for gateway in hearing)
            radio.passes |= bool(hearing)

    def _hearing(self, radio: _Radio) -> list[str]:
        name = radio.wearable.name
        return [gateway for gateway in self._lines if (name, gateway) in self.near]

    def _hang_up(self, radio: _Radio) -> None:
        if radio.gateway is not None:
            self._tell(radio.gateway, do="gone", address=radio.address)
            radio.gateway = None

    def _tell(self, gateway: str, **word: str) -> None:
        if gateway in self._lines:
            self._lines[gateway].tell(**word)

    # ---- what a gateway says ----

    def _take(self, gateway: str, word: Word) -> None:
        if word["do"] == "looked":
            self._looked[word["number"]].set()
            return
        address = word["address"]
        radio = next((one for one in self._radios.values() if one.address == address), None)
        if word["do"] == "connect":
            there = radio is not None and radio.advertises and (radio.wearable.name, gateway) in self.near
            if radio is not None and there:
                radio.gateway, radio.advertises = gateway, False
                radio.wearable.tell(f"connect {_HANDLE}")
            self._tell(gateway, do="connected", address=address, **{"is": there})  # type: ignore[arg-type]
        elif radio is None or radio.gateway != gateway:
            return
        elif word["do"] == "write":
            radio.wearable.tell(f"write {_HANDLE} {word['data']}")
            self._reacted.set()
        else:
            radio.wearable.tell(f"gone {_HANDLE}")
            radio.gateway = None

    # ---- time stands ----

    async def settle(self, wearable: StoryWearable) -> None:
        """Until what this wearable has asked is answered, and what follows from that has followed."""
        radio = self._radios[wearable.name]
        asks, passes = radio.asks, radio.passes
        radio.asks = radio.passes = False
        if wearable.asleep or wearable.dark:
            radio.advertises = False
            self._hang_up(radio)
        if not passes:
            return
        if not await self._reaction(_ANSWERED_WITHIN_S if asks else _PASSED_WITHIN_S):
            self.unanswered += asks
            return
        while await self._reaction(_QUIET_S):
            pass

    async def _reaction(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._reacted.wait()
        except TimeoutError:
            return False
        self._reacted.clear()
        return True

    async def look(self) -> None:
        """Until every gateway has looked at its clock. Raises TimeoutError."""
        numbers = []
        for line in self._lines.values():
            numbers.append(next(self._looks))
            self._looked[numbers[-1]] = asyncio.Event()
            line.tell(do="look", number=numbers[-1])
        async with asyncio.timeout(_LOOKED_WITHIN_S):
            for number in numbers:
                await self._looked[number].wait()
                del self._looked[number]
