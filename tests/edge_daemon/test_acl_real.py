"""The real gateway and the real desk under the shipped access lists, end to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon import config
from edge_daemon.counters import Counters
from edge_daemon.errors import UplinkDown
from edge_daemon.uplinks import mqtt
from hil_tests.desk.process import DeskProcess
from protocol import codes

from .broker_client import WITHIN_S, client
from .guarded_broker import AREA, DESK, GuardedBroker
from .home import WiredWearable, home
from .wearer import Wearer


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path / "broker") as made:
        yield made


async def test_the_real_gateway_and_desk_work_under_it_and_a_second_gateway_hears_nothing(
    broker: GuardedBroker, tmp_path: Path
) -> None:
    wearer = Wearer()
    certificate, key = broker.gateway_authority.issue("gw-1", common_name="gw-1")
    desk_certificate, desk_key = broker.desk_authority.issue("desk", common_name=DESK)
    arguments = ["--ca", str(broker.broker_ca), "--cert", str(desk_certificate), "--key", str(desk_key)]
    arguments += ["--area", AREA, "--share", "a-secret-name"]
    desk = await DeskProcess.start(tmp_path / "desk", f"127.0.0.1:{broker.desks}", *arguments)
    try:
        async with client(broker, "gw-2") as thief, home(tmp_path, broker.gateways, wearer) as gateway:
            await thief.inner.subscribe("#", qos=1)
            text = gateway.config.read_text().replace('area = "area-1"', f'area = "{AREA}"')
            files = f'tls = true\nca_file = "{broker.broker_ca}"\ncert_file = "{certificate}"\nkey_file = "{key}"'
            gateway.config.write_text(text.replace("tls = false", files))
            wearable = WiredWearable(tmp_path, wearer)
            try:
                await gateway.start()
                number = wearable.press()
                assert await wearable.until(number, codes.ACCEPTED) == [codes.STORED, codes.ACCEPTED]
            finally:
                wearable.close()
            assert thief.got == []
            assert await gateway.ended(15) == 0
            assert gateway.lines("subscription_refused") == []
    finally:
        await desk.stop()


async def test_the_gateways_own_client_is_let_in_under_the_name_of_its_certificate_only(
    broker: GuardedBroker,
) -> None:
    """Configured as another than its certificate says, it is connected, and nothing it says reaches anybody."""
    certificate, key = broker.gateway_authority.issue("gw-1", common_name="gw-1")
    settings = config.Platform(
        host="127.0.0.1",
        port=broker.gateways,
        ca_file=str(broker.broker_ca),
        cert_file=str(certificate),
        key_file=str(key),
    )
    uplink = mqtt.MqttUplink(config.Gateway(id="gw-2", area=AREA), settings, Counters())
    async with client(broker, DESK) as desk:
        await desk.inner.subscribe(f"pingan/v1/{AREA}/+/up/#", qos=1)
        running = asyncio.create_task(uplink.run())
        try:
            async with asyncio.timeout(WITHIN_S):
                while not uplink.connected:
                    await asyncio.sleep(0.01)
            with contextlib.suppress(UplinkDown):
                await uplink.publish("event", b"forged")
            async with client(broker, "gw-3") as other:
                await other.publish(f"pingan/v1/{AREA}/gw-3/up/event", b"last")
            await desk.until(f"pingan/v1/{AREA}/gw-3/up/event", b"last")
            assert len(desk.got) == 1
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
