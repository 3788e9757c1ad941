"""Broker, home and platform for the strangers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.independent.home import ROOT_B, Home, a_home
from hil_tests.independent.platform import Platform


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Not started: some tests begin without it."""
    broker = Broker(tmp_path / "broker")
    yield broker
    broker.close()


@pytest.fixture
async def home(tmp_path: Path, broker: Broker) -> AsyncIterator[Home]:
    async with a_home(tmp_path, broker) as home:
        yield home


@pytest.fixture
async def platform(tmp_path: Path, broker: Broker) -> AsyncIterator[Platform]:
    """Connected; at the end nothing that came was against the contract."""
    broker.start()
    platform = Platform(tmp_path / "platform", (ROOT_B,))
    async with platform.connected(broker.host, broker.port):
        yield platform
    assert platform.violations == []
