from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, running, settings_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path) -> AsyncIterator[Opened]:
    async with running(settings_for(broker, tmp_path, allow_drill=True)) as opened:
        yield opened
