"""One AT conversation over one open port: a command at a time, each with its deadline, and what comes unasked.

Owns which line answers which command. Must not know what commands are for. Guarantee: whatever goes wrong but a plain
ERROR ends the conversation, for nobody can say any more which answer belongs to which command. Nothing here logs a
command or a line: numbers and the PIN are in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge_daemon.uplinks.sms import lines
from edge_daemon.uplinks.sms.failures import CommandRefused, ModemFailed
from edge_daemon.uplinks.sms.port import Port

_ESCAPE = b"\x1b"
_END_OF_TEXT = b"\x1a"


class _Exchange:
    """A command that waits for its end. `info`: how its own lines begin; without one its OK is somebody else's."""

    def __init__(self, command: str, info: str) -> None:
        self.name = command.partition("=")[0].partition("?")[0]
        self.info = info
        self.lines: list[str] = []
        self.prompted = False
        self.final: lines.Final | None = None
        self.changed = asyncio.Event()


class Dialogue:
    """Raises PortMissing on opening. `broken` is set when the conversation has ended; then every call raises."""

    def __init__(self, device: str, baud: int, on_unsolicited: Callable[[str], None]) -> None:
        self._on_unsolicited = on_unsolicited
        self._lock = asyncio.Lock()
        self._exchange: _Exchange | None = None
        self._why = ""
        self._text_follows = False
        self.broken = asyncio.Event()
        self._port = Port(device, baud, self._line, self._prompt, self.end)

    async def begin(self, tries: int, within_s: float, quiet_s: float) -> None:
        """Get the modem's ear: out of a text that was begun, through late answers. Raises ModemFailed: it is silent."""
        self._port.write(_ESCAPE)
        for left in reversed(range(tries)):
            exchange = self._ask("AT", "")
            try:
                async with asyncio.timeout(within_s):
                    while not self.broken.is_set() and not (exchange.final and exchange.final.ok):
                        exchange.changed.clear()
                        await exchange.changed.wait()
                break
            except TimeoutError:
                if not left:
                    self.end("silent from the start")
            finally:
                self._exchange = None
        # Answers to what was asked before us, or to the first of several AT, must not meet the next command.
        await asyncio.sleep(quiet_s)
        self._port.forget()
        self._check()

    def shout(self, command: str) -> None:
        """A command to a modem that may be deaf; what it says to it is not waited for."""
        self._port.write(_ESCAPE + b"AT\r" + command.encode("ascii") + b"\r")

    async def ask(self, command: str, info: str = "", *, within_s: float) -> list[str]:
        """The lines of the answer that begin with `info`. Raises CommandRefused, ModemFailed."""
        async with self._lock:
            self._check()
            exchange = self._ask(command, info)
            await self._until(exchange, lambda: False, within_s)
            return self._end_of(exchange)

    async def hand_over(self, command: str, text: str, info: str, *, prompt_s: float, within_s: float) -> list[str]:
        """A command that asks for a text by "> ". Raises CommandRefused; ModemFailed: perhaps it was taken.

        Once the line that begins with `info` has come it was taken, whatever becomes of the rest.
        """
        async with self._lock:
            self._check()
            exchange = self._ask(command, info)
            await self._until(exchange, lambda: exchange.prompted, prompt_s)
            if exchange.final is None and not self._why:
                self._port.forget()
                self._port.write(text.encode("ascii") + _END_OF_TEXT)
                await self._until(exchange, lambda: False, within_s)
            if exchange.lines:
                self._exchange = None
                return exchange.lines
            return self._end_of(exchange)

    def end(self, why: str) -> None:
        """End the conversation; the first reason counts. Safe to call again."""
        if not self._why:
            self._why = why
            self.broken.set()
            if self._exchange is not None:
                self._exchange.changed.set()
            self._port.close()

    def _check(self) -> None:
        if self._why:
            raise ModemFailed(self._why)

    def _ask(self, command: str, info: str) -> _Exchange:
        self._exchange = _Exchange(command, info)
        self._port.write(command.encode("ascii") + b"\r")
        return self._exchange

    async def _until(self, exchange: _Exchange, enough: Callable[[], bool], within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while exchange.final is None and not self._why and not enough():
                    exchange.changed.clear()
                    await exchange.changed.wait()
        except TimeoutError:
            self.end(f"silent after {exchange.name}")
        except asyncio.CancelledError:
            self.end(f"{exchange.name} given up")
            raise

    def _end_of(self, exchange: _Exchange) -> list[str]:
        self._exchange = None
        if exchange.final is None:
            raise ModemFailed(self._why)
        if not exchange.final.ok:
            raise CommandRefused(exchange.name, exchange.final.code)
        return exchange.lines

    def _line(self, line: str) -> None:
        if self._text_follows:
            self._text_follows = False
            return
        self._text_follows = lines.carries_text(line)
        exchange = self._exchange
        if lines.is_reboot(line):
            self.end("rebooted")
        elif exchange is not None and line == ">":
            self._prompt()
        elif exchange is not None and exchange.info and line.startswith(exchange.info):
            exchange.lines.append(line)
        elif (final := lines.final_of(line)) is not None:
            # An OK without the line that belongs before it is the late end of something else.
            if exchange is not None and not (final.ok and exchange.info and not exchange.lines):
                exchange.final = final
                exchange.changed.set()
        else:
            self._on_unsolicited(line)

    def _prompt(self) -> None:
        if self._exchange is not None:
            self._exchange.prompted = True
            self._exchange.changed.set()
