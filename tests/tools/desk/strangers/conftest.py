"""A desk that holds the keys of one wearable among others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, running, settings_for
from tests.tools.desk.wearable import Wearable, key_file


@pytest.fixture
def wearable() -> Wearable:
    return Wearable()


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path, wearable: Wearable) -> AsyncIterator[Opened]:
    others = [Wearable(bytes([n]) * 16) for n in (1, 2)]
    keys = key_file(tmp_path / "keys.json", others[0], wearable, others[1])
    async with running(settings_for(broker, tmp_path, keys_file=keys)) as opened:
        yield opened
