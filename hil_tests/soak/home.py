"""A whole house on a hostile disk, by a steered clock, with wearers who press now and then.

Owns putting it together and the presses. Must not know what goes wrong with it: troubles.py.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from pathlib import Path

from hil_tests.disk.hostile import HostileDisk
from hil_tests.faults.promises import Promises
from hil_tests.gateway.process import GatewayProcess
from hil_tests.gateway.steered_clock import Machine
from hil_tests.house import House

NAME = "gw-1"
WEARABLES = 4
_SHOWN_WITHIN_S = 30.0


class Home:
    """`await Home.build(...)`, then `leave()`. `hands`: who presses a wearable, or takes its power, has its lock."""

    def __init__(self, house: House, place: Path, chance: random.Random) -> None:
        self.house = house
        self.promises = Promises(house)
        self.hands: dict[str, asyncio.Lock] = {}
        self.machine = Machine(str(uuid.UUID(int=chance.getrandbits(128))))
        self.clock = place / "clock.json"
        self.machine.write(self.clock)
        self.disk: HostileDisk

    @classmethod
    async def build(cls, place: Path, chance: random.Random) -> Home:
        """Half of the wearables by air, half in their cradles; broker, desk and gateway run."""
        house = await House.build(place / "house", (NAME,), seed=chance.getrandbits(31))
        home = cls(house, place, chance)
        try:
            await home._open(chance)
        except BaseException:
            await house.leave()
            raise
        return home

    async def _open(self, chance: random.Random) -> None:
        house = self.house
        await house.open_desk()
        for number in range(WEARABLES):
            name, wired = f"pendant-{number}", number % 2 == 1
            await house.add_wearable(name, ble=not wired, serial=wired, line_seed=chance.getrandbits(31))
            self.hands[name] = asyncio.Lock()
        file = house.write_gateway(NAME, {})
        self.disk = HostileDisk(file.parent, "state")
        # Without its log: of hours it would be long, and nothing is made of it here.
        environment = {key: value for key, value in self.disk.environment().items() if key != "PINGAN_DISK_LOG"}
        house.gateways[NAME] = await GatewayProcess.start(
            file.parent, file, house.radio.hci(NAME), name=NAME, clock=self.clock, environment=environment
        )

    @property
    def gateway(self) -> GatewayProcess:
        """The gateway's process, over all its lives."""
        return self.house.gateways[NAME]

    @property
    def state(self) -> Path:
        """Where the gateway keeps what it keeps."""
        return self.disk.directory

    async def press_on(self, name: str, rest_s: tuple[float, float], chance: random.Random) -> None:
        """Press, rest, press …, until cancelled; a press that was begun is finished."""
        while True:
            await asyncio.sleep(chance.uniform(*rest_s))
            pressing = asyncio.ensure_future(self._press(name))
            try:
                await asyncio.shield(pressing)
            except asyncio.CancelledError:
                await pressing
                raise

    async def _press(self, name: str) -> None:
        """One press. A wearable that has had its power back shows its old alarm once more: that is not waited for.

        On a busy machine a sleeper wakes so slowly that its hold is over before, and counts as a tap: the next press
        then comes in the window, and sends the alarm that is counting instead of beginning a new one.
        """
        body = self.house.wearables[name].body
        async with self.hands[name]:
            newest, since = max((one.number for one in body.shown), default=0), len(body.shown)
            counts = since > 0 and (body.shown[-1].stage, body.shown[-1].number) == ("COUNTING", newest)

            def taken() -> bool | None:
                return (
                    any(
                        one.number > newest or (counts and one.stage == "COUNTING" and one.number == newest)
                        for one in body.shown[since:]
                    )
                    or None
                )

            await self.promises.press(name)
            await body.until(taken, _SHOWN_WITHIN_S, "a new alarm, nor one that was counting")

    async def leave(self) -> None:
        """Take it down."""
        await self.house.leave()
        self.disk.close()
