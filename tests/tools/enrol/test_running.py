"""`pingan enrol`, `revoke`, `replace` at a gateway that runs: the wearable sees the difference at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from protocol import codes
from tests.edge_daemon.home import WiredWearable, home
from tests.edge_daemon.platform_end import platform
from tests.edge_daemon.test_config import key_file
from tests.edge_daemon.wearer import Wearer
from tools import cli
from tools.label import code


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


async def test_a_pendant_is_enrolled_lost_and_replaced(
    tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    lost, new = Wearer("a"), Wearer("b")
    rows = key_file(tmp_path / "set.json", [lost.registry_row(), new.registry_row()])

    async def pingan(*arguments: str) -> list[tuple[str, str, bool]]:
        """Its exit code was 0; of each wearable its code, reason, and whether it is so already."""
        assert await asyncio.to_thread(cli.main, [*arguments, "--json", "--config", str(gateway.config)]) == 0
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(row["of"], row["reason"], row["live"]) for row in said]

    first, second = code.of_handle(lost.handle), code.of_handle(new.handle)
    async with platform(broker.port), home(tmp_path, broker.port) as gateway:
        ends = [WiredWearable(tmp_path, wearer) for wearer in (lost, new)]
        try:
            await gateway.start()
            await gateway.logged("gateway_ready")
            assert await pingan("enrol", "--from", str(rows), first) == [(first, "enrol.enrolled.now", True)]
            await ends[0].until(ends[0].press(), codes.ACCEPTED)
            assert await pingan("enrol", "--from", str(rows), first) == [(first, "enrol.enrolled.already", True)]
            assert await pingan("replace", "--from", str(rows), first, second) == [
                (first, "enrol.revoked.now", True),
                (second, "enrol.enrolled.now", True),
            ]
            await ends[0].until(ends[0].press(), codes.REFUSED)
            await ends[1].until(ends[1].press(), codes.ACCEPTED)
            assert await pingan("revoke", second) == [(second, "enrol.revoked.now", True)]
            await ends[1].until(ends[1].press(), codes.REFUSED)
            assert await pingan("revoke", "--forget", second) == [(second, "enrol.forgotten.now", True)]
        finally:
            for end in ends:
                end.close()
