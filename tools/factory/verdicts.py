"""What of a self-test's answers is good: limits, and for each part one word and its reason.

Owns the limits. Must not know how answers come (bench.py). A part that is not there is `skipped`, never passed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

DONE, FAILED, SKIPPED = "done", "failed", "skipped"
# The firmware debounces over one tick; what bounces longer is more than one press to it.
BOUNCE_MOST_MS = 20
# A cell as it comes from its maker, or on a cable: less is deep discharge, more is a charger out of order.
BATTERY_LEAST_MV = 3300
BATTERY_MOST_MV = 4300
# At rest the three axes together have the earth's pull.
REST_MG = 1000
REST_OFF_BY_MOST_MG = 150
# On the factory's table; an antenna that is broken off loses 20 dB and more.
HEARD_LEAST_DBM = -80


@dataclass(frozen=True)
class Verdict:
    """`state`: done, failed or skipped. `reason`: a catalogue key, "" for a part that is simply good."""

    state: str
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


NOT_FITTED = Verdict(SKIPPED, "factory.not_fitted")


def button(answer: dict[str, Any]) -> Verdict:
    """One press, whose contact settles within a tick."""
    edges = list(answer["edges_ms"])
    if answer["down_at_start"] or answer["down_at_end"]:
        return Verdict(FAILED, "factory.button_stuck", {"edges": len(edges)})
    if len(edges) < 2:
        return Verdict(FAILED, "factory.no_press", {"edges": len(edges)})
    bounces, longest_ms = len(edges) - 2, _longest_burst_ms(edges)
    facts = {"edges": len(edges), "bounces": max(0, bounces), "bounce_ms": longest_ms}
    if longest_ms > BOUNCE_MOST_MS:
        return Verdict(FAILED, "factory.bounces", facts)
    return Verdict(DONE, "", facts)


def _longest_burst_ms(edges: list[int]) -> int:
    """How long the contact took to settle, the worse of down and up: edges close together are one burst."""
    longest, first = 0, edges[0]
    for before, at in itertools.pairwise(edges):
        if at - before > 2 * BOUNCE_MOST_MS:
            first = at
        longest = max(longest, at - first)
    return longest


def battery(answer: dict[str, Any]) -> Verdict:
    """Measured, and a voltage that a healthy cell has."""
    mv = int(answer["mv"])
    if not BATTERY_LEAST_MV <= mv <= BATTERY_MOST_MV:
        limits = {"least": BATTERY_LEAST_MV, "most": BATTERY_MOST_MV}
        return Verdict(FAILED, "factory.battery", {"mv": mv, **limits})
    return Verdict(DONE, "", {"mv": mv})


def accelerometer(answer: dict[str, Any]) -> Verdict:
    """At rest it feels the earth, and nothing else."""
    if not answer["fitted"]:
        return NOT_FITTED
    total = round(sum(axis**2 for axis in answer["mg"]) ** 0.5)
    facts = {"mg": total}
    return Verdict(DONE if abs(total - REST_MG) <= REST_OFF_BY_MOST_MG else FAILED, "factory.rest", facts)


def flash(answer: dict[str, Any]) -> Verdict:
    """Both file systems took, kept and gave back."""
    wrong = {name: answer[name] for name in ("program", "records") if answer[name] != "ok"}
    if wrong:
        where, why = next(iter(wrong.items()))
        return Verdict(FAILED, "factory.flash", {"where": where, "why": why})
    return Verdict(DONE)


def radio(answer: dict[str, Any], heard: int | None, *, has_ear: bool) -> Verdict:
    """Its stack runs, and an adapter beside it hears it; without an adapter its antenna is not proved, as is said."""
    if not answer["fitted"]:
        return NOT_FITTED
    if "error" in answer:
        return Verdict(FAILED, "factory.radio", {"why": answer["error"]})
    facts = {"address": answer["address"], "rssi_dbm": heard}
    if not has_ear:
        return Verdict(DONE, "factory.no_ear", facts)
    if heard is None or heard < HEARD_LEAST_DBM:
        return Verdict(FAILED, "factory.not_heard", {**facts, "least": HEARD_LEAST_DBM})
    return Verdict(DONE, "", facts)
