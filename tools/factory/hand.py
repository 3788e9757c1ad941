"""Who presses the button and sees the light: a worker at the terminal, or a jig.

Owns both. Must not know the wearable. A jig is a serial port that speaks lines: `press MS` -> `ok`, `led` -> `led
RRGGBB` as its light sensor has it, `motor` -> `motor 0|1` as its shake sensor has it; README.md says more.
"""

from __future__ import annotations

import importlib
import select
import sys
import time
from typing import Any, Protocol

from edge_daemon.errors import Refusal
from tools.messages import Messages

_JIG_WITHIN_S = 3.0
_LOOK_EVERY_S = 0.2
_BAUD = 115200
_PRESS_MS = 150
_YES = ("y", "yes", "是", "")
_NO = ("n", "no", "否")


class Hand(Protocol):
    """What the test asks of whoever stands at the bench."""

    def press(self) -> None:
        """Press and let go, soon."""

    def sees(self, rgb: int) -> bool:
        """Whether the lamp has this colour now."""

    def feels(self, *, on: bool) -> bool:
        """Whether the motor does so now."""

    def close(self) -> None:
        """No more."""


class Worker:
    """Asked on stderr, answers on stdin: stdout is for the results. Raises Refusal where there is nobody to ask."""

    def __init__(self, words: Messages) -> None:
        if not sys.stdin.isatty():
            raise Refusal("factory.nobody")
        self._words = words

    def press(self) -> None:
        """Say it; the self-test waits meanwhile."""
        self._say(self._words.text("factory.press_now"))

    def sees(self, rgb: int) -> bool:
        """Asked."""
        colour = self._words.text(f"factory.colour.{rgb:06x}")
        return self._ask(self._words.text("factory.sees", colour=colour))

    def feels(self, *, on: bool) -> bool:
        """Asked of the shaking; that it has stopped is asked of nobody, for a worker puts down what shakes."""
        return self._ask(self._words.text("factory.feels")) if on else True

    def close(self) -> None:
        """Nothing to give back."""

    def _ask(self, question: str) -> bool:
        while True:
            self._say(question)
            # A Ctrl-C just before a read that blocks is met only when the read ends: 4 of 111 were not heard.
            while not select.select([sys.stdin], [], [], _LOOK_EVERY_S)[0]:
                pass
            answer = sys.stdin.readline()
            if not answer:
                raise Refusal("factory.nobody")
            if answer.strip().lower() in _YES:
                return True
            if answer.strip().lower() in _NO:
                return False

    @staticmethod
    def _say(text: str) -> None:
        # A whole line: bars are drawn anew below it.
        print(text, file=sys.stderr, flush=True)


class Jig:
    """Measures. Raises Refusal "factory.jig" when it does not answer."""

    def __init__(self, port: str) -> None:
        serial = importlib.import_module("serial")
        self._port = port
        try:
            self._serial: Any = serial.Serial(port, _BAUD, timeout=_JIG_WITHIN_S, write_timeout=_JIG_WITHIN_S)
        except OSError as error:
            raise Refusal("factory.jig", port=port, why=error) from error

    def press(self) -> None:
        """A plunger."""
        self._ask(f"press {_PRESS_MS}", "ok")

    def sees(self, rgb: int) -> bool:
        """A light sensor; the colours asked for are pure ones."""
        return self._settles("led", f"led {rgb:06x}")

    def feels(self, *, on: bool) -> bool:
        """A shake sensor."""
        return self._settles("motor", f"motor {int(on)}")

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()

    def _settles(self, question: str, wanted: str) -> bool:
        """A sensor lags: asked again for as long as a part takes to do what it was told."""
        ends_s = time.monotonic() + 1.0
        while self._ask(question, question) != wanted:
            if time.monotonic() > ends_s:
                return False
            time.sleep(0.02)
        return True

    def _ask(self, line: str, begins: str) -> str:
        try:
            self._serial.write(line.encode() + b"\n")
            answer: str = self._serial.readline().decode(errors="replace").strip()
        except OSError as error:
            raise Refusal("factory.jig", port=self._port, why=error) from error
        if not answer.startswith(begins):
            raise Refusal("factory.jig", port=self._port, why=repr(answer))
        return answer
