"""What the presses of a room say: good, weak or none. Owns the rule and its numbers; README.md says why these.

Must not know how presses were seen, nor how a verdict is shown.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tools.walk_test.presses import Press

GOOD, WEAK, NONE = "good", "weak", "none"

# One press says that it can work, three that it mostly does.
PRESSES = 3
# The goal of DESIGN from press to STORED; beyond it the first burst did not do.
STORED_WITHIN_MS = 2000
# A body, a wet hand or a closed door takes some 15 dB; what is 15 dB above a usual receiver's end still gets through.
SENSITIVITY_DBM = -90
MARGIN_DB = 15


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one room. `reason`: a catalogue key behind `walk-test.reason.`; "" where it is good."""

    verdict: str
    reason: str
    presses: int
    stored: int
    rssi_dbm: int | None
    margin_db: int | None
    slowest_ms: int | None
    retries: int


def judge(presses: list[Press]) -> Verdict:
    """The verdict on the presses that were made in a room."""
    stored = [press for press in presses if press.stored]
    signals = [press.rssi_dbm for press in presses if press.rssi_dbm is not None]
    times = [press.took_ms for press in stored if press.took_ms is not None]
    rssi_dbm = round(statistics.median(signals)) if signals else None
    margin_db = None if rssi_dbm is None else rssi_dbm - SENSITIVITY_DBM
    retries = sum(press.retries for press in presses)
    verdict, reason = _judged(presses, stored, times, margin_db)
    slowest_ms = max(times, default=None)
    return Verdict(verdict, reason, len(presses), len(stored), rssi_dbm, margin_db, slowest_ms, retries)


def _judged(presses: list[Press], stored: list[Press], times: list[int], margin_db: int | None) -> tuple[str, str]:
    if not stored:
        return NONE, "not_heard" if not presses else "not_stored"
    wrong = {
        "few": len(presses) < PRESSES,
        "lost": len(stored) < len(presses),
        "not_seen": len(times) < len(stored),
        "slow": max(times, default=0) > STORED_WITHIN_MS,
        "faint": margin_db is not None and margin_db < MARGIN_DB,
    }
    reason = next((reason for reason, is_so in wrong.items() if is_so), "")
    return WEAK if reason else GOOD, reason
