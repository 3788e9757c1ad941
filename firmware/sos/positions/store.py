"""The trail in flash: seven days of positions and more, whole after any loss of power, never much of the ledger's room.

Owns the files in the folder "trail" and the sequence numbers of the boxes. Must not know what a position is (it keeps
trails of protocol/trail_code.py), nor who gets them. Guarantee: what add() said it has kept is there until a gateway
has taken it or newer ones need its room; a sequence number is never used for two; a trail that may have been handed
over is never written on.

    "now": "PTN1" | newest sequence ever begun (4) | records that are in no other file | CRC-32 of all (4)
    others, named by a sequence not above their first: closed records in a row, each file at most one block of flash
    record: sequence (4) | number of its event (3) | size (1) | trail | CRC-32 of all (4)
Numbers are big endian, CRCs little endian. "now" lies inside littlefs's directory block: a position costs one append.
The record of the newest sequence in "now" may still be written on. It is closed by being written into the newest of the
others, then out of "now"; where power goes in between it is in both, and counts as closed. A number that nothing in
flash tells any more goes on by the clock: each 8 s have one of their own, and no wearer begins trails faster than that
for long.
"""

from .files import BLOCK, Folder, Record, content, name_of, records, with_sum

# At least seven days at one position each five minutes, whoever the wearer is (README.md, figures).
FILES_MOST = 6
# So many that the other files do not take lie in "now"; or in RAM, where that is not taken either.
_LOOSE_MOST = 4
_MAGIC = b"PTN1"
_NOW = "now"
_NOW_HEAD = 8
_EPOCH_S = 1577836800
_STEP_S = 8
_SEQUENCE_MOST = 0xFFFFFFFF


class Store:
    """`open`: the Record that is not closed yet, or None. `writable`: it may be written on."""

    def __init__(self, flash, most=FILES_MOST):
        """`flash`: the folder where flash is mounted; "": it could not be, and all is in RAM."""
        self.folder = Folder(flash)
        self._most = most
        self.open = None
        # After a start it may have been handed over while flash took nothing: see resume().
        self.writable = False
        self._newest = 0
        # First sequences of the files, oldest first, and how long the newest of them is.
        self._files = []
        self._size = 0
        self._loose = []
        # Taken, and still in flash.
        self._gone = []
        # Sequences of what waits, once somebody has asked: of an event, and of none.
        self._waiting = None
        # By themselves: where the folder can't be listed, the newest number may still be told.
        for load in (self._load_now, self._load_files):
            try:
                load()
            except OSError:
                pass  # it is noted
        self._reopen()

    @property
    def failed(self):
        """Whether flash did not take the last that it was given, or does not give what it has."""
        return self.folder.failed

    def _load_now(self):
        now = content(self.folder.read(_NOW))
        if now[:4] == _MAGIC and len(now) >= _NOW_HEAD:
            self._newest = int.from_bytes(now[4:8], "big")
            self._loose = list(records(now[_NOW_HEAD:]))

    def _load_files(self):
        self._files = self.folder.open()
        if self._files:
            self._newest = max(self._newest, self._files[-1])
            for record in self._records(self._files[-1]):
                self._size += len(record.pack())
                self._newest = max(self._newest, record.sequence)
                self._loose = [other for other in self._loose if other.sequence != record.sequence]

    def _reopen(self):
        if self._loose and self._loose[-1].sequence == self._newest:
            self.open = self._loose.pop()

    # ---- what is added ----

    def resume(self, sequence):
        """After a deep sleep, before which this one was the open one, and writable: so it is again."""
        self.writable = self.open is not None and self.open.sequence == sequence

    def begin(self, number, unix_s):
        """A new trail of this event (0: of none), in place of the open one, which is closed; put() makes it last."""
        self.close()
        by_clock = max(0, unix_s - _EPOCH_S) // _STEP_S
        self._newest = min(max(self._newest + 1, by_clock), _SEQUENCE_MOST)
        self.open = Record(self._newest, number, b"")
        self.writable = True

    def put(self, trail):
        """The open one is this now. Returns whether flash has it."""
        self.open.trail = trail
        return self._write_now()

    def close(self):
        """Nothing is written on any more: the open one can be handed over. Returns whether flash has that."""
        record, self.open = self.open, None
        if record is None or not record.trail:
            return True
        if self._waiting is not None:
            self._waiting[0 if record.number else 1].append(record.sequence)
        self._loose.append(record)
        for loose in list(self._loose):
            if not self._append(loose.pack(), loose.sequence):
                break
            self._loose.remove(loose)
        for old in self._loose[:-_LOOSE_MOST]:
            self._forget(old.sequence)
        return self._write_now() and not self._loose

    def _write_now(self):
        now = _MAGIC + self._newest.to_bytes(4, "big") + b"".join(loose.pack() for loose in self._loose)
        if self.open is not None and self.open.trail:
            now += self.open.pack()
        return self.folder.write(_NOW, with_sum(now))

    def _append(self, record, sequence):
        """Into the newest file, or a new one where that is full."""
        data = self._rest_of_newest() if self._files and self._size + len(record) <= BLOCK else None
        name = sequence if data is None else self._files[-1]
        data = data or b""
        while len(self._files) - (name in self._files) >= self._most or not self.folder.room():
            if not self._files or self._files == [name]:
                return False
            self._drop_oldest()
        if not self.folder.write(name_of(name), data + record):
            return False
        if name not in self._files:
            self._files.append(name)
        self._size = len(data) + len(record)
        return True

    def _rest_of_newest(self):
        """What the newest file holds and nobody has taken; None when it cannot be read: then it is left as it is."""
        try:
            return b"".join(self._left_in(self._files[-1]))
        except OSError:
            return None

    def _left_in(self, name):
        """The records of a file but those that were taken. What is rotten goes, too."""
        return [record.pack() for record in self._records(name) if record.sequence not in self._gone]

    def _drop_oldest(self):
        """The room of the oldest file is needed."""
        oldest = self._files[0]
        below = self._files[1] if len(self._files) > 1 else _SEQUENCE_MOST + 1
        self.folder.remove(name_of(oldest))
        self._files.remove(oldest)
        self._gone = [sequence for sequence in self._gone if not oldest <= sequence < below]
        if self._waiting is not None:
            loose = [record.sequence for record in self._loose]
            for kind in (0, 1):
                self._waiting[kind] = [
                    sequence for sequence in self._waiting[kind] if sequence in loose or not oldest <= sequence < below
                ]

    # ---- what is handed over ----

    @property
    def waits(self):
        """Whether anything is there that nobody has taken, open or closed."""
        if self.open is not None and self.open.trail:
            return True
        return bool(self._loose) or (bool(self._files) if self._waiting is None else any(self._waiting))

    def next(self, skip):
        """The Record to hand over next: of an event, then of none, the newest first; none in `skip`. None: no more."""
        if self._waiting is None:
            self._index()
        for kind in self._waiting:
            for sequence in sorted(kind, reverse=True):
                if sequence not in skip:
                    record = self._find(sequence)
                    if record is not None:
                        return record
                    kind.remove(sequence)
        return None

    def taken(self, sequence):
        """It is kept elsewhere: forget it here, in flash by settle()."""
        if self._waiting is None:
            self._index()
        if not any(sequence in kind for kind in self._waiting):
            return
        if not self._forget(sequence):
            self._gone.append(sequence)

    def settle(self):
        """What was taken goes out of flash, too. One write for each file concerned; done late it costs no more."""
        for at in range(len(self._files) - 1, -1, -1):
            name = self._files[at]
            below = self._files[at + 1] if at + 1 < len(self._files) else _SEQUENCE_MOST + 1
            if any(name <= sequence < below for sequence in self._gone):
                self._thin_out(name)
        if not self.failed:
            self._gone = []

    def _thin_out(self, name):
        try:
            kept = self._left_in(name)
        except OSError:
            return
        if kept:
            if self.folder.write(name_of(name), b"".join(kept)) and name == self._files[-1]:
                self._size = sum(len(record) for record in kept)
        else:
            self.folder.remove(name_of(name))
            self._files.remove(name)

    def _forget(self, sequence):
        """It waits no more. Returns whether it was in RAM alone."""
        loose = [record for record in self._loose if record.sequence != sequence]
        was_loose = len(loose) < len(self._loose)
        self._loose = loose
        if self._waiting is not None:
            self._waiting = [[other for other in kind if other != sequence] for kind in self._waiting]
        return was_loose

    def _index(self):
        self._waiting = [[], []]
        for record in self._loose:
            self._waiting[0 if record.number else 1].append(record.sequence)
        for name in self._files:
            try:
                for record in self._records(name):
                    self._waiting[0 if record.number else 1].append(record.sequence)
            except OSError:
                pass  # it is noted

    def _find(self, sequence):
        for record in self._loose:
            if record.sequence == sequence:
                return record
        names = [name for name in self._files if name <= sequence]
        try:
            for record in self._records(names[-1]) if names else ():
                if record.sequence == sequence:
                    return record
        except OSError:
            pass  # it is noted
        return None

    def _records(self, name):
        """Raises OSError, which is noted."""
        return records(self.folder.read(name_of(name)))
