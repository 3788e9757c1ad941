"""What time it is, as a gateway said. Owns the one number between the wearable's clock and the world's.

Must not know who wants it. Times of events never come from here: they are ages (outbox.py), which cannot be set.
"""

# The clock of deep sleep drifts by some percent: after so long it would be told again.
FRESH_S = 6 * 3600
_NO_OFFSET = -32768


class Clock:
    """`offset_minutes`: local time ahead of UTC, None: never told."""

    def __init__(self, board):
        self._board = board
        # Who shows the time, or dates positions.
        self._wanted = (board.has_display and board.has_touch) or board.has_gnss
        self.offset_minutes = None
        # When power came, by the world's clock, and how old the wearable was when it was told; 0: never.
        self._origin_s = 0
        self._told_s = 0

    def set(self, unix_s, offset_minutes):
        """It is this time now. `offset_minutes` None: nobody has said how far local time is ahead."""
        self._told_s = self._since_power_on_s()
        self._origin_s = unix_s - self._told_s
        self.offset_minutes = offset_minutes

    def unix_s(self):
        """Seconds since 1970, UTC; 0 while nobody has said."""
        return self._origin_s + self._since_power_on_s() if self._origin_s else 0

    def wants(self):
        """Whether a gateway should say what time it is."""
        return self._wanted and (not self._origin_s or self._since_power_on_s() - self._told_s >= FRESH_S)

    def keep(self):
        """What goes over a deep sleep: (origin, told, offset)."""
        return self._origin_s, self._told_s, _NO_OFFSET if self.offset_minutes is None else self.offset_minutes

    def resume(self, kept):
        """Go on with what keep() said."""
        self._origin_s, self._told_s, offset = kept
        self.offset_minutes = None if offset == _NO_OFFSET or not self._origin_s else offset

    def _since_power_on_s(self):
        return (self._board.started_ms + self._board.now_ms()) // 1000
