"""What a board without screen, satellites and accelerometer answers for its parts; and which parts there are.

Owns these answers (parts.py). It is apart, so that a pendant pays for no part: not for their code, not for their names.
"""

from . import schedule

# Name of the package, and what a board must have for it; tools/image_sources.py reads this, too.
KINDS = (
    ("screen", ("has_display", "has_touch")),
    ("positions", ("has_gnss",)),
    ("motion", ("has_accelerometer",)),
)


def has(board, needs):
    """Whether this board has all of these."""
    return all(getattr(board, need) for need in needs)


class NoParts:
    """See parts.Parts."""

    def turn(self, now_ms):
        """Nothing."""

    def next_ms(self, now_ms):  # noqa: ARG002  # as Parts has it
        """Never."""
        return schedule.NEVER

    def awake(self, now_ms):  # noqa: ARG002
        """No."""
        return False

    def keep(self):
        """Nothing."""
        return b""

    def resume(self, kept):
        """Nothing."""

    def command(self, command, way):
        """None: it is nobody's."""

    def activity(self):
        """None."""

    def worn(self):
        """None."""

    def taken(self, sequence):
        """Nothing."""

    def connected(self, way):
        """Nothing."""

    def stage(self, kind, number, stage):
        """Nothing."""

    def settled(self):
        """Nothing."""
