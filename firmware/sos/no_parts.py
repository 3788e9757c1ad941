"""What a board without screen, satellites and accelerometer answers for its parts; and which parts there are.

Owns the hooks that parts.py calls. It is apart, so that a pendant pays for no part: not for their code, not for their
names.
"""

from . import schedule

# Name of the package, and what a board must have for it, in the order of the heartbeat's flags HEARTBEAT_..._OUT;
# tools/image_sources.py reads this, too.
KINDS = (
    ("screen", ("has_display", "has_touch")),
    ("positions", ("has_gnss",)),
    ("motion", ("has_accelerometer",)),
)


def has(board, needs):
    """Whether this board has all of these."""
    return all(getattr(board, need) for need in needs)


class NoParts:
    """Every hook of a part, doing nothing: what there is where there is none, and what each part begins with.

    All are called in the main loop, and none may block.
    """

    def start(self, kept):
        """Of all together: make them; `kept`: what their keep() said before a deep sleep."""

    def newly_out(self):
        """Of all together: whether one has failed that no heartbeat has said; true once."""

    def tell_out(self):
        """Of all together, for a heartbeat that is sent now: flags, of those that are out of use."""
        return 0

    def turn(self, now_ms):
        """Each turn of the main loop."""

    def next_ms(self, now_ms):  # noqa: ARG002  # for those who need it
        """When, in ms of this run, it must be awake again."""
        return schedule.NEVER

    def awake(self, now_ms):  # noqa: ARG002
        """Whether there must be no deep sleep now."""
        return False

    def keep(self):
        """What goes over a deep sleep; of a part, at most parts.KEEP_MOST bytes."""
        return b""

    def resume(self, data):
        """What keep() said before the sleep that has ended."""

    def command(self, command, way):
        """(result, what follows it) of a command; None: it is not for this part."""

    def activity(self):
        """The value of TLV_ACTIVITY for a heartbeat, or None."""

    def worn(self):
        """WORN or NOT_WORN, or None."""

    def taken(self, sequence):
        """The box of this sequence is kept elsewhere now."""

    def connected(self, way):
        """A gateway can be handed something by this way, and no alarm waits for it."""

    def stage(self, kind, number, stage):
        """An answer says so of an event; REFUSED also says that it was given up for an alarm."""

    def settled(self):
        """The settings are new."""
