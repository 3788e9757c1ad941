"""News goes to each gateway, whatever becomes of another's."""

from __future__ import annotations

import pytest

from hil_tests.broker.mosquitto import Broker
from tests.tools.desk.desk_house import Opened, cut_off
from tests.tools.desk.gateway import Gateway, event
from tools.desk import courier


async def test_a_gateway_that_cannot_be_reached_is_in_no_others_way(
    broker: Broker, desk: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However much is owed to it: those after it have their turn.
    monkeypatch.setattr(courier, "_AT_ONCE", 1)
    async with Gateway(broker) as first, Gateway(broker, "gw-2") as second:
        with cut_off(desk, "gw-1") as tried:
            asked = event(12)
            for gateway in (first, second):
                await gateway.ask(asked)
            await desk.post(f"/api/incidents/{asked['event']}/take", {"operator": "A"})
            (row,) = (await second.next("answer"))["answers"]
            assert (row["event"], row["answer"]) == (asked["event"], "answered")
            assert first.received.empty() and tried[0] == "gw-1"
        # What it is yet to be told stays owed.
        desk.desk._courier.wake()
        assert (await first.next("answer"))["answers"] == [row]
