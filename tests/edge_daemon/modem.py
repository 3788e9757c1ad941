"""A modem on a pseudo terminal, as bad as modems are: it loses, splits, delays, mixes, refuses, reboots and vanishes.

Its own state machine, written from 3GPP TS 27.005, 27.007 and makers' manuals, not from the daemon's code. A test says
what is to go wrong; what it has been handed stands in `sent`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SIM_OPEN = "READY"
# Taken, and of no consequence here.
PLAIN = ("AT", "ATZ", "AT+CMEE", "AT+CSCS", "AT+CREG", "AT+CEREG", "AT+CSMS", "AT+CPMS")


@dataclass
class Trouble:
    """What goes wrong. Commands are named as "AT+CMGS", or "AT+CPIN=" against "AT+CPIN?"; counts are used up."""

    # Not heard, so many times; and heard, done, and not answered.
    lose: Counter[str] = field(default_factory=Counter)
    mute: Counter[str] = field(default_factory=Counter)
    # Answered with this instead, once each.
    answer: dict[str, list[str]] = field(default_factory=dict)
    # Answered so late, in seconds.
    delay_s: dict[str, float] = field(default_factory=dict)
    # Said in the middle of every answer, between its line and its end.
    amid: list[str] = field(default_factory=list)
    # Bytes before each answer.
    noise: bytes = b""
    # One byte at a time.
    split: bool = False
    # What becomes of a text: "" taken; "hang", "reboot", "vanish", "taken_hang" (told of no OK); one each.
    text: list[str] = field(default_factory=list)
    # Says nothing at all until it is restarted.
    dead: bool = False
    # Answers "ERROR" to these, always: "AT+CNMI", or one whole command.
    unknown: tuple[str, ...] = ()


class FakeModem:
    """`device` is what the daemon opens. `report(number, reference)` gives the status reports: (status, reference).

    They come at once, in the same bytes as the answer; by default there is none.
    """

    def __init__(self, directory: Path, pin: str = "") -> None:
        self.device = directory / "ttyModem"
        self.trouble = Trouble()
        self.registration = "1"
        self.rssi = "20,99"
        self.radio = "1"
        self.sent: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.pins: list[str] = []
        self.starts = 1
        self.report: Callable[[str, int], list[tuple[int, int]]] = lambda number, reference: []
        self.reported_as: Callable[[str], str] = lambda number: f'"{number}",145'
        self.stores_reports = False
        self.stored: dict[int, str] = {}
        self._pin = pin
        self._reference = 254
        self._near = -1
        self._far = -1
        self._plug()
        self._reset()

    def _reset(self) -> None:
        self._echo = True
        self._text_mode = False
        self._wants_report = False
        self._tells = False
        self._sim = "SIM PIN" if self._pin else SIM_OPEN
        self._to: str | None = None
        self._got = b""
        self._stuck = False

    def _plug(self) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.device.symlink_to(os.ttyname(self._far))
        os.set_blocking(self._near, False)
        asyncio.get_running_loop().add_reader(self._near, self._readable)

    def vanish(self) -> None:
        """Out of the socket."""
        if self._near >= 0:
            self.device.unlink(missing_ok=True)
            asyncio.get_running_loop().remove_reader(self._near)
            os.close(self._near)
            os.close(self._far)
            self._near = -1

    def plug(self) -> None:
        """Into the socket again: it starts."""
        self._plug()
        self._reset()
        self.starts += 1

    def reboot(self, word: str = "^SYSSTART") -> None:
        """Lose every setting, and say so by `word`, if that is not empty."""
        self._reset()
        self.starts += 1
        self.trouble.dead = False
        if word:
            self.say(word)

    def say(self, *told: str) -> None:
        """Lines, unasked."""
        self._write(b"".join(b"\r\n" + line.encode() + b"\r\n" for line in told))

    def _write(self, data: bytes) -> None:
        if self._near < 0 or self.trouble.dead or self._stuck:
            return
        for piece in [data[at : at + 1] for at in range(len(data))] if self.trouble.split else [data]:
            with contextlib.suppress(BlockingIOError):
                os.write(self._near, piece)

    def _readable(self) -> None:
        try:
            data = os.read(self._near, 4096)
        except (BlockingIOError, OSError):
            return
        if self.trouble.dead or self._stuck:
            # A restart is done by a part of the modem that is alive when the rest is not.
            self._got = (self._got + data)[-200:]
            if b"AT+CFUN=1,1\r" in self._got:
                self.reboot()
            return
        if self._echo:
            self._write(data)
        self._got += data
        while self._near >= 0 and self._take():
            pass

    def _take(self) -> bool:
        """One command, or one text, of what has come."""
        if self._to is not None:
            end = next((at for at, byte in enumerate(self._got) if byte in b"\x1a\x1b"), None)
            if end is None:
                return False
            text, ended, self._got = self._got[:end], self._got[end], self._got[end + 1 :]
            number, self._to = self._to, None
            if ended == 0x1A:
                self._text(number, text.decode())
            else:
                self._answer("AT+CMGS", [], "OK")
            return True
        line, end_of_line, rest = self._got.partition(b"\r")
        if not end_of_line:
            return False
        self._got = rest
        command = line.strip(b"\x1b\n").decode("ascii", "replace")
        if command:
            self.commands.append(command)
            self._command(command)
        return True

    def _command(self, command: str) -> None:
        name = command.partition("=")[0].partition("?")[0]
        trouble = self.trouble
        exactly = command[: len(name) + 1]
        if lost := [key for key in (name, exactly) if trouble.lose[key] > 0]:
            trouble.lose[lost[0]] -= 1
        elif trouble.answer.get(name):
            self._answer(name, [], trouble.answer[name].pop(0))
        elif name in trouble.unknown or command in trouble.unknown:
            self._answer(name, [], "ERROR")
        elif command == "AT+CFUN=1,1":
            self._answer(name, [], "OK")
            self.reboot()
        elif command.startswith("AT+CMGS="):
            self._prompt(command)
        else:
            answer = self._plain(command)
            if trouble.mute[exactly] > 0:
                trouble.mute[exactly] -= 1
            else:
                self._answer(name, *answer)

    def _plain(self, command: str) -> tuple[list[str], str]:
        """Lines and end of the answer to a command."""
        name, _, value = command.partition("=")
        told = {
            "AT+CPIN?": f"+CPIN: {self._sim}",
            "AT+CREG?": f"+CREG: 0,{self.registration}",
            "AT+CEREG?": f"+CEREG: 0,{self.registration}",
            "AT+CSQ": f"+CSQ: {self.rssi}",
            "AT+CFUN?": f"+CFUN: {self.radio}",
            "AT+CMGR": self.stored.get(int(value), "") if name == "AT+CMGR" else "",
        }
        if name in told:
            return ([told[name]], "OK") if told[name] else ([], "+CMS ERROR: 321")
        if name == "AT+CPIN":
            return [], self._enter(value.strip('"'))
        return [], "OK" if name in PLAIN or self._set(name, value) else "ERROR"

    def _set(self, name: str, value: str) -> bool:
        """Whether it is a setting of ours."""
        match name:
            case "ATE0":
                self._echo = False
            case "AT+CFUN":
                self.radio = value
            case "AT+CMGF":
                self._text_mode = value == "1"
            case "AT+CSMP":
                self._wants_report = int(value.partition(",")[0]) & 0x20 != 0
            case "AT+CNMI":
                self._tells = value.split(",")[3] in ("1", "2")
                self.stores_reports = value.split(",")[3] == "2"
            case "AT+CMGD":
                self.stored.pop(int(value), None)
            case _:
                return False
        return True

    def _enter(self, pin: str) -> str:
        self.pins.append(pin)
        if pin != self._pin or self._sim != "SIM PIN":
            self._sim = "SIM PUK" if len(self.pins) >= 3 else self._sim
            return "+CME ERROR: 16"
        self._sim = SIM_OPEN
        return "OK"

    def _prompt(self, command: str) -> None:
        if self._sim != SIM_OPEN:
            self._answer("AT+CMGS", [], "+CMS ERROR: 311")
        elif not self._text_mode:
            # In PDU mode a number in quotes is no length.
            self._answer("AT+CMGS", [], "+CMS ERROR: 304")
        else:
            self._to = command.split('"')[1]
            self._write(self.trouble.noise + b"\r\n> ")

    def _text(self, number: str, text: str) -> None:
        trouble = self.trouble
        fate = trouble.text.pop(0) if trouble.text else ""
        if fate in ("hang", "reboot", "vanish"):
            {"hang": self._hang, "reboot": self.reboot, "vanish": self.vanish}[fate]()
            return
        refusals = trouble.answer.get("text")
        if refusals:
            self._answer("AT+CMGS", [], refusals.pop(0))
            return
        self._reference = (self._reference + 1) % 256
        reference = self._reference
        self.sent.append((number, text))
        if fate == "taken_hang":
            self.say(f"+CMGS: {reference}")
            self._hang()
            return
        self._answer("AT+CMGS", [f"+CMGS: {reference}"], "OK")
        if self._wants_report and self._tells:
            for status, told in self.report(number, reference):
                self.report_now(number, told, status)

    def report_now(self, number: str, reference: int, status: int) -> None:
        """A status report, at once: told, or stored and told of."""
        times = '"26/11/24,12:00:00+32","26/11/24,12:00:05+32"'
        what = f"6,{reference},{self.reported_as(number)},{times},{status}"
        if self.stores_reports:
            index = len(self.stored) + 1
            self.stored[index] = f'+CMGR: "REC UNREAD",{what}'
            self.say(f'+CDSI: "SR",{index}')
        else:
            self.say(f"+CDS: {what}")

    def _hang(self) -> None:
        """Deaf and mute, to everything but a restart."""
        self._stuck = True

    def _answer(self, name: str, told: list[str], end: str) -> None:
        data = self.trouble.noise
        data += b"".join(b"\r\n" + line.encode() + b"\r\n" for line in [*told, *self.trouble.amid, end])
        delay_s = self.trouble.delay_s.get(name)
        if delay_s is None:
            self._write(data)
        else:
            asyncio.get_running_loop().call_later(delay_s, self._write, data)
