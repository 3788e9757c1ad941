"""What the room is like: who hears whom, how strongly, how much is lost, how late it comes.

Owns these settings and the one seeded generator that all chance comes from, so that a run can be repeated as far as
its timing allows. Must not know radios: places have names.
"""

from __future__ import annotations

import random
from collections.abc import Callable

_RSSI_DBM = -60


class Conditions:
    """`interval_s`: of all connections, 0 for none (data arrives at once). `on_change` runs when reach has changed."""

    def __init__(self, interval_s: float, rng: random.Random) -> None:
        self.interval_s = interval_s
        self.rng = rng
        self.delay_s = 0.0
        self.repeats = 0
        self.reorder = 0.0
        self.on_change: Callable[[], None] = lambda: None
        self._loss = 0.0
        self._vanished: set[str] = set()
        self._deaf: set[str] = set()
        self._rssi_dbm: dict[tuple[str, str], int] = {}

    def set_loss(self, share: float) -> None:
        """Let each packet be lost with this chance, 0 to 1."""
        self._loss = share
        self.on_change()

    def set_vanished(self, name: str, value: bool) -> None:
        """Take a place out of everybody's range, or bring it back."""
        (self._vanished.add if value else self._vanished.discard)(name)
        self.on_change()

    def set_deaf(self, name: str, value: bool) -> None:
        """Let a place hear nothing (jammed), or hear again."""
        (self._deaf.add if value else self._deaf.discard)(name)
        self.on_change()

    def set_rssi(self, sender: str, receiver: str, dbm: int) -> None:
        """How strongly `receiver` hears `sender`."""
        self._rssi_dbm[sender, receiver] = dbm

    def rssi_dbm(self, sender: str, receiver: str) -> int:
        """How strongly `receiver` hears `sender`."""
        return self._rssi_dbm.get((sender, receiver), _RSSI_DBM)

    def vanished(self, name: str) -> bool:
        """Whether this place is out of everybody's range."""
        return name in self._vanished

    def deaf(self, name: str) -> bool:
        """Whether this place hears nothing."""
        return name in self._deaf

    def hears(self, sender: str, receiver: str) -> bool:
        """Whether anything of the one can reach the other."""
        return self._loss < 1 and receiver not in self._deaf and not self._vanished & {sender, receiver}

    def linked(self, one: str, other: str) -> bool:
        """Whether a connection between them lives: it takes both directions, for who hears no ack sends again."""
        return self.hears(one, other) and self.hears(other, one)

    def lost(self) -> bool:
        """Throw the dice for one packet."""
        return self.rng.random() < self._loss

    def passes(self, one: str, other: str) -> bool:
        """Whether a packet of a connection gets through now."""
        return self.linked(one, other) and not self.lost()
