"""`esp32` of the bench's chip: the flash's partitions, and what may wake it. `wake_on_gpio` is missing, as in 1.25."""

import chip
import world

Partition = chip.Partition
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def wake_on_ext0(pin, level):
    """Deep sleep ends while `pin` has that level."""
    world.wakes[:] = [(pin.number, 1 if level else 0)]
