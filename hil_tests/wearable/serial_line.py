"""A serial cable between wearable and gateway that can be cut, delayed and made noisy.

Owns two pseudo-terminals and the relay between them. Must not know frames. `wearable` and `gateway` are the paths of
the two ends; a cut keeps both ends there and carries nothing, as a broken wire does; unplug() takes the gateway's end
away, as pulling the plug does. What is random comes from the seed and the bytes alone, so a run can be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_READ_SIZE = 4096
# What a pty does not take at once is dropped, as a UART without flow control drops it.
_TO_WEARABLE = "to_wearable"
_TO_GATEWAY = "to_gateway"


@dataclass
class Faults:
    """What the line does to bytes. `flip`: chance of each byte to have one bit turned; `drop`: to get lost."""

    delay_ms: float = 0.0
    flip: float = 0.0
    drop: float = 0.0


class SerialLine:
    """Make it with `SerialLine.lay(directory, seed)` in a running event loop; end it with close()."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.seed = seed
        self.faults = Faults()
        self.carried = {_TO_WEARABLE: 0, _TO_GATEWAY: 0}
        # All that the wearable has ever said, as somebody with a probe on the wire has it.
        self.recorded = bytearray()
        self.is_cut = False
        self.gateway = str(directory / "ttyGateway")
        self._random = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._ends: dict[str, int] = {}
        self._kept_open: list[int] = []
        self._lay_wearable()
        self.plug_in()

    @classmethod
    def lay(cls, directory: Path, seed: int = 0) -> Self:
        """A line whose gateway end is the link `ttyGateway` in `directory`. Raises OSError."""
        return cls(directory, seed)

    def _lay_wearable(self) -> None:
        near, far = os.openpty()
        tty.setraw(far)
        self.wearable = os.ttyname(far)
        # Held open here too: else the relay reads EIO whenever the wearable is off.
        self._kept_open.append(far)
        self._attach(_TO_WEARABLE, near, _TO_GATEWAY)

    def plug_in(self) -> None:
        """Give the gateway its end (again, after unplug)."""
        near, far = os.openpty()
        tty.setraw(far)
        link = Path(self.gateway)
        fresh = link.with_name(link.name + ".new")
        fresh.symlink_to(os.ttyname(far))
        fresh.replace(link)
        self._kept_open.append(far)
        self._attach(_TO_GATEWAY, near, _TO_WEARABLE)

    def unplug(self) -> None:
        """Take the gateway's end away: its open port hangs up, its path is gone."""
        Path(self.gateway).unlink(missing_ok=True)
        near = self._ends.pop(_TO_GATEWAY)
        self._loop.remove_reader(near)
        os.close(near)
        os.close(self._kept_open.pop())

    def cut(self) -> None:
        """Carry nothing from now on, until mend()."""
        self.is_cut = True

    def mend(self) -> None:
        """Carry again."""
        self.is_cut = False

    def inject(self, toward: str, data: bytes) -> None:
        """Put bytes on the line that nobody sent; `toward` is "to_wearable" or "to_gateway"."""
        self._write(toward, data)

    def close(self) -> None:
        """Take the line away. Safe to call twice."""
        Path(self.gateway).unlink(missing_ok=True)
        for near in self._ends.values():
            self._loop.remove_reader(near)
            os.close(near)
        for far in self._kept_open:
            os.close(far)
        self._ends.clear()
        self._kept_open.clear()

    def _attach(self, name: str, near: int, other: str) -> None:
        os.set_blocking(near, False)
        self._ends[name] = near
        self._loop.add_reader(near, self._relay, near, other)

    def _relay(self, near: int, toward: str) -> None:
        try:
            data = os.read(near, _READ_SIZE)
        except OSError:
            # The reader is taken away with its end; until then there is nothing to be had from it.
            return
        if toward == _TO_GATEWAY:
            self.recorded += data
        data = self._spoil(data)
        if self.is_cut or not data:
            return
        if self.faults.delay_ms:
            self._loop.call_later(self.faults.delay_ms / 1000, self._write, toward, data)
        else:
            self._write(toward, data)

    def _spoil(self, data: bytes) -> bytes:
        if not (self.faults.flip or self.faults.drop):
            return data
        spoiled = bytearray()
        for byte in data:
            if self._random.random() < self.faults.drop:
                continue
            turned = 1 << self._random.randrange(8) if self._random.random() < self.faults.flip else 0
            spoiled.append(byte ^ turned)
        return bytes(spoiled)

    def _write(self, toward: str, data: bytes) -> None:
        end = self._ends.get(toward)
        if end is None or self.is_cut:
            return
        with contextlib.suppress(BlockingIOError):
            self.carried[toward] += os.write(end, data)
