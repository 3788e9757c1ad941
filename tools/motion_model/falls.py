"""Falls of the model: how the wearer goes down, and what comes after. Each returns specific force in g.

Owns their make-up; README.md has each number and whether it is measured or assumed. Must not know detectors.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.motion_model.trace import Trace, Vector, tilted
from tools.motion_model.wearer import Wearer

# Lies after the fall so long: enough for detector and countdown.
AFTER_S = 55.0


def forward(wearer: Wearer) -> list[Vector]:
    """Trips while walking, and lies on the face."""
    return _from_walking(wearer, (-1, 0, 0))


def backward(wearer: Wearer) -> list[Vector]:
    """Slips while walking, and lies on the back."""
    return _from_walking(wearer, (1, 0, 0))


def sideways(wearer: Wearer) -> list[Vector]:
    """To a side, while walking or turning."""
    return _from_walking(wearer, (0, wearer.rng.choice((-1, 1)), 0))


def slump(wearer: Wearer) -> list[Vector]:
    """Faints slowly, along a wall or from a chair: hardly any low g, a light blow."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing() if rng.random() < 0.6 else wearer.sitting())
    trace.drop(wearer.lying(), rng.uniform(0.8, 2.0), rng.uniform(0.7, 0.95))
    _lands(trace, wearer.peak(2.2, 3.0, 0.3), wearer)
    _lies(trace, wearer, AFTER_S, conscious=0.3)
    return trace.samples


def from_bed(wearer: Wearer) -> list[Vector]:
    """Rolls out of bed: half a metre."""
    rng = wearer.rng
    trace = wearer.begin(wearer.lying())
    trace.rustle(rng.uniform(1, 3), 0.15)
    trace.drop(wearer.lying(sideways=0.5), rng.uniform(0.25, 0.4), rng.uniform(0.2, 0.6))
    _lands(trace, wearer.peak(3.0, 4.0, 0.3), wearer)
    _lies(trace, wearer, AFTER_S)
    return trace.samples


def down_stairs(wearer: Wearer) -> list[Vector]:
    """Tumbles: several blows, each turned another way."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    wearer.walks(trace, rng.uniform(4, 8), 1.2)
    for _ in range(rng.randint(2, 5)):
        trace.drop(wearer.lying(), rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.7))
        _lands(trace, wearer.peak(3.2, 4.5, 0.3), wearer)
    _lies(trace, wearer, AFTER_S)
    return trace.samples


def recovered(wearer: Wearer) -> list[Vector]:
    """Falls as any of them, lies for some seconds, gets up and walks on."""
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    wearer.walks(trace, rng.uniform(6, 15))
    _goes_down(trace, wearer, wearer.lying())
    _lies(trace, wearer, rng.uniform(3, 15), conscious=1.0)
    trace.turn(wearer.level() if wearer.wrist else tilted((-0.5, 0, 0.8), 15, rng), rng.uniform(1.5, 4), 0.15)
    trace.turn(wearer.standing(), rng.uniform(1, 3), 0.1)
    wearer.walks(trace, rng.uniform(12, 20))
    trace.rest(AFTER_S, 0.02)
    return trace.samples


def _from_walking(wearer: Wearer, onto: Vector) -> list[Vector]:
    rng = wearer.rng
    trace = wearer.begin(wearer.standing())
    wearer.walks(trace, rng.uniform(3, 12))
    _goes_down(trace, wearer, wearer.lying() if wearer.wrist else tilted(onto, 15, rng))
    _lies(trace, wearer, AFTER_S)
    return trace.samples


def _goes_down(trace: Trace, wearer: Wearer, up: Vector) -> None:
    rng = wearer.rng
    if wearer.wrist and rng.random() < 0.5:  # arms fly up, or reach out
        trace.turn(wearer.level(), rng.uniform(0.15, 0.3), 0.4)
    trace.drop(up, rng.uniform(0.3, 0.7), rng.uniform(0.4, 1.1) if wearer.wrist else rng.uniform(0.15, 0.9))
    _lands(trace, wearer.peak(3.6, 5.4, 0.25), wearer)


def _lands(trace: Trace, peak: float, wearer: Wearer) -> None:
    """The blow and what bounces after it. An arm is thrown about besides, before and after: so it is in recordings."""
    rng = wearer.rng
    trace.blow(peak, rng.uniform(100, 240) if wearer.wrist else rng.uniform(60, 140))
    for _ in range(rng.randint(1, 3) if wearer.wrist else rng.randint(0, 2)):
        trace.rest(rng.uniform(0.04, 0.15), 0.1)
        peak *= rng.uniform(0.4, 0.8)
        trace.blow(max(1.2, peak), rng.uniform(60, 160) if wearer.wrist else rng.uniform(40, 100))
    trace.rustle(rng.uniform(0.1, 1.2), 0.25)


def _lies(trace: Trace, wearer: Wearer, seconds: float, conscious: float = 0.6) -> None:
    """Still, or, with so much likelihood, first restless, or trying again and again to get up."""
    rng = wearer.rng
    left = seconds
    if rng.random() < conscious:
        if rng.random() < 0.3:
            while left > seconds / 2 and left > 6:
                trace.rustle(rng.uniform(1, 3), rng.uniform(0.15, 0.4))
                trace.rest(rng.uniform(1, 4), 0.02)
                left -= 4.5
        else:
            restless = min(left, rng.uniform(0.5, 5))
            trace.rustle(restless, rng.uniform(0.06, 0.2))
            left -= restless
    trace.rest(max(0.0, left), rng.uniform(0.004, 0.02))


KINDS: dict[str, Callable[[Wearer], list[Vector]]] = {
    "forward": forward,
    "backward": backward,
    "sideways": sideways,
    "slump": slump,
    "from bed": from_bed,
    "down stairs": down_stairs,
}
