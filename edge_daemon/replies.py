"""Sealed answers to the wearables. Guarantee: a wearable is told what is true of its event now, never more.

Owns who asked last, under which counter, and by which way. Must not know how a stage came about.
A lost answer needs no retry here: the wearable asks again, and each question is answered with the present state.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from edge_daemon.admission import Admitted
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm, Path
from edge_daemon.registry import Wearable
from protocol import codes
from protocol.frame import DownSealer
from protocol.messages import pack_answer, pack_command

_SALT_SIZE = 8


@dataclass(slots=True)
class _Contact:
    """The last question of a wearable: its counter is the freshness of what we answer."""

    sealer: DownSealer
    counter: int
    path: Path


class Replies:
    """Answers and commands down to wearables, by the way their last question came."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._contacts: dict[str, _Contact] = {}

    def heard_from(self, admitted: Admitted) -> None:
        """Note a genuine frame as the newest question. A way that is open now is kept before one that is not."""
        handle = admitted.wearable.handle
        known = self._contacts.get(handle)
        if known is None:
            self._contacts[handle] = _Contact(_sealer(admitted.wearable), admitted.counter, admitted.heard.path)
            return
        known.counter = admitted.counter
        if admitted.heard.path.live or not known.path.live:
            known.path = admitted.heard.path

    def tell(self, alarm: Alarm) -> None:
        """Answer the wearable's last question with the alarm's state."""
        self._send(alarm.wearable, codes.ANSWER, pack_answer(alarm.told_stage(), alarm.number, alarm.reason))

    def tell_if_there(self, alarm: Alarm) -> None:
        """News: told now where the way is open; otherwise the wearable's next question brings it."""
        contact = self._contacts.get(alarm.wearable)
        if contact is not None and contact.path.live:
            self.tell(alarm)

    def greet(self, handle: str, unknown_number: int = 0) -> None:
        """Answer a hello for which there is nothing to tell, or whose event this gateway does not have."""
        self._send(handle, codes.ANSWER, pack_answer(codes.HEARD, unknown_number, codes.REASON_NONE))

    def command(self, handle: str, command_id: int, code: int, args: bytes) -> None:
        """Send a command as an answer to the last question."""
        self._send(handle, codes.COMMAND, pack_command(command_id, code, args))

    def _send(self, handle: str, frame_type: int, body: bytes) -> None:
        contact = self._contacts.get(handle)
        if contact is None:
            return
        contact.path.send(contact.sealer.seal(frame_type, contact.counter, os.urandom(_SALT_SIZE), body))
        self._counters.add("answers_sent")


def _sealer(wearable: Wearable) -> DownSealer:
    return DownSealer(wearable.down)
