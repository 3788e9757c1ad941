"""Positions put down one by one: into which trail each belongs, and when a new one begins.

Owns that. Must not know files (store.py), nor who takes positions. Each event's positions are in trails of their own.
"""

from protocol.trail_code import Writer


class Trail:
    """Writes on `store`."""

    def __init__(self, store):
        self.store = store

    def add(self, position, number, step_s):
        """Put a position down as news of this event (0: of none). Returns whether it lies in flash now.

        Raises ValueError for one that is none.
        """
        store = self.store
        if store.open is not None and store.writable and store.open.number == number and store.open.trail:
            writer = Writer(step_s, store.open.trail)
            if writer.add(position):
                return store.put(writer.data)
        writer = Writer(step_s)
        writer.add(position)
        store.begin(number, position.unix_s)
        return store.put(writer.data)
