"""What time it is, told to wearables that have no clock of their own. Owns that, and nothing is promised.

A wearable that wants the time says so in its heartbeat; the answer to that very frame brings it, or the next one does.
Told is only what the gateway itself would act by: better no time on a screen than a wrong one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_daemon.commands import Commands
from protocol import codes
from protocol.messages import Heartbeat
from protocol.watchful import pack_time

# It ages while it waits.
_EXPIRES_S = 5.0


class TimeTeller:
    """`believed_ms`: since 1970, None: nobody knows. `offset_minutes`: how far a wearer's local time is ahead of UTC.

    Where that is None it is as this machine has it.
    """

    def __init__(
        self,
        commands: Commands,
        believed_ms: Callable[[], int | None],
        offset_minutes: Callable[[str], int | None],
    ) -> None:
        self._commands = commands
        self._believed_ms = believed_ms
        self._offset_minutes = offset_minutes

    def heartbeat(self, handle: str, beat: Heartbeat) -> None:
        """A wearable's heartbeat has come, and has not been answered yet."""
        now_ms = self._believed_ms() if beat.wants_time else None
        if now_ms is None:
            return
        now_s = now_ms // 1000
        offset = self._offset_minutes(handle)
        if offset is None:
            offset = time.localtime(now_s).tm_gmtoff // 60
        args = pack_time(now_s & 0xFFFFFFFF, offset)
        self._commands.give(handle, codes.COMMAND_TIME, args, _EXPIRES_S, lambda result, reason, more: None)
