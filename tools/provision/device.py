"""A board's half of provisioning, called over its prompt: firmware/sos/provisioning.py, sent there and run.

Owns the calls and what comes back. Must not know their order (visit.py). Keys go as data of the raw prompt, which
echoes nothing; no argument, log or file of this machine has them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from protocol.keys import DeviceKeys
from tools.provision import identity
from tools.provision.prompt import BoardFault, Prompt

_SOURCE = Path(__file__).resolve().parents[2] / "firmware" / "sos" / "provisioning.py"
_BEGIN = "import board, build, machine\n_here = Provisioning(board.Board())"
_LOOK = "(_here.handle, machine.unique_id().hex(), build.BOARD, build.FINGERPRINT, _here.waiting())"
_BUILD, _BUILD_NEW = "/build.mpy", "/build.mpy.new"
_HASH = "__import__('hashlib').sha256(open('{path}', 'rb').read()).digest().hex()"
DAMAGED = "?"


class NoApplication(Exception):
    """There is MicroPython on the board, and not our application."""


class Garbled(Exception):
    """What the board has of a file is not what was sent."""


@dataclass(frozen=True)
class Looked:
    """What a board says of itself. `handle`: its active identity, "" for none, DAMAGED for one that is not whole.

    `hardware`: the chip's own number. `board`, `fingerprint`: of its application. `waiting`: events not yet over.
    """

    handle: str
    hardware: str
    board: str
    fingerprint: str
    waiting: int


class Device:
    """Over a prompt that was entered. Raises what Prompt.run() does."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    def look(self) -> Looked:
        """Send the board its half; who is it? Formats its records if they never held anything. Raises NoApplication."""
        try:
            self._prompt.run(_SOURCE.read_text(encoding="utf-8"))
            self._prompt.run(_BEGIN)
        except BoardFault as fault:
            if fault.what.startswith("ImportError"):
                raise NoApplication from None
            raise
        return Looked(*self._prompt.evaluate(_LOOK))

    def write(self, keys: DeviceKeys) -> None:
        """Give it keys, beside those it has; the old ones go."""
        self._prompt.run(f"_here.write(bytes.fromhex('{identity.record(keys).hex()}'))")

    def resume(self) -> None:
        """Its active identity is to be proved."""
        self._prompt.run("_here.resume()")

    def question(self, challenge: bytes) -> bytes:
        """A frame that it has sealed."""
        return bytes.fromhex(self._prompt.evaluate(f"_here.question(bytes.fromhex('{challenge.hex()}')).hex()"))

    def answer(self, frame: bytes) -> bool:
        """Whether it could open ours."""
        return bool(self._prompt.evaluate(f"_here.answer(bytes.fromhex('{frame.hex()}'))"))

    def activate(self) -> str:
        """The handle that is active from now on."""
        return str(self._prompt.evaluate("_here.activate()"))

    def shut(self, build: bytes) -> None:
        """Put the release's build module in the place of the development's: no start comes to a prompt any more.

        Raises Garbled: the old one then stands.
        """
        self._prompt.write_file(_BUILD_NEW, build)
        if self._prompt.evaluate(_HASH.format(path=_BUILD_NEW)) != hashlib.sha256(build).hexdigest():
            raise Garbled
        self._prompt.run(f"__import__('os').rename('{_BUILD_NEW}', '{_BUILD}')")

    def restart(self) -> None:
        """Into the application."""
        self._prompt.run_and_leave("machine.reset()")
