"""What tests of commands do and see: the platform asks, the wearable is told, each result is reported."""

from __future__ import annotations

import json

from edge_daemon.clock import Clock
from edge_daemon.uplinks import answers
from protocol import codes, messages

from .core import Core
from .wearer import Recorder, Wearer

Reports = list[tuple[str, str, str | None]]


def ask(home: Core, command: str, name: str, wearable: str | None = None, **more: object) -> None:
    data = json.dumps({"v": 1, "command": command, "name": name, "wearable": wearable, **more}).encode()
    home.commands.take(answers.read_command(data))


def reported(home: Core) -> Reports:
    reports: Reports = []
    home.commands.report = lambda *report: reports.append(report)
    return reports


def commands_to(wearer: Wearer, path: Recorder | None = None) -> list[messages.Command]:
    sent = (path or wearer.path).sent
    return [c for c in map(wearer.open, sent) if isinstance(c, messages.Command)]


def done(home: Core, wearer: Wearer, command: messages.Command, result: int = codes.RESULT_DONE) -> None:
    home.hear(wearer, wearer.seal(codes.RESULT, messages.pack_result(command.id, result)))


class Ahead(Clock):
    """The real clock, put forward at will."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


def put_forward(home: Core) -> Ahead:
    home.commands._clock = clock = Ahead()
    return clock
