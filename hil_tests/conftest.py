"""Fixtures of the end-to-end tests, and the options that put real boards in the place of simulated ones.

    pytest hil_tests                                         everything simulated at the edge of the world
    pytest hil_tests --radio=real --port=/dev/ttyACM0:keys.json   a board on the desk, this machine's own Bluetooth

A test that hurts the air itself (loss, vanish, injected frames) needs the simulated one and is marked `virtual_air`.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hil_tests.house import House
from hil_tests.real import RealHouse

Build = Callable[..., Awaitable[House]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bench")
    group.addoption("--radio", choices=("virtual", "real"), default="virtual", help="simulated air, or real boards")
    group.addoption(
        "--port", action="append", default=[], metavar="TTY:KEYS", help="a board's serial port and its key file (0600)"
    )
    group.addoption("--hand", default="", metavar="COMMAND", help="what presses, looks and cuts power; else a person")
    group.addoption("--rounds", type=int, default=1, help="multiplies the number of random trials")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_air: hurts the air itself; not with --radio=real")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--radio") == "real":
        for item in items:
            if item.get_closest_marker("virtual_air"):
                item.add_marker(pytest.mark.skip(reason="the air is real: it cannot be told to lose or repeat"))


@pytest.fixture
def seed() -> int:
    """Printed when a test fails; give it again as PINGAN_SEED."""
    value = int(os.environ.get("PINGAN_SEED") or random.randrange(1 << 31))
    print(f"PINGAN_SEED={value}")
    return value


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many times the number of random trials."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture
async def build(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> AsyncIterator[Build]:
    """Make empty houses with the gateways named; each is taken down when the test ends."""
    houses: list[House] = []

    async def make(*gateways: str) -> House:
        place = tmp_path / f"house-{len(houses)}"
        names = gateways or ("gw-1",)
        if request.config.getoption("--radio") == "real":
            option = request.config.getoption
            houses.append(RealHouse(place, option("--port"), option("--hand"), request.config))
        else:
            houses.append(await House.build(place, names, seed=seed))
        return houses[-1]

    yield make
    for house in houses:
        await house.leave()
