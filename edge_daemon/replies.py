"""Sealed answers to the wearables. Guarantee: a wearable is told what is true of its event now, never more.

Owns the newest question of each wearable and the ways it has been heard by. Must not know how a stage came about.
An answer goes back by the way its question came: a cradle's port stays open when the wearable has left it, so an open
way says nothing about where the wearable is. News and commands, which nobody asked for, go by every way that is open;
of a wearable not heard since our start, by every serial port: it may sit at any, and nobody else can read it. A lost
answer needs no retry here: the wearable asks again, and each question is answered with the present state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from edge_daemon.admission import Admitted
from edge_daemon.counters import Counters
from edge_daemon.heard import Alarm, Path
from edge_daemon.registry import Wearable
from protocol import codes
from protocol.frame import DownSealer
from protocol.messages import pack_answer, pack_command
from protocol.watchful import pack_taken

_SALT_SIZE = 8


@dataclass(slots=True)
class _Contact:
    """What is known of one wearable. The counter of its newest question is the freshness of what we tell.

    `paths`: the newest way of each link it has been heard by.
    """

    sealer: DownSealer
    counter: int
    paths: dict[str, Path] = field(default_factory=dict)


class Replies:
    """Answers and commands down to wearables. `serial_ports` gives the ports that are open, once links exist."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._contacts: dict[str, _Contact] = {}
        self.serial_ports: Callable[[], Iterable[Path]] = lambda: ()

    def resume(self, wearables: Iterable[Wearable], windows: Mapping[str, int]) -> None:
        """Take up the last question of each wearable, by its counter, from before a restart."""
        for wearable in wearables:
            if wearable.handle in windows:
                self._contacts[wearable.handle] = _Contact(DownSealer(wearable.down), windows[wearable.handle])

    def take_up(self, wearable: Wearable, windows: Mapping[str, int]) -> None:
        """Take up one that comes while we run, if it was here before."""
        if wearable.handle not in self._contacts:
            self.resume([wearable], windows)

    def drop(self, handle: str) -> None:
        """Nothing is told any more to one that is not ours."""
        self._contacts.pop(handle, None)

    def heard_from(self, admitted: Admitted) -> None:
        """Note a genuine frame as the newest question."""
        contact = self._contact(admitted)
        contact.counter = max(contact.counter, admitted.counter)
        contact.paths[admitted.heard.link] = admitted.heard.path

    def tell(self, question: Admitted, alarm: Alarm) -> None:
        """Answer a question with the alarm's state."""
        self._answer(question, codes.ANSWER, _state(alarm))

    def refuse(self, question: Admitted, number: int, reason: int) -> None:
        """Answer a question about an event that will not be taken."""
        self._answer(question, codes.ANSWER, pack_answer(codes.REFUSED, number, reason))

    def greet(self, question: Admitted, unknown_number: int = 0) -> None:
        """Answer a question for which there is nothing to tell, or whose event this gateway does not have."""
        self._answer(question, codes.ANSWER, pack_answer(codes.HEARD, unknown_number, codes.REASON_NONE))

    def taken(self, question: Admitted, sequence: int) -> None:
        """Answer a question that brought a box: it is kept."""
        self._answer(question, codes.TAKEN, pack_taken(sequence))

    def command(self, question: Admitted, command_id: int, code: int, args: bytes) -> None:
        """Send a command as an answer to a question."""
        self._answer(question, codes.COMMAND, pack_command(command_id, code, args))

    def tell_if_there(self, alarm: Alarm) -> None:
        """News: told now by every way that is open; otherwise the wearable's next question brings it."""
        # One that is not on disk is not spoken of: HEARD with its number would deny it.
        if alarm.told_stage() != codes.HEARD:
            self._send_if_there(alarm.wearable, codes.ANSWER, _state(alarm))

    def command_if_there(self, wearable: str, command_id: int, code: int, args: bytes) -> set[str]:
        """Send a command now by every way that is open; returns their links, none when no way is."""
        return self._send_if_there(wearable, codes.COMMAND, pack_command(command_id, code, args))

    def _send_if_there(self, wearable: str, frame_type: int, body: bytes) -> set[str]:
        contact = self._contacts.get(wearable)
        if contact is None:
            return set()
        ways = list(contact.paths.items()) or [("serial", path) for path in self.serial_ports()]
        live = [(link, path) for link, path in ways if path.live]
        for _, path in live:
            self._send(path, contact, frame_type, body)
        return {link for link, _ in live}

    def _answer(self, question: Admitted, frame_type: int, body: bytes) -> None:
        # Under the newest counter, not the question's: a wearable with many alarms has asked on while we committed,
        # and it remembers its last four questions only.
        self._send(question.heard.path, self._contact(question), frame_type, body)

    def _send(self, path: Path, contact: _Contact, frame_type: int, body: bytes) -> None:
        path.send(contact.sealer.seal(frame_type, contact.counter, os.urandom(_SALT_SIZE), body))
        self._counters.add("answers_sent")

    def _contact(self, admitted: Admitted) -> _Contact:
        contact = self._contacts.get(admitted.wearable.handle)
        if contact is None:
            contact = _Contact(DownSealer(admitted.wearable.down), admitted.counter)
            self._contacts[admitted.wearable.handle] = contact
        return contact


def _state(alarm: Alarm) -> bytes:
    return pack_answer(alarm.told_stage(), alarm.number, alarm.reason)
