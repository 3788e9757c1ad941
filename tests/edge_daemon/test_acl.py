"""The shipped access lists, under attack: nobody reads or writes as another. A real mosquitto, real certificates."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from .broker_client import WITHIN_S, client
from .certificates import Authority
from .guarded_broker import AREA, DESK, DESK_OF_ALL, GuardedBroker

pytestmark = pytest.mark.filterwarnings(
    # After a failed handshake paho leaves its socket to the garbage collector, which closes it, and says so.
    "ignore:unclosed:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
SYS_WITHIN_S = 2.5
ODD_WITHIN_S = 5.0
ONE, TWO = f"pingan/v1/{AREA}/gw-1", f"pingan/v1/{AREA}/gw-2"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path / "broker") as made:
        yield made


async def test_a_gateway_and_a_desk_can_do_their_work(broker: GuardedBroker) -> None:
    async with client(broker, DESK) as desk, client(broker, DESK_OF_ALL) as all_areas, client(broker, "gw-1") as one:
        await desk.inner.subscribe(f"pingan/v1/{AREA}/+/up/#", qos=1)
        await all_areas.inner.subscribe("$share/a-secret-name/pingan/v1/+/+/up/#", qos=1)
        await one.inner.subscribe(f"{ONE}/down/answer", qos=1)
        await one.publish(f"{ONE}/up/event", b"an alarm")
        for hears in (desk, all_areas):
            await hears.until(f"{ONE}/up/event", b"an alarm")
        for says in (desk, all_areas):
            await says.publish(f"{ONE}/down/answer", b"accepted")
            await one.until(f"{ONE}/down/answer", b"accepted")
            one.got.clear()


@pytest.mark.parametrize(
    "wish",
    [
        f"{TWO}/down/answer",
        f"{TWO}/down/#",
        f"{TWO}/#",
        "#",
        "+/#",
        "pingan/#",
        f"pingan/v1/{AREA}/+/down/+",
        "pingan/v1/+/+/up/#",
        f"{ONE}/up/#",
        "+/+/+/+/+/+",
        "$SYS/#",
        "$SYS/broker/clients/connected",
        f"$share/x/{TWO}/down/#",
        "$share/x/#",
        "pingan/v1/other/gw-1/down/#",
    ],
)
async def test_a_gateway_hears_nothing_that_is_for_another(broker: GuardedBroker, wish: str) -> None:
    async with client(broker, DESK_OF_ALL) as desk, client(broker, "gw-2") as two, client(broker, "gw-1") as thief:
        with contextlib.suppress(aiomqtt.MqttError):
            await thief.inner.subscribe(wish, qos=1)
        await thief.inner.subscribe(f"{ONE}/down/result", qos=1)
        await two.publish(f"{TWO}/up/event", b"secret")
        for topic in (f"{TWO}/down/answer", f"{TWO}/down/command", "pingan/v1/other/gw-1/down/answer"):
            await desk.publish(topic, b"secret")
        if "$SYS" in wish:
            # It comes every second; the counter-proof below hears it in this time.
            await asyncio.sleep(SYS_WITHIN_S)
        await desk.publish(f"{ONE}/down/result", b"last")
        await thief.until(f"{ONE}/down/result", b"last")
        assert [row for row in thief.got if row != (f"{ONE}/down/result", b"last")] == []


@pytest.mark.parametrize(
    "topic",
    [
        f"{TWO}/up/event",
        f"{TWO}/up/status",
        f"{ONE}/down/answer",
        f"{TWO}/down/answer",
        f"pingan/v1/{AREA}/gw-1",
        "pingan/v1/other/gw-1/up/event",
        f"pingan/v1/{AREA}/desk.jianghai.1/up/event",
        "$SYS/broker/version",
        "x",
        f"{ONE}x/up/event",
        f"pingan/v1/{AREA}//up/event",
    ],
)
@pytest.mark.parametrize("how", ["publish", "will"])
async def test_a_gateway_says_nothing_as_another(broker: GuardedBroker, topic: str, how: str) -> None:
    async with client(broker, DESK_OF_ALL) as desk, client(broker, "gw-2") as two:
        await desk.inner.subscribe("pingan/v1/+/+/up/#", qos=1)
        await two.inner.subscribe(f"{TWO}/down/#", qos=1)
        if how == "publish":
            with contextlib.suppress(aiomqtt.MqttError):
                async with client(broker, "gw-1") as thief:
                    await thief.publish(topic, b"forged")
        else:
            await _die(broker, "gw-1", topic)
        await _die(broker, "gw-1", f"{ONE}/up/status")
        await desk.until(f"{ONE}/up/status", b"will")
        assert (desk.got, two.got) == ([(f"{ONE}/up/status", b"will")], [])


async def _die(broker: GuardedBroker, name: str, will: str) -> None:
    """Come with a will, and break off as a dying gateway does, without MQTT's goodbye."""
    with contextlib.suppress(aiomqtt.MqttError):
        async with client(broker, name, will=will) as dying:
            connection = dying.inner._client.socket()
            assert connection is not None
            with socket.socket(fileno=os.dup(connection.fileno())) as raw:
                raw.shutdown(socket.SHUT_RDWR)
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(dying.reading, return_exceptions=True)


async def test_without_the_lists_a_thief_hears_and_says_all_of_it(tmp_path: Path) -> None:
    """The counter-proof: the same broker, the same certificates, an open list."""
    with GuardedBroker(tmp_path / "broker", open_lists=True) as broker:
        async with client(broker, "gw-2") as two, client(broker, "gw-1") as thief:
            await two.inner.subscribe(f"{TWO}/down/#", qos=1)
            for wish in ("#", "$SYS/#"):
                await thief.inner.subscribe(wish, qos=1)
            await two.publish(f"{TWO}/up/event", b"secret")
            await thief.until(f"{TWO}/up/event", b"secret")
            await thief.publish(f"{TWO}/down/answer", b"forged")
            await two.until(f"{TWO}/down/answer", b"forged")
            await asyncio.sleep(SYS_WITHIN_S)
            assert any(topic.startswith("$SYS/") for topic, _ in thief.got)


async def test_a_gateway_that_joins_the_desks_group_reads_nothing_and_delays_what_is_dealt_to_it(
    broker: GuardedBroker,
) -> None:
    """What desks.acl says of mosquitto: hence a name of the group that cannot be guessed. Here the thief knows it."""
    shared = f"$share/known/pingan/v1/{AREA}/+/up/#"
    async with client(broker, DESK) as desk, client(broker, "gw-2") as two, client(broker, "gw-1") as thief:
        await desk.inner.subscribe(shared, qos=1)
        await thief.inner.subscribe(shared, qos=1)
        async with asyncio.timeout(WITHIN_S):
            # As a gateway does: until somebody has answered.
            for number in range(10):
                await two.publish(f"{TWO}/up/event", b"%d" % number)
            while len(desk.got) < 5:
                await asyncio.sleep(0.01)
        assert thief.got == []


async def test_a_desk_cannot_speak_as_a_gateway_nor_for_an_area_that_is_not_its_own(broker: GuardedBroker) -> None:
    async with client(broker, DESK_OF_ALL) as watch, client(broker, "gw-1") as one, client(broker, DESK) as desk:
        await watch.inner.subscribe("pingan/v1/+/+/up/#", qos=1)
        await one.inner.subscribe(f"{ONE}/down/#", qos=1)
        await desk.inner.subscribe("#", qos=1)
        await desk.publish(f"{ONE}/up/event", b"forged")
        await desk.publish("pingan/v1/other/gw-9/down/answer", b"forged")
        await watch.publish("pingan/v1/other/gw-9/down/answer", b"not for jianghai")
        await desk.publish(f"{ONE}/down/answer", b"last")
        await one.until(f"{ONE}/down/answer", b"last")
        assert (watch.got, one.got, desk.got) == ([], [(f"{ONE}/down/answer", b"last")], [])


@pytest.mark.parametrize("claimed", ["gw-2", f"pingan-{AREA}-gw-2", DESK])
async def test_nobody_takes_over_anothers_session_by_its_client_id(broker: GuardedBroker, claimed: str) -> None:
    """What waits for gateway 2 while it is away stays its own, and whoever is there is not thrown out."""
    async with client(broker, "gw-2", says=f"pingan-{AREA}-gw-2", keep=True) as two:
        await two.inner.subscribe(f"{TWO}/down/answer", qos=1)
        async with client(broker, "gw-1", says=claimed, keep=True) as thief:
            await two.publish(f"{TWO}/up/status", b"still here")
            assert not two.reading.done()
            assert thief.got == []
    async with client(broker, DESK) as desk:
        await desk.publish(f"{TWO}/down/answer", b"while you were away")
        async with client(broker, "gw-1", says=claimed, keep=True) as thief:
            await thief.inner.subscribe(f"{ONE}/down/answer", qos=1)
            await desk.publish(f"{ONE}/down/answer", b"last")
            await thief.until(f"{ONE}/down/answer", b"last")
            assert len(thief.got) == 1
    async with client(broker, "gw-2", says=f"pingan-{AREA}-gw-2", keep=True) as two:
        await two.until(f"{TWO}/down/answer", b"while you were away")


async def test_what_waits_for_a_gateway_outlives_a_restart_of_the_broker(broker: GuardedBroker) -> None:
    async with client(broker, "gw-2", keep=True) as two:
        await two.inner.subscribe(f"{TWO}/down/answer", qos=1)
    async with client(broker, DESK) as desk:
        await desk.publish(f"{TWO}/down/answer", b"before")
    broker.stop()
    broker.start()
    async with client(broker, DESK) as desk:
        await desk.publish(f"{TWO}/down/answer", b"after")
    async with client(broker, "gw-2", keep=True) as two:
        await two.until(f"{TWO}/down/answer", b"before")
        await two.until(f"{TWO}/down/answer", b"after")


async def test_a_list_that_is_read_anew_takes_nothing_from_who_is_away(broker: GuardedBroker) -> None:
    another = f"desk.{AREA}.2"
    async with client(broker, "gw-2", keep=True) as two:
        await two.inner.subscribe(f"{TWO}/down/answer", qos=1)
    async with client(broker, DESK) as desk, client(broker, another) as new, client(broker, "gw-1") as one:
        await desk.publish(f"{TWO}/down/answer", b"before")
        await new.inner.subscribe(f"{ONE}/up/#", qos=1)
        broker.permit(f"user {another}\ntopic read pingan/v1/{AREA}/+/up/#")
        async with asyncio.timeout(WITHIN_S):
            while not new.got:
                await one.publish(f"{ONE}/up/event", b"until it is read")
        await desk.publish(f"{TWO}/down/answer", b"after")
    async with client(broker, "gw-2", keep=True) as two:
        await two.until(f"{TWO}/down/answer", b"before")
        await two.until(f"{TWO}/down/answer", b"after")


@pytest.mark.parametrize("name", ["+", "#", "gw-2/up", "", DESK, DESK_OF_ALL, "gw-1#", "%u", "%c", "pingan"])
async def test_a_name_that_the_authority_should_not_have_signed_opens_nothing(broker: GuardedBroker, name: str) -> None:
    """A gateway's authority that was deceived: on the gateways' port not even a desk's name has a desk's rights."""
    async with client(broker, DESK if name == DESK_OF_ALL else DESK_OF_ALL) as desk, client(broker, "gw-2") as two:
        await desk.inner.subscribe(f"pingan/v1/{AREA}/+/up/#", qos=1)
        await two.inner.subscribe(f"{TWO}/down/#", qos=1)
        with contextlib.suppress(aiomqtt.MqttError):
            # A desk's name is let in by nobody, and aiomqtt tries until its time is over.
            async with client(
                broker, name, says="x", authority=broker.gateway_authority, port=broker.gateways, within_s=ODD_WITHIN_S
            ) as odd:
                for wish in ("#", f"pingan/v1/{AREA}/+/up/#", f"{TWO}/down/#"):
                    await odd.inner.subscribe(wish, qos=1)
                for topic in (f"{TWO}/up/event", f"{TWO}/down/answer", f"pingan/v1/{AREA}/+/up/event"):
                    with contextlib.suppress(ValueError):
                        await odd.publish(topic, b"forged")
                await two.publish(f"{TWO}/up/event", b"mine")
                await desk.until(f"{TWO}/up/event", b"mine")
                assert odd.got == []
        assert [row for row in desk.got if row[1] == b"forged"] == two.got == []


async def test_who_has_no_certificate_of_the_right_authority_is_thrown_out(
    broker: GuardedBroker, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    async with client(broker, DESK) as desk:
        await desk.inner.subscribe(f"pingan/v1/{AREA}/+/up/#", qos=1)
        for authority, port in (
            (other, broker.gateways),
            (other, broker.desks),
            (broker.gateway_authority, broker.desks),
            (broker.desk_authority, broker.gateways),
        ):
            with pytest.raises(aiomqtt.MqttError):
                async with client(broker, "gw-1", authority=authority, port=port, within_s=2) as foreign:
                    await foreign.publish(f"{ONE}/up/event")
        for tls in (None, ssl.create_default_context(cafile=str(broker.broker_ca))):
            anonymous = aiomqtt.Client(
                "127.0.0.1",
                broker.gateways,
                protocol=aiomqtt.ProtocolVersion.V5,
                tls_context=tls,
                timeout=2,
                username="gw-1",
                password="x",
            )
            with pytest.raises(aiomqtt.MqttError):
                async with anonymous:
                    await anonymous.publish(f"{ONE}/up/event", b"x", qos=1)
        async with client(broker, "gw-1") as one:
            await one.publish(f"{ONE}/up/event", b"last")
        await desk.until(f"{ONE}/up/event", b"last")
        assert len(desk.got) == 1
