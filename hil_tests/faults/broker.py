"""The broker and the platform behind it fail in every way we know, in the middle of presses.

Owns the list of hurts and how long each may hold a gateway up. Several lanes run at once, each hurt one after another:
most of the time is spent waiting. lane.py keeps the accounts, hil_tests/broker/hostile.py does the damage.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hil_tests.broker import packets
from hil_tests.faults.campaign import Campaign, Outcome
from hil_tests.faults.lane import Lane, lane

Hurt = Callable[[Lane], AbstractAsyncContextManager[None]]

_LANES = 5
# A connection that carries nothing is left after 10 s, a broker that does not greet after 5 s; then 1 s to the next
# attempt, and the retry. Twice that, for a busy machine.
_RECOVERS_WITHIN_S = 40.0


@contextlib.asynccontextmanager
async def down(lane: Lane) -> AsyncIterator[None]:
    """Nobody at the port."""
    lane.proxy.shut()
    yield
    await lane.proxy.open()


@contextlib.asynccontextmanager
async def flapping(lane: Lane) -> AsyncIterator[None]:
    """Each connection breaks after some bytes, in the middle of a packet as often as not."""
    lane.proxy.weather.cut_after = lane.chance.choice([60, 400, 3000])
    lane.proxy.cut()
    yield
    lane.proxy.weather.cut_after = None


@contextlib.asynccontextmanager
async def half_open(lane: Lane) -> AsyncIterator[None]:
    """Who connects is taken and never spoken to."""
    lane.proxy.weather.swallow = True
    lane.proxy.cut()
    yield
    lane.proxy.weather.swallow = False


@contextlib.asynccontextmanager
async def silent(lane: Lane) -> AsyncIterator[None]:
    """The session there is carries nothing ever again; nobody says so. A new one would do."""
    lane.proxy.fall_silent()
    yield


@contextlib.asynccontextmanager
async def slow(lane: Lane) -> AsyncIterator[None]:
    """A line of the nineties."""
    lane.proxy.weather.bytes_per_s = lane.chance.uniform(1500, 8000)
    lane.proxy.weather.latency_s = lane.chance.uniform(0, 0.4)
    yield
    lane.proxy.weather.bytes_per_s = lane.proxy.weather.latency_s = 0.0


@contextlib.asynccontextmanager
async def killed(lane: Lane) -> AsyncIterator[None]:
    """SIGKILL; it comes back and has forgotten sessions, subscriptions and whatever was queued."""
    lane.broker.kill()
    yield
    await asyncio.to_thread(lane.broker.start)


@contextlib.asynccontextmanager
async def doubled(lane: Lane) -> AsyncIterator[None]:
    """Each PUBLISH up and down once more, sometimes marked as such, sometimes twice."""

    def edit(_: bool, packet: bytes) -> list[bytes]:
        if packets.kind(packet) != packets.PUBLISH:
            return [packet]
        more = [packets.again(packet, marked=lane.chance.random() < 0.5) for _ in range(lane.chance.randrange(1, 3))]
        return [packet, *more]

    lane.proxy.weather.edit = edit
    yield
    lane.proxy.weather.edit = None


@contextlib.asynccontextmanager
async def unconfirmed(lane: Lane) -> AsyncIterator[None]:
    """The broker's confirmations get lost; what they would confirm has arrived."""
    lane.proxy.weather.edit = lambda up, packet: [] if packets.kind(packet) == packets.PUBACK and not up else [packet]
    yield
    lane.proxy.weather.edit = None


@contextlib.asynccontextmanager
async def noise(lane: Lane) -> AsyncIterator[None]:
    """Bytes between the broker's packets that are no MQTT, or MQTT that makes no sense."""

    async def invent() -> None:
        while True:
            await asyncio.sleep(lane.chance.uniform(0.1, 0.8))
            lane.proxy.invent(lane.chance.choice(NOISE) or lane.chance.randbytes(lane.chance.randrange(1, 60)))

    inventing = asyncio.create_task(invent())
    yield
    inventing.cancel()


# b"": random bytes. A wrong confirmation, a second greeting, a goodbye, lengths that lie, what is no property or topic.
NOISE = (
    b"",
    b"\x40\x02\xff\xff",
    b"\x90\x04\xff\xff\x00\x01",
    b"\x20\x03\x00\x87\x00",
    b"\xe0\x02\x8e\x00",
    b"\x32\xff\xff\xff\xff\xff",
    b"\x32\x05\xff\xffabc",
    packets.publish(b"pingan/v1/bench/gw-1/down/answer", b"{}", qos=2),
    packets.publish(b"x", b"{}", properties=b"\x05\x99\x01\x02\x03\x04"),
    *(packets.publish(topic, b"{}") for topic in (b"a/#/b", b"\xff\xfe", b"")),
)


def _mood(word: str) -> Hurt:
    @contextlib.asynccontextmanager
    async def hurt(lane: Lane) -> AsyncIterator[None]:
        lane.platform.mood = word
        yield
        lane.platform.mood = ""

    return hurt


HURTS: dict[str, Hurt] = {
    hurt.__name__: hurt for hurt in (down, flapping, half_open, silent, slow, killed, doubled, unconfirmed, noise)
}
HURTS |= {word: _mood(word) for word in ("deaf", "nodding", "late", "wrong", "twice", "disorder", "busy", "taken_back")}
HURTS["unanswered"] = _mood("silent")


async def press_through(lane: Lane, hurt: Hurt) -> float:
    """Presses before, during and after one hurt; returns how long after it all were closed. Raises TimeoutError."""
    for _ in range(lane.chance.randrange(3)):
        lane.press()
        await asyncio.sleep(lane.chance.uniform(0, 0.3))
    async with hurt(lane):
        for _ in range(lane.chance.randrange(1, 4)):
            await asyncio.sleep(lane.chance.uniform(0, 0.8))
            lane.press()
        await asyncio.sleep(lane.chance.uniform(0.1, 1.5))
    lane.press()
    return await lane.settled(_RECOVERS_WITHIN_S)


async def _hurt_lane(place: Path, seed: int, names: list[str], outcome: Outcome, took: dict[str, list[float]]) -> None:
    async with lane(place, random.Random(seed)) as made:
        for name in names:
            try:
                took_s = await press_through(made, HURTS[name])
            except TimeoutError:
                outcome.wrong.append(f"{name}: not well {_RECOVERS_WITHIN_S:.0f} s after it: {made.open()}")
                # What a later hurt of this lane would show is this one's.
                break
            took.setdefault(name, []).append(took_s)
            outcome.count += 1
        await made.gateway.stop()
        made.account(outcome, made.gateway.logs)
        outcome.figures["presses"] = str(int(outcome.figures.get("presses", "0")) + len(made.pressed))
        repeats = sum(made.platform.came.values()) - len(made.platform.came)
        outcome.figures["repeats"] = str(int(outcome.figures.get("repeats", "0")) + repeats)


async def run(count: int, seed: int, place: Path) -> Outcome:
    """`count` hurts, every kind as often as any other, over a few lanes."""
    chance = random.Random(seed)
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(list(HURTS), len(HURTS))
    names = names[:count]
    lanes = min(_LANES, count)
    outcome, took = Outcome(), dict[str, list[float]]()
    await asyncio.gather(
        *(_hurt_lane(place / f"lane-{n}", seed + n, names[n::lanes], outcome, took) for n in range(lanes))
    )
    kinds = Counter(names)
    slowest = max(took, key=lambda name: max(took[name]), default="")
    outcome.figures["kinds"] = str(len(kinds))
    if slowest:
        outcome.figures["slowest"] = f"{slowest} {max(took[slowest]):.1f} s"
    return outcome


CAMPAIGN = Campaign(
    name="broker",
    hurt="hurts of broker, line and platform in the middle of presses",
    short=20,
    long=200,
    run=run,
)
