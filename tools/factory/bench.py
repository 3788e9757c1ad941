"""The test of one wearable: the firmware's self-test sent through the prompt, asked part by part, judged.

Owns the order of the parts. Must not know limits (verdicts.py) nor who presses (hand.py). The application does not run
meanwhile; it is started again at the end, whatever the parts were.
"""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tools import image_sources
from tools.factory import ear, verdicts
from tools.factory.hand import Hand
from tools.factory.verdicts import DONE, FAILED, NOT_FITTED, Verdict
from tools.flash.application_prompt import CodeFailed, Prompt

PARTS = ("battery", "flash", "accelerometer", "radio", "led", "motor", "button")
COLOURS = (0xFF0000, 0x00FF00, 0x0000FF)
PRESS_WITHIN_S = 20.0
HEAR_WITHIN_S = 10.0
_FLASH_WITHIN_S = 60.0
_START_WITHIN_S = 15.0
_SOURCE = image_sources.ROOT / "firmware/sos/selftest.py"
Ear = Callable[[str, float], int | None]


class Bench:
    """One board at its prompt."""

    def __init__(self, prompt: Prompt, hand: Hand, hear: Ear) -> None:
        self._prompt = prompt
        self._hand = hand
        self._hear = hear

    def begin(self) -> dict[str, str]:
        """Send the self-test; the board's serial number, name and image. Raises CodeFailed without our image."""
        self._prompt.run(self_test())
        self._prompt.run("import board, build, json; selftest = SelfTest(board.Board())")
        serial = self._prompt.run("import machine, binascii; print(binascii.hexlify(machine.unique_id()).decode())")
        image = self._prompt.run("print(build.FINGERPRINT)")
        return {"serial": serial.strip(), "fingerprint": image.strip(), "board": self._ask("about()")["board"]}

    def test(self, part: str) -> Verdict:
        """One part. A part whose test raised on the board has failed."""
        try:
            verdict: Verdict = getattr(self, f"_{part}")()
        except CodeFailed as failed:
            return Verdict(FAILED, "factory.raised", {"why": str(failed)})
        return verdict

    def end(self) -> None:
        """The application again, whatever the board is just doing; lamp, motor and radio begin anew with it."""
        self._prompt.enter()
        self._prompt.start(b"ready ", _START_WITHIN_S)

    def _ask(self, call: str, within_s: float = 10.0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._prompt.run(f"print(json.dumps(selftest.{call}))", within_s))
        return answer

    def _battery(self) -> Verdict:
        return verdicts.battery(self._ask("battery()"))

    def _flash(self) -> Verdict:
        return verdicts.flash(self._ask("flash()", _FLASH_WITHIN_S))

    def _accelerometer(self) -> Verdict:
        return verdicts.accelerometer(self._ask("accelerometer()"))

    def _radio(self) -> Verdict:
        answer = self._ask("radio_on()")
        heard, has_ear = None, True
        if "address" in answer:
            try:
                heard = self._hear(answer["address"], HEAR_WITHIN_S)
            except ear.NoEar:
                has_ear = False
        self._ask("radio_off()")
        return verdicts.radio(answer, heard, has_ear=has_ear)

    def _led(self) -> Verdict:
        for rgb in COLOURS:
            if not self._ask(f"led({rgb})")["fitted"]:
                return NOT_FITTED
            if not self._hand.sees(rgb):
                return Verdict(FAILED, "factory.led", {"rgb": f"{rgb:06x}"})
        self._ask("led(0)")
        return Verdict(DONE)

    def _motor(self) -> Verdict:
        for on in (True, False):
            if not self._ask(f"motor({on})")["fitted"]:
                return NOT_FITTED
            if not self._hand.feels(on=on):
                return Verdict(FAILED, "factory.motor" if on else "factory.motor_on")
        return Verdict(DONE)

    def _button(self) -> Verdict:
        """The press comes while the board waits for it: a hand, or a thread that works the jig."""
        presser = threading.Timer(0.3, self._hand.press)
        presser.start()
        try:
            answer = self._ask(f"button({int(PRESS_WITHIN_S * 1000)})", PRESS_WITHIN_S + 10)
        finally:
            presser.join()
        return verdicts.button(answer)


def self_test() -> str:
    """Its source without docstrings: less to send over the cable, and less of a board's heap."""
    tree = ast.parse(_SOURCE.read_text(encoding="utf-8"))
    for node in _bodies(tree):
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def _bodies(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield node
