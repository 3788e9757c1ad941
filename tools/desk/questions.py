"""A stranger's opened question: what it brings into the store, and what is told. Owns the contract's table of both.

Must not know MQTT, keys or who else has heard it. Told are the bodies of frames down, each with its type.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from edge_daemon.log import Log
from protocol import codes
from protocol.messages import Hello, NotUnderstood, pack_answer
from protocol.watchful import pack_taken
from tools.desk import opened
from tools.desk.reading.health import Sign
from tools.desk.reading.sealed import SealedFrame
from tools.desk.reading.trails import SealedTrail
from tools.desk.store import events, gateways, trails, windows
from tools.desk.store.store import Transaction
from tools.desk.store.trails import Kept

log = Log("questions")

STAGES = {"accepted": codes.ACCEPTED, "answered": codes.ANSWERED, "closed": codes.CLOSED}
# Revisions that storing one takes at most: an event, what it refers to.
REVISIONS = 4
# Open events told to a wearable that asks.
_TOLD_MOST = 16

Told = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Question:
    """A frame opened: who asked, under which counter, with what, and when we first had it (monotonic ms).

    `trail`: the box that it brought, and what of it is to be stored, None where it is not genuine.
    """

    handle: str
    counter: int
    frame_type: int
    body: bytes
    at_ms: int
    trail: tuple[SealedTrail, Kept | None] | None = None


def answer(stage: int, number: int) -> tuple[int, bytes]:
    """An ANSWER frame."""
    return codes.ANSWER, pack_answer(stage, number, codes.REASON_NONE)


_GREETING = [answer(codes.HEARD, 0)]


def store(transaction: Transaction, question: Question, sealed: SealedFrame, now_ms: int) -> Told:
    """Store what a question brings, commit time `now_ms`; what to tell once it is committed."""
    if question.frame_type == codes.EVENT:
        report = opened.report(question.handle, question.body, sealed)
        stages = events.record(transaction, [report], now_ms)
        log.info("stranger_event", event=report.event, gateway=sealed.gateway)
        return [answer(STAGES[stages[report.event]], report.number)]
    if question.trail is not None:
        sealed_trail, kept = question.trail
        trails.keep(transaction, [] if kept is None else [kept])
        return [_taken(sealed_trail)]
    try:
        if question.frame_type == codes.HEARTBEAT:
            beat = opened.heartbeat(question.handle, question.body, sealed)
            heard_ms = sealed.received_ms - sealed.heard_age_ms
            gateways.heard(transaction, [Sign(question.handle, sealed.area, sealed.gateway, heard_ms, beat)])
        elif question.frame_type == codes.HELLO:
            return _asked(transaction.connection, question)
    except NotUnderstood as error:
        log.warning("not_understood", wearable=question.handle, why=str(error))
    return _GREETING


def look(connection: Connection, question: Question, sealed: SealedFrame) -> Told:
    """What to tell while nothing can be stored: what is here as it is, and BUSY to an event that is not."""
    if question.frame_type == codes.EVENT:
        report = opened.report(question.handle, question.body, sealed)
        stage = windows.stage(connection, report.event)
        return [answer(codes.BUSY if stage is None else STAGES[stage], report.number)]
    if question.trail is not None:
        trail = question.trail[0]
        return [_taken(trail)] if trails.has(connection, trail.wearable, trail.sequence) else []
    try:
        if question.frame_type == codes.HELLO:
            return _asked(connection, question)
    except NotUnderstood:
        pass
    return _GREETING


def _asked(connection: Connection, question: Question) -> Told:
    """The open events, and of the one asked for that it is not here: HEARD. Raises NotUnderstood."""
    hello = Hello(question.body)
    if not hello.asks_state:
        return _GREETING
    known = windows.stages(connection, question.handle, hello.number, _TOLD_MOST)
    unknown = [] if hello.number in dict(known) else [answer(codes.HEARD, hello.number)]
    return [answer(STAGES[stage], number) for number, stage in known] + unknown


def _taken(trail: SealedTrail) -> tuple[int, bytes]:
    return codes.TAKEN, pack_taken(trail.sequence)
