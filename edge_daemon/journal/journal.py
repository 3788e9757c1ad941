"""The journal's one writer: group commit. Guarantee: when `store` returns, the alarm survives a power cut.

Owns what is in memory of the file, and the order of writes. Must not know links or brokers, nor SQLite: disk.py does.
While one transaction is being synced, everything that arrives waits for the next: 64 waiting alarms cost one sync,
not 64. A disk that fails, is full or gone is tried again for ever, and everything lives on in memory meanwhile; a file
found damaged is replaced by a new one, into which all that memory holds is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from edge_daemon.counters import Counters
from edge_daemon.errors import StoreFailed
from edge_daemon.heard import FINAL_STAGES, Alarm
from edge_daemon.journal.batch import Batch
from edge_daemon.journal.disk import Disk, DiskFailed, Kept, Trouble
from edge_daemon.journal.maker import Maker
from edge_daemon.log import Log
from protocol import codes

log = Log("journal")

# Windows and what a failed transaction left behind wait this long for company before they are written.
_LAZY_S = 1.0


class Journal:
    """Alarms by identity, and the counter window of each wearable, on disk and in memory.

    `alarms` holds everything in the file, closed ones too until they are purged: it answers "do we know this event"
    without a query. One whose stage is still HEARD is not in the file (yet).
    `windows` is the highest counter accepted from each wearable, and the mark of maker.py.
    `silences`: for how long each wearable has been listened for in vain, ms.
    `boots`: each earlier run of the machine, oldest first: boot id -> (lasted_ms, offset_ms or None), see ages.py.
    `trouble` is why nothing can be written now; `on_trouble` is told after each attempt, `on_damaged` of a file that
    was set aside, `on_loaded` when a file that could not be read at the start has been read at last.
    """

    def __init__(self, path: Path, counters: Counters, make_room: Callable[[], bool] = lambda: False) -> None:
        self._disk = Disk(path, make_room)
        self._counters = counters
        self._loaded = False
        self._places = 0
        self._next = Batch()
        # time.monotonic() at which the writer began what it has not finished; None while it rests.
        self.writing_since_s: float | None = None
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._storing: dict[tuple[str, int], asyncio.Future[None]] = {}
        self._open: dict[str, dict[int, Alarm]] = {}
        self.alarms: dict[tuple[str, int], Alarm] = {}
        self.windows: dict[str, int] = {}
        self.silences: dict[str, int] = {}
        # Those that have ended, too: a file opened late must not bring them back.
        self._conditions: dict[tuple[int, str], bool] = {}
        self.boots: dict[str, tuple[int, int | None]] = {}
        self._maker = Maker()
        self.trouble: DiskFailed | None = None
        self.on_trouble: Callable[[], None] = lambda: None
        self.on_damaged: Callable[[str], None] = lambda aside: None
        self.on_loaded: Callable[[], None] = lambda: None
        self._damaged: list[str] = []

    @property
    def handle(self) -> str:
        """Who makes the gateway's own events."""
        return self._maker.handle

    @property
    def conditions(self) -> set[tuple[int, str]]:
        """What is wrong now, as (kind, about)."""
        return {condition for condition, holds in self._conditions.items() if holds}

    async def open(self) -> None:
        """Open or create the file and load it. Raises Refusal when it is in use or too new.

        A disk that can't be read or written is no reason to let no alarm through: it is tried again while we run.
        """
        try:
            await self._load()
        except DiskFailed as failed:
            self.trouble = failed
            self._wake.set()
            if not self.alarms:
                self._take(await self._disk.look(failed))
            log.error("journal_unusable", why=str(failed), alarms=len(self.alarms))

    async def _load(self) -> None:
        """Read the file, in place of what memory does not have better. Raises DiskFailed, Refusal."""
        kept = await self._disk.open()
        late, self._loaded = self._loaded or bool(self.alarms), True
        changed = self._take(kept)
        if kept.damaged:
            self._damaged.append(kept.damaged)
        if kept.doubt is not None:
            raise kept.doubt
        log.info("journal_opened", alarms=len(kept.alarms), late=late)
        if kept.damaged or changed:
            # A new file, or the old one without what we have learnt since: all of memory goes into it.
            self._next.take_back(self._everything())
            self._wake.set()
        await self._move_mark()
        if late:
            self.on_loaded()

    async def _move_mark(self) -> None:
        """Make numbers for the gateway's own events, from the first on."""
        mark = dict([self._maker.mark])
        try:
            await self._disk.commit(Batch(windows=mark))
            self._maker.committed(mark)
        except DiskFailed as failed:
            log.warning("mark_unmoved", why=str(failed))

    def _take(self, kept: Kept) -> bool:
        """Put what the file holds beside what memory holds. Returns whether memory holds what the file does not."""
        self._maker.opened(kept.handle, kept.windows, self.windows)
        there = {alarm.key for alarm in kept.alarms}
        lacking = [alarm for alarm in self.alarms.values() if alarm.key not in there]
        for alarm in lacking:
            # STORED in a file that is no more, or is another one: this one does not have it before its commit.
            alarm.stage = codes.HEARD if alarm.stage == codes.STORED else alarm.stage
        more = bool(lacking) or any(kept.windows.get(name, -1) < counter for name, counter in self.windows.items())
        more |= any((condition in kept.conditions) != holds for condition, holds in self._conditions.items())
        for alarm in kept.alarms:
            if kept.doubt is not None:
                # It goes out, but nobody is told that it is on disk: only the kernel's cache may show it.
                alarm.stage = codes.HEARD if alarm.stage == codes.STORED else alarm.stage
            known = self.alarms.get(alarm.key)
            if known is None:
                self._keep(alarm)
            elif known.stage == codes.HEARD:
                known.stage = alarm.stage
        for wearable, counter in kept.windows.items():
            self.windows[wearable] = max(counter, self.windows.get(wearable, -1))
        self.silences = {**kept.silences, **self.silences}
        self._conditions = {**dict.fromkeys(kept.conditions, True), **self._conditions}
        self.boots = {**kept.boots, **self.boots}
        return more

    def _everything(self) -> Batch:
        """All that memory holds, as one batch."""
        batch = Batch(dict(self.alarms), windows=dict(self.windows), boots=dict(self.boots))
        batch.silences, batch.conditions = dict(self.silences), dict(self._conditions)
        return batch

    async def close(self) -> None:
        """Write what waits, and close the file."""
        await self._disk.close(self._next if self._loaded else None)

    async def store(self, alarm: Alarm, counter: int) -> None:
        """Put a new alarm on disk together with the window that its frame moved; return after the commit.

        Asked twice for one event, both wait for the same commit. Raises StoreFailed: then it is not on disk and the
        wearable must not be told STORED. The journal goes on trying, and it may be asked again.
        """
        self._move(alarm.wearable, counter)
        done = self._storing.get(alarm.key)
        if done is None:
            done = self._storing[alarm.key] = asyncio.get_running_loop().create_future()
            self._keep(alarm)
            self._next.alarms[alarm.key] = alarm
            self._urgent.set()
        self._wake.set()
        await asyncio.shield(done)

    def next_own(self) -> tuple[str, int]:
        """The identity of the next event of the gateway's own."""
        identity = self._maker.next()
        self.move_window(*self._maker.mark)
        return identity

    def set_condition(self, condition: tuple[int, str], *, holds: bool) -> None:
        """Note that something is wrong now, or no more. Written with the next transaction."""
        self._conditions[condition] = self._next.conditions[condition] = holds
        self._wake.set()

    def note_silence(self, wearable: str, silent_ms: int) -> None:
        """Note for how long a wearable has been listened for in vain. Written with the next transaction."""
        self.silences[wearable] = self._next.silences[wearable] = silent_ms
        self._wake.set()

    def note_boot(self, boot_id: str, lasted_ms: int, offset_ms: int | None) -> None:
        """Note how long this run of the machine has lasted, and its wall clock's offset where NTP vouches for it."""
        self.boots[boot_id] = self._next.boots[boot_id] = (lasted_ms, offset_ms)
        self._wake.set()

    def move_window(self, wearable: str, counter: int) -> None:
        """Note the counter of an accepted frame that brings no new alarm. Written with the next transaction."""
        self._move(wearable, counter)
        self._wake.set()

    def advance(self, alarm: Alarm) -> None:
        """Write the alarm's present stage and reason behind. The platform has promised; a lost write is asked again."""
        if alarm.stage in FINAL_STAGES:
            self._open.get(alarm.wearable, {}).pop(alarm.number, None)
        self._next.advanced[alarm.key] = alarm
        self._wake.set()
        self._urgent.set()

    def open_alarms(self) -> list[Alarm]:
        """Alarms that are not closed or refused; those of one wearable oldest first."""
        return [alarm for alarms in self._open.values() for alarm in alarms.values()]

    def open_of(self, wearable: str) -> list[Alarm]:
        """The open alarms of one wearable, oldest first."""
        return list(self._open.get(wearable, {}).values())

    def purge(self, is_old: Callable[[Alarm], bool]) -> int:
        """Forget alarms that the platform has and that are old; return how many. Others stay for ever.

        Should a wearer still ask about one, it is taken for new, and the platform, which knows it, answers.
        """
        old = [a for a in self.alarms.values() if not a.waiting and is_old(a)]
        for alarm in old:
            del self.alarms[alarm.key]
            self._open.get(alarm.wearable, {}).pop(alarm.number, None)
            self._next.purged.append(alarm.key)
        if old:
            self._wake.set()
        return len(old)

    async def run(self) -> None:
        """Write for ever. The one task that touches the file once it is open."""
        while True:
            while self._damaged:
                self.on_damaged(self._damaged.pop())
            await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAZY_S):
                    await self._urgent.wait()
            batch, self._next = self._next, Batch()
            self._wake.clear()
            self._urgent.clear()
            self.writing_since_s = time.monotonic()
            try:
                await self._write(batch)
            finally:
                self.writing_since_s = None
            self.on_trouble()

    def _keep(self, alarm: Alarm) -> None:
        self.alarms[alarm.key] = alarm
        self._places += 1
        alarm.place = self._places
        if alarm.stage not in FINAL_STAGES:
            self._open.setdefault(alarm.wearable, {})[alarm.number] = alarm

    def _move(self, wearable: str, counter: int) -> None:
        self.windows[wearable] = max(counter, self.windows.get(wearable, -1))
        self._next.windows[wearable] = self.windows[wearable]

    async def _write(self, batch: Batch) -> None:
        try:
            if not self._disk.is_open:
                await self._load()
                # What the file lacks has been put into the next batch, where what came meanwhile is, too: it is newer.
                self._next.take_back(batch)
                batch, self._next = self._next, Batch()
            await self._disk.commit(batch)
        except asyncio.CancelledError:
            # We are stopped in the middle of it: `close` writes it again, which does no harm where it had been written.
            self._next.take_back(batch)
            raise
        except DiskFailed as failed:
            await self._failed(batch, failed)
            return
        self.trouble = None
        self._maker.committed(batch.windows)
        for alarm in batch.alarms.values():
            alarm.stage = max(alarm.stage, codes.STORED)
            done = self._storing.pop(alarm.key, None)
            if done is not None:
                done.set_result(None)
        self._counters.add("commits")

    async def _failed(self, batch: Batch, failed: DiskFailed) -> None:
        """Nothing of the batch is on disk: say so to who waits, and put it into the next one, which is not hurried."""
        self._counters.add("store_failed")
        log.error("store_failed", why=str(failed), trouble=failed.trouble.value, alarms=len(batch.alarms))
        unstored = batch.alarms
        if failed.trouble is Trouble.ROW:
            # Not the disk's state but a row the tables refuse: it would spoil every transaction it is put into.
            batch.alarms = {}
        else:
            self.trouble = failed
        self._next.take_back(batch)
        for key in unstored:
            done = self._storing.pop(key, None)
            if done is not None:
                done.set_exception(StoreFailed(str(failed)))
        if failed.trouble in (Trouble.FAILING, Trouble.DAMAGED):
            # Opened anew it is judged anew: a card that was pulled and put back, a file that is damaged and set aside.
            await self._disk.close()
        self._wake.set()
