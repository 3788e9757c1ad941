"""How a modem fails, by type: what to do next is decided by these. Never carries a number, a PIN or a modem's text."""

from __future__ import annotations


class ModemFailed(Exception):
    """The conversation is over: silent, rebooted, gone. It must be opened anew. `why` is a stable word for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class PortMissing(ModemFailed):
    """There is no port to open, or somebody else has it. A rougher beginning changes nothing."""


class SimUnusable(Exception):
    """The modem answers and its SIM is no use: no card, PUK, a PIN refused. Asking again soon changes nothing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CommandRefused(Exception):
    """The modem said ERROR. `code`: that of +CMS ERROR (TS 27.005, 3.2.5) or +CME ERROR (TS 27.007, 9.2), or None."""

    def __init__(self, command: str, code: int | None) -> None:
        super().__init__(f"{command}: {code}")
        self.command = command
        self.code = code
