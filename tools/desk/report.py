"""One gateway's report of one event, as the desk takes it. Owns the record and its arithmetic of ages; does no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from protocol import kinds

# From this age on an operator must not take an event for fresh (the contract's `late`).
LATE_AFTER_MS = 60_000
# From good to bad: a better quality replaces a worse one, whatever the age.
QUALITIES = ("exact", "coarse", "at_least", "unknown")


@dataclass(frozen=True, slots=True)
class Report:
    """What protocol/platform/schema/event.json says of one event, with who said it and when it came.

    `wearable` is who made it: of `source` "gateway", its journal; `about` and `remark` (the contract's `note`) are of
    those. `waited_ms`: how long the message lay at the broker, where both wall clocks are good; 0 where nobody knows.
    `sealed`: it came as a stranger's frame, and only this platform could read it.
    """

    event: str
    wearable: str
    number: int
    kind: str
    event_class: str
    detail: str
    age_ms: int | None
    age_quality: str
    heard_age_ms: int
    late: bool
    battery_percent: int | None
    link: str
    rssi_dbm: int | None
    stored: bool
    dty: str
    stc: str
    lco: str | None
    contact_id: str | None
    restore: bool
    test: bool
    refers_to: str | None
    raw: str | None
    area: str
    gateway: str
    received_ms: int
    source: str = "wearable"
    about: str | None = None
    remark: str | None = None
    waited_ms: int = 0
    sealed: bool = False

    @property
    def urgency(self) -> int:
        """0 emergency .. 5 test."""
        return kinds.CLASSES.index(self.event_class)

    @property
    def heard_ms(self) -> int:
        """Wall time at which the gateway heard it, at the latest."""
        return self.received_ms - self.waited_ms - self.heard_age_ms

    @property
    def pressed_ms(self) -> int | None:
        """Wall time at which it happened, at the latest: what lay unknown at a broker only makes it earlier."""
        return None if self.age_ms is None else self.heard_ms - self.age_ms

    @property
    def is_late(self) -> bool:
        """Whether it must be shown as late: the gateway said so, or it lay on the way."""
        return self.late or self.pressed_ms is None or self.received_ms - self.pressed_ms > LATE_AFTER_MS


def better_age(new: Report, quality: str, pressed_ms: int | None) -> bool:
    """Whether a report knows better when it happened. Of one quality the earlier wins: each is an upper bound.

    A second or less is jitter of the network and no news.
    """
    if new.age_quality != quality:
        return QUALITIES.index(new.age_quality) < QUALITIES.index(quality)
    return pressed_ms is not None and new.pressed_ms is not None and new.pressed_ms < pressed_ms - 1000
