"""Where there is no compiler the bench's firmware still presses: on Debian's interpreter with our bluetooth module."""

from __future__ import annotations

from pathlib import Path

from hil_tests.house import House
from hil_tests.micropython import stock


async def test_a_press_over_the_air_is_stored_and_the_wearer_is_shown_so(tmp_path: Path) -> None:
    house = await House.build(tmp_path)
    try:
        wearable = await house.add_wearable("pendant", interpreter=stock.binary())
        gateway = await house.open_gateway()
        await gateway.logged("scan_started")
        await wearable.hold()
        heard = await gateway.logged("event_heard", link="ble")
        stored = await wearable.shown("STORED", within_s=20)
        assert heard["event"] == f"{wearable.handle}-{stored.number:06x}"
    finally:
        await house.leave()
