"""The hostile radio: advertises whatever it likes, again what it has recorded, and as much as it likes.

Owns what is sent with ill intent. Must not know keys: it has what anybody with an antenna has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bumble import hci

from hil_tests.radio.air import Air
from hil_tests.radio.controller import Advertisement

NAME = "hostile"
_FLAGS = bytes((2, 0x01, 0x06))
_MANUFACTURER = 0xFF
_INTERVAL_S = 0.02


@dataclass(frozen=True)
class Shot:
    """One thing to advertise. `data`: the whole advertising data, 31 bytes at most."""

    data: bytes
    address: hci.Address
    connectable: bool


def manufacturer_data(company: int, frame: bytes) -> bytes:
    """Advertising data that carries `frame` as the protocol's wearables do."""
    return _FLAGS + bytes((len(frame) + 3, _MANUFACTURER)) + company.to_bytes(2, "little") + frame


class Hostile:
    """A transmitter without a receiver."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self._tasks: set[asyncio.Task[None]] = set()

    def inject(self, data: bytes, times: int, address: str | None, connectable: bool) -> None:
        """Advertise `data` so many times, 20 ms apart, from one address (a fresh one when none is given)."""
        sender = hci.Address(address) if address else hci.Address.generate_private_address()
        self._start(self._shoot([Shot(data, sender, connectable)] * times, _INTERVAL_S))

    def replay(self, name: str | None) -> int:
        """Advertise everything again that was recorded (of one wearable, when named). Returns how many frames."""
        distinct = dict.fromkeys(one.data for one in self._air.recorded if name in (None, one.name))
        address = hci.Address.generate_private_address()
        self._start(self._shoot([Shot(data, address, connectable=True) for data in distinct], _INTERVAL_S))
        return len(distinct)

    def flood(self, company: int, size: int, per_s: float, for_s: float) -> int:
        """Advertise random frames of `size` bytes, each from its own address. Returns how many."""
        count = int(per_s * for_s)
        # One at a time: a minute of a strong flood, made beforehand, would stop the whole room for seconds.
        shots = (
            Shot(
                manufacturer_data(company, self._air.conditions.rng.randbytes(size)),
                hci.Address.generate_private_address(),
                connectable=True,
            )
            for _ in range(count)
        )
        self._start(self._shoot(shots, 1 / per_s))
        return count

    def stop(self) -> None:
        """Fall silent."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shoot(self, shots: Iterable[Shot], every_s: float) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, shot in enumerate(shots):
            # By the clock, not by sleeps added up: a flood must keep its rate on a busy machine.
            await asyncio.sleep(max(0.0, begun + number * every_s - loop.time()))
            self._air.advertise(NAME, Advertisement(shot.address, shot.data, b"", shot.connectable, shot.connectable))
