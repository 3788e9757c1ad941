"""`select` whose poll() also lets Bluetooth's events in: what a board does by interrupt happens where it waits.

Owns the radio's place in every poll, asyncio's included. Must not know the radio: `watch` says what to wait for.
A poll that has let events in returns at once, with whatever else is ready: it may come back early and empty-handed.
"""

import uselect
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT  # noqa: F401 - the module's own names

_watched = [None, None]  # the stream, and what to call when it is readable


def watch(stream, deliver):
    """From now on all polls wait for `stream`, too, and call `deliver()`; None for both: no longer."""
    _watched[0] = stream
    _watched[1] = deliver


class poll:  # noqa: N801 - the module's own name
    """As uselect.poll."""

    def __init__(self):
        self._poll = uselect.poll()
        self._radio = None

    def register(self, stream, events=POLLIN | POLLOUT):
        return self._poll.register(stream, events)

    def modify(self, stream, events):
        return self._poll.modify(stream, events)

    def unregister(self, stream):
        return self._poll.unregister(stream)

    def ipoll(self, within_ms=-1, flags=0):
        return iter(self.poll(within_ms, flags))

    def poll(self, within_ms=-1, flags=0):
        self._follow()
        # ipoll fills one tuple again and again: copy what it says.
        found = [(one[0], one[1]) for one in self._poll.ipoll(within_ms, flags)]
        if any(one[0] is self._radio for one in found):
            found = [one for one in found if one[0] is not self._radio]
            if self._radio is _watched[0]:
                _watched[1]()
        return found

    def _follow(self):
        """The radio may have been switched since the last time."""
        if self._radio is not _watched[0]:
            if self._radio is not None:
                self._poll.unregister(self._radio)
            self._radio = _watched[0]
            if self._radio is not None:
                self._poll.register(self._radio, POLLIN)
