"""Daily life of the model: what is no fall, and may feel like one. Each returns specific force in g.

Owns its make-up, and how often a day has each (assumed; README.md). Must not know detectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.motion_model.trace import Trace, Vector, any_direction, tilted
from tools.motion_model.wearer import Wearer

Maker = Callable[[Wearer], list[Vector]]

# The older person's and the child's day: how many of each, one lasting what its function makes.
OLDER = "older"
CHILD = "child"


@dataclass(frozen=True)
class Kind:
    """One activity; `older`, `child`: how many of it a day of each has."""

    make: Maker
    older: float
    child: float


def walking(wearer: Wearer) -> list[Vector]:
    """A walk, and a stop."""
    trace = wearer.begin(wearer.standing())
    wearer.walks(trace, wearer.rng.uniform(10, 40))
    trace.rest(wearer.rng.uniform(5, 15), 0.03)
    return trace.samples


def stairs(wearer: Wearer) -> list[Vector]:
    """Down a flight: harder strikes."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    trace.walk(rng.uniform(6, 12), wearer.hertz * 0.9, rng.uniform(0.3, 0.5), rng.uniform(0.4, 1.2), wearer.arm / 2)
    trace.rest(rng.uniform(4, 10), 0.03)
    return trace.samples


def sits_down(wearer: Wearer) -> list[Vector]:
    """Drops into a chair, and stays."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    trace.drop(wearer.sitting(), rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.9))
    trace.blow(wearer.peak(1.9, 2.2, 0.25), rng.uniform(60, 150))
    _stays(wearer, trace)
    return trace.samples


def lies_down(wearer: Wearer) -> list[Vector]:
    """Into bed, as one does."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    trace.turn(wearer.lying(), rng.uniform(1.2, 3), 0.06)
    trace.blow(wearer.peak(1.35, 1.5, 0.12), rng.uniform(80, 200))
    trace.rustle(rng.uniform(0, 8), 0.08)
    trace.rest(20, rng.uniform(0.005, 0.02))
    return trace.samples


def flops_down(wearer: Wearer) -> list[Vector]:
    """Lets oneself fall onto bed or sofa: a fall onto something soft, and no accelerometer can tell."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    trace.drop(wearer.lying(), rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.8))
    trace.blow(wearer.peak(2.2, 2.6, 0.2), rng.uniform(100, 200))
    trace.rustle(rng.uniform(0, 4), 0.15)
    trace.rest(20, rng.uniform(0.005, 0.02))
    return trace.samples


def turns_in_bed(wearer: Wearer) -> list[Vector]:
    """From one side to another."""
    rng = wearer.rng
    trace = wearer.begin(wearer.lying())
    trace.rustle(rng.uniform(0.5, 2), 0.15)
    trace.turn(wearer.lying(sideways=0.6), rng.uniform(0.8, 2), 0.1)
    trace.rest(20, rng.uniform(0.005, 0.015))
    return trace.samples


def bends(wearer: Wearer) -> list[Vector]:
    """Picks something up, ties a shoe, comes up again."""
    rng = wearer.rng
    before = wearer.standing()
    trace = wearer.begin(before)
    down = wearer.level() if wearer.wrist else tilted((-0.9, 0, 0.4), 10, rng)
    trace.turn(down, rng.uniform(0.6, 1.5), 0.08)
    trace.rustle(rng.uniform(1, 10), 0.12)
    trace.turn(tilted(before, 5, rng), rng.uniform(0.6, 1.5), 0.08)
    _stays(wearer, trace)
    return trace.samples


def jumps(wearer: Wearer) -> list[Vector]:
    """Some times, as children do."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    for _ in range(rng.randint(1, 12)):
        trace.drop(tilted(trace.up, 5, rng), rng.uniform(0.2, 0.4), rng.uniform(0.0, 0.3))
        trace.blow(wearer.peak(3.5, 4.0, 0.25), rng.uniform(80, 160))
        trace.rest(rng.uniform(0.2, 1.0), 0.1)
    _stays(wearer, trace)
    return trace.samples


def runs(wearer: Wearer) -> list[Vector]:
    """A child runs, stops, stands or sits on the ground."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    trace.walk(
        rng.uniform(5, 25), rng.uniform(2.4, 3.2), rng.uniform(0.8, 1.3), rng.uniform(0.8, 2.5), 35 * wearer.wrist
    )
    if rng.random() < 0.3:
        trace.turn(wearer.sitting(), rng.uniform(0.5, 1.5), 0.2)
    _stays(wearer, trace)
    return trace.samples


def claps(wearer: Wearer) -> list[Vector]:
    """Applause, then the hands come to rest."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    if wearer.wrist:
        trace.turn(wearer.level(), rng.uniform(0.4, 1))
    for _ in range(rng.randint(4, 40)):
        trace.blow(wearer.peak(1.2, 3.8, 0.25), rng.uniform(20, 40), any_direction(rng))
        trace.rest(rng.uniform(0.15, 0.35), 0.3 if wearer.wrist else 0.03)
    trace.turn(wearer.sitting(), rng.uniform(0.4, 1.2))
    _stays(wearer, trace)
    return trace.samples


def knocks(wearer: Wearer) -> list[Vector]:
    """The wearable hits a table, a door, a walking frame."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    for _ in range(rng.randint(1, 4)):
        trace.blow(rng.uniform(2.5, 9), rng.uniform(8, 30), any_direction(rng))
        trace.rest(rng.uniform(0.3, 1.5), 0.08)
    if not wearer.wrist:  # it swings
        trace.walk(rng.uniform(1, 3), rng.uniform(0.8, 1.4), 0.1, 0.0, rng.uniform(5, 25))
    if rng.random() < 0.4:
        trace.turn(wearer.sitting(), rng.uniform(0.5, 1.5))
    _stays(wearer, trace)
    return trace.samples


def dropped(wearer: Wearer) -> list[Vector]:
    """The wearable alone falls: from a hand, a table, and lies. A thing falls, and nobody with it."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    trace.drop(any_direction(rng), 0.06, 0.05)
    trace.drop(any_direction(rng), rng.uniform(0.3, 0.5), 0.05)
    peak = rng.uniform(6, 16)
    for _ in range(rng.randint(1, 4)):
        trace.blow(peak, rng.uniform(8, 25), any_direction(rng))
        trace.rest(rng.uniform(0.05, 0.25), 0.05)
        peak *= rng.uniform(0.3, 0.6)
    trace.turn(any_direction(rng), 0.1, 0.2)
    trace.rest(25, 0.0)
    return trace.samples


def taken_off(wearer: Wearer) -> list[Vector]:
    """Taken off and laid down, more or less gently."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    trace.rustle(rng.uniform(2, 6), 0.3)
    trace.turn(any_direction(rng), rng.uniform(0.5, 1.5), 0.1)
    trace.blow(rng.uniform(1.1, 3.0), rng.uniform(8, 30))
    trace.rest(25, 0.0)
    return trace.samples


def car_ride(wearer: Wearer) -> list[Vector]:
    """A minute on a road with potholes."""
    rng = wearer.rng
    trace = wearer.begin(wearer.sitting())
    for _ in range(rng.randint(6, 15)):
        trace.rest(rng.uniform(2, 6), rng.uniform(0.03, 0.09))
        trace.blow(rng.uniform(1.15, 2.0), rng.uniform(40, 120))
    return trace.samples


def gets_up(wearer: Wearer) -> list[Vector]:
    """Out of bed and away."""
    rng = wearer.rng
    trace = wearer.begin(wearer.lying())
    trace.turn(wearer.sitting(), rng.uniform(1, 3), 0.1)
    trace.rest(rng.uniform(1, 10), 0.03)
    trace.turn(wearer.standing(), rng.uniform(0.8, 2), 0.08)
    wearer.walks(trace, rng.uniform(5, 15))
    return trace.samples


def _stays(wearer: Wearer, trace: Trace) -> None:
    """After it: some seconds of hardly anything, or of something to do with the hands."""
    if wearer.rng.random() < 0.5:
        trace.rustle(wearer.rng.uniform(1, 12), wearer.rng.uniform(0.05, 0.3))
    trace.rest(15, wearer.rng.uniform(0.01, 0.04))


KINDS: dict[str, Kind] = {
    "walking": Kind(walking, 40, 60),
    "stairs": Kind(stairs, 4, 10),
    "sits down hard": Kind(sits_down, 8, 15),
    "lies down": Kind(lies_down, 3, 2),
    "flops onto a bed": Kind(flops_down, 0.5, 2),
    "turns in bed": Kind(turns_in_bed, 20, 20),
    "bends down": Kind(bends, 15, 20),
    "jumps": Kind(jumps, 0, 15),
    "runs": Kind(runs, 0, 20),
    "claps": Kind(claps, 1, 5),
    "knocks it": Kind(knocks, 5, 10),
    "drops it": Kind(dropped, 0.1, 0.3),
    "takes it off": Kind(taken_off, 1, 2),
    "car ride": Kind(car_ride, 2, 4),
    "gets up": Kind(gets_up, 5, 3),
}
