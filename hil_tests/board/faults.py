"""What goes wrong with a board: a cable pulled, a flipped byte, a dead sector. Chosen before, counted while it runs.

Owns when. The odometer counts all that happens in one number (bytes over the wire either way, sectors erased or
written), so that one seeded number is a place anywhere on the way. Must not know wires, flash or chips.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# One sector erased or written weighs as much as this many bytes on the wire, or no place would ever lie in one.
SECTOR_WEIGHS = 256


class Cut(Exception):
    """Power and cable are gone, now."""


@dataclass
class Faults:
    """`pull_at`: the odometer's reading at which the cable goes. `flip_at`: the byte of the wire that arrives wrong.

    `dead`: sectors that take no data. `odometer` runs on over every start of the board.
    """

    pull_at: int | None = None
    flip_at: int | None = None
    dead: set[int] = field(default_factory=set)
    odometer: int = 0

    def passes(self, data: bytes) -> bytes:
        """What arrives of `data`. Shorter than `data`: the cable went within it; the caller then cuts."""
        arrived = data
        if self.pull_at is not None and self.odometer + len(data) > self.pull_at:
            arrived = data[: max(0, self.pull_at - self.odometer)]
        if self.flip_at is not None and 0 <= self.flip_at - self.odometer < len(arrived):
            at = self.flip_at - self.odometer
            arrived = arrived[:at] + bytes([arrived[at] ^ 0x55]) + arrived[at + 1 :]
        self.odometer += len(arrived)
        return arrived

    def works(self) -> None:
        """A sector is worked on. Raises Cut when the cable goes while it is."""
        self.odometer += SECTOR_WEIGHS
        if self.pull_at is not None and self.odometer > self.pull_at:
            raise Cut
