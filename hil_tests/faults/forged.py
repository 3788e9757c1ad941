"""Millions of frames by somebody without keys, on every link: none accepted, no press lost among them.

Two parts. In this process: the real admission, wide search, intake, replies and journal on disk, as fast as they go,
through the real fragment joiner and line decoder. And a slice of the same on the air and on the line of a whole house.
Owns the counting. After each spell of hostile frames the genuine one that the attacker held back all the while is
heard: had one of his moved its window, it would be refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import sqlite3
import sys
import time
from pathlib import Path

from edge_daemon.admission import SPENT
from edge_daemon.config import Wearables
from edge_daemon.heard import Heard
from hil_tests.faults import forged_house
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.hostile_frames import PIECE, HostileFrames
from hil_tests.faults.listener import listening
from protocol import codes, fragments, serial_link
from protocol.messages import Answer
from tests.edge_daemon.core import Core, core
from tests.edge_daemon.wearer import Wearer

WEARERS = 4
# So many frames in a row without a turn for the tasks: a read of a port is no more.
_CHUNK = 100
_SPELL_LEAST = 1000
_PRESSES_MOST = 1000
_STORED_WITHIN_S = 30.0
# Each costs that time; a fault that loses so many loses all.
_LOST_ENOUGH = 3
# The part that goes through a house costs a hundred times as much each.
_HOUSE_SHARE = 0.03
_HOUSE_MOST = 60_000
# Blocks of Python's allocator that a press may leave behind (its alarm, its answer, this file's own notes), and that
# may come and go by themselves. One object kept for each hostile frame of a single kind is several thousands.
_BLOCKS_A_PRESS = 60
_BLOCKS_SLACK = 4000
_LINKS = ("air", "air", "air", "notification", "line")


class _Attack:
    """One core, its wearers, and the attacker before it."""

    def __init__(self, home: Core, wearers: list[Wearer], rng: random.Random, outcome: Outcome) -> None:
        self.hostile = HostileFrames(rng)
        self.presses = 0
        self.busy_s = 0.0
        self._home = home
        self._wearers = wearers
        self._rng = rng
        self._outcome = outcome
        self._joiner = fragments.Joiner()
        self._decoder = serial_link.Decoder()

    async def spell(self, count: int) -> None:
        """`count` hostile frames while a genuine one is held back, then that one."""
        wearer = self._rng.choice(self._wearers)
        self.hostile.caught = wearer.event()
        before = self._accepted(), dict(self._home.journal.windows)
        begun_s = time.monotonic()
        while count > 0:
            for _ in range(min(count, _CHUNK)):
                self._send(wearer, self.hostile.frame())
            count -= _CHUNK
            await asyncio.sleep(0)
        self.busy_s += time.monotonic() - begun_s
        if (self._accepted(), self._home.journal.windows) != before:
            self._outcome.wrong.append(f"after press {self.presses}: a hostile frame was accepted or moved a window")
        await self.press(wearer, self.hostile.caught)

    def _accepted(self) -> tuple[int, int]:
        # The gateway's own events are none of a wearable's.
        ours = sum(handle in self._home.journal.windows for handle, _ in self._home.journal.alarms)
        return self._home.count("frames_admitted"), ours

    def _send(self, wearer: Wearer, frame: bytes) -> None:
        link = _LINKS[int(self._rng.random() * len(_LINKS))]
        if link == "air":
            self._hear(wearer, frame, "ble")
        elif link == "notification":
            for piece in self.hostile.as_notifications(frame):
                whole = self._joiner.feed(piece)
                if whole is not None and whole != self.hostile.caught:
                    self._hear(wearer, whole, "ble")
        else:
            for block in self._decoder.feed(self.hostile.on_the_line(frame)):
                self._hear(wearer, block, "serial")

    def _hear(self, wearer: Wearer, frame: bytes, link: str) -> None:
        self._home.intake.heard(Heard(frame, link, None, self._home.clock.now_ms(), wearer.path))

    def _deliver(self, wearer: Wearer, frame: bytes) -> None:
        """A genuine frame, by any link: what the attacker left in the joiner or the decoder must not cost it."""
        link = self._rng.choice(_LINKS)
        if link == "air":
            self._hear(wearer, frame, "ble")
        elif link == "notification":
            for whole in filter(None, map(self._joiner.feed, fragments.split(frame, PIECE))):
                self._hear(wearer, whole, "ble")
        else:
            for block in self._decoder.feed(serial_link.encode(frame)):
                self._hear(wearer, block, "serial")

    async def press(self, wearer: Wearer, frame: bytes) -> None:
        """A genuine event, which must be stored and answered, and becomes one more recording."""
        event = f"{wearer.handle}-{wearer.number:06x}"
        self.presses += 1
        wearer.path.sent.clear()
        self._deliver(wearer, frame)
        try:
            async with asyncio.timeout(_STORED_WITHIN_S):
                while not self._stored(wearer):
                    wearer.path.news.clear()
                    await wearer.path.news.wait()
        except TimeoutError:
            self._outcome.lost.append(f"{event}: no STORED {_STORED_WITHIN_S:g} s after it was heard among the others")
        for answer in wearer.path.sent:
            self.hostile.record(answer)
        self.hostile.record(frame)
        # The platform's part, so that it does not wait for ever here.
        self._home.platform_says(event, "accepted")
        self._home.platform_says(event, "closed")

    def _stored(self, wearer: Wearer) -> bool:
        told = [wearer.open(frame) for frame in wearer.path.sent]
        return any(
            isinstance(one, Answer) and one.number == wearer.number and one.stage == codes.STORED for one in told
        )

    # ---- what must not grow ----

    def tables(self) -> None:
        """Every table that a frame gets into has a bound, and keeps it."""
        window, intake = Wearables().window, self._home.intake
        admission = intake._admission
        sizes = {
            "frames that wait for a search": (len(intake._search._waiting), 4096),
            "ways back to strangers": (len(intake._strangers._ways), 256),
            "expected ids": (len(admission._expected), window * WEARERS),
            "spent ids": (len(admission._spent), SPENT * WEARERS),
            "tasks of the intake": (len(intake._tasks), 2),
            "bytes of the line decoder": (len(self._decoder._buf), serial_link.ENCODED_MAX),
        }
        for name, (size, most) in sizes.items():
            if size > most:
                self._outcome.wrong.append(f"{name}: {size}, more than {most}")

    async def blocks(self) -> int:
        """Memory in use when nothing waits, in blocks of Python's allocator."""
        async with asyncio.timeout(_STORED_WITHIN_S):
            while self._home.intake._search._task is not None:
                await asyncio.sleep(0.02)
        self._home.strangers_seen.clear()
        self._home.uplink.sent.clear()
        gc.collect()
        return sys.getallocatedblocks()


async def _in_process(count: int, rng: random.Random, place: Path, outcome: Outcome) -> int:
    """The millions. Returns how many presses were among them."""
    wearers = [Wearer(f"home{number}") for number in range(WEARERS)]
    spell = max(_SPELL_LEAST, count // _PRESSES_MOST)
    async with core(place, *wearers) as home:
        attack = _Attack(home, wearers, rng, outcome)
        for wearer in wearers:
            await attack.press(wearer, wearer.event())
        done, blocks_first, presses_first = 0, None, 0
        while done < count and len(outcome.lost) < _LOST_ENOUGH:
            await attack.spell(min(spell, count - done))
            done += min(spell, count - done)
            attack.tables()
            if blocks_first is None and done >= count // 4:
                blocks_first, presses_first = await attack.blocks(), attack.presses
        blocks_last = await attack.blocks()
        grown = blocks_last - (blocks_last if blocks_first is None else blocks_first)
        allowed = _BLOCKS_SLACK + _BLOCKS_A_PRESS * (attack.presses - presses_first)
        if grown > allowed:
            outcome.wrong.append(f"memory grows: {grown} blocks more after {done:,} frames, allowed {allowed}")
    outcome.count += done
    outcome.figures["frames/s in process"] = f"{done / attack.busy_s:,.0f}"
    outcome.figures["memory"] = f"{grown:+,} blocks over the last three quarters"
    outcome.figures["kinds"] = str(len(attack.hostile.made))
    _stored_once(place, attack.presses, outcome)
    return attack.presses


def _stored_once(place: Path, presses: int, outcome: Outcome) -> None:
    """On disk, in the end: each press once, and nothing else under a wearable's name."""
    handles = {Wearer(f"home{number}").handle for number in range(WEARERS)}
    with contextlib.closing(sqlite3.connect(place / "journal.sqlite3")) as journal:
        rows = journal.execute("SELECT wearable, number FROM events").fetchall()
    ours = [row for row in rows if row[0] in handles]
    if len(ours) != presses:
        (outcome.lost if len(ours) < presses else outcome.wrong).append(f"{len(ours)} stored of {presses} presses")


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` hostile frames."""
    rng, outcome = random.Random(seed), Outcome()
    in_house = min(round(count * _HOUSE_SHARE), _HOUSE_MOST)
    with listening() as errors:
        presses = await _in_process(count - in_house, rng, place, outcome)
    outcome.wrong += [f"logged as an error: {entry}" for entry in errors]
    presses += await forged_house.attack(in_house, rng, place / "house", outcome)
    outcome.figures["genuine presses"] = str(presses)
    outcome.figures["accepted"] = "0" if not outcome.wrong else "see below"
    return outcome


CAMPAIGN = Campaign(
    "forged", "forged, replayed, foreign and broken frames on every link", short=100_000, long=10_000_000, run=run
)
