"""What a wearer's body does in a story, as the accelerometer of the wearable feels it. Owns the traces, from a seed.

They are those of tools/motion_model, whose README says what they assume. Must not know what the firmware makes of them,
but for falls: those that the detector is known to find are taken, for a story is about what follows.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.motion_model import falls
from tools.motion_model.sensor import Sample, sensed
from tools.motion_model.trace import HZ, Vector
from tools.motion_model.wearer import PENDANT, WRIST, Wearer

if TYPE_CHECKING:
    from tools.motion_model.judge import Verdict

_GAIT_S = 20.0
_FOUND_WITHIN = 200


@dataclass(frozen=True)
class Fall:
    """A fall as the board takes it; when in it the blow comes, and how long the whole lasts."""

    trace: str
    blow_ms: int
    lasts_ms: int


class Moves:
    """`gait`: walking, over and over; `sits`: worn and at rest; `still`: on a table. A fall goes on to what follows."""

    def __init__(self, seed: int, *, wrist: bool, level: str = "normal") -> None:
        self._seed = seed
        self._place = WRIST if wrist else PENDANT
        self._level = level
        wearer = self._wearer(0)
        trace = wearer.begin(wearer.standing())
        del trace.samples[:]
        wearer.walks(trace, _GAIT_S)
        self.gait = self._bytes(trace.samples)
        del trace.samples[:]
        # Who sits or lies still breathes and trembles (daily.py's model); a table does not.
        trace.rest(_GAIT_S, 0.012)
        self.sits = self._bytes(trace.samples)
        del trace.samples[:]
        trace.rest(_GAIT_S, 0.002)
        self.still = self._bytes(trace.samples)

    def _wearer(self, number: int) -> Wearer:
        return Wearer(random.Random(self._seed * 1000 + number), self._place, frail=False)

    def _samples(self, trace: list[Vector]) -> list[Sample]:
        # The same seed each time: the chip sits in the wearable in one way.
        return sensed(trace, random.Random(self._seed))

    def _bytes(self, trace: list[Vector]) -> str:
        return hexadecimal(self._samples(trace))

    def fall(self) -> Fall:
        """One after which the wearer lies."""
        return self._found(falls.forward, lambda verdict: verdict.sent == 1 and verdict.falls == 1)

    def fall_with_recovery(self) -> Fall:
        """One after which the wearer gets up and walks on."""
        return self._found(falls.recovered, lambda verdict: verdict.sent == 0 and verdict.falls == 1)

    def _found(self, make: Callable[[Wearer], list[Vector]], wanted: Callable[[Verdict], bool]) -> Fall:
        # Not above: the detector lies in firmware/, which is no package of `pingan`.
        from tools.motion_model.judge import judge

        for number in range(1, _FOUND_WITHIN):
            samples = self._samples(make(self._wearer(number)))
            if wanted(judge(samples, level=self._level, wrist=self._place == WRIST)):
                blow = max(range(len(samples)), key=lambda at: sum(axis * axis for axis in samples[at]))
                return Fall(hexadecimal(samples), blow * 1000 // HZ, len(samples) * 1000 // HZ)
        raise LookupError("no such fall is found by the detector any more")


def hexadecimal(samples: list[Sample]) -> str:
    """As the board of a story takes them."""
    return b"".join(value.to_bytes(2, "big", signed=True) for sample in samples for value in sample).hex()
