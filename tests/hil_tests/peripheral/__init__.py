"""A test peripheral on a real interpreter. Owns its process; main.py is what the interpreter runs."""

from __future__ import annotations

from pathlib import Path

from hil_tests.child import Child

_WITHIN_S = 10.0


class Peripheral:
    """`tell` it what to do, await what it `says`."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._seen = 0

    @classmethod
    async def start(cls, interpreter: Path, radio: Path, logs: Path, name: str) -> Peripheral:
        environment = {"PINGAN_RADIO": str(radio), "PINGAN_RADIO_NAME": name}
        command = [interpreter, Path(__file__).parent / "main.py"]
        peripheral = cls(await Child.start(name, command, logs, environment, listens=True))
        await peripheral.says("ready")
        return peripheral

    def tell(self, *words: object) -> None:
        self.child.tell(" ".join(str(word) for word in words))

    async def says(self, first: str, within_s: float = _WITHIN_S) -> list[str]:
        """The words after `first` of the next line that begins so; lines before it are passed over."""
        line = await self.child.said(lambda text: text.split(" ")[0] == first, within_s, after=self._seen)
        self._seen = self.child.lines.index(line, self._seen) + 1
        return line.split(" ")[1:]
