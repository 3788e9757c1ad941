"""What every up message has in common: its version, who says it, lists of rows. Owns the rule of who is who.

The topic is what the broker's access list guards, so it says who speaks and where to answer. A payload or a response
topic that says otherwise is a fault for a person to look at, and no reason to lose what else the message says.
Does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tools.desk.errors import NotUnderstood
from tools.desk.reading import fields
from tools.desk.reading.message import Fault, Message

# A hostile list of 256 KiB has a hundred thousand rows that are none: these are looked at.
ROWS_MAX = 1000

Row = TypeVar("Row")


def opened(message: Message) -> tuple[dict[str, Any], list[Fault]]:
    """A message of version 1 as JSON, and what is odd about who says it. Raises NotUnderstood."""
    said = fields.message_v1(message.payload)
    return said, who_is_who(message, said)


def who_is_who(message: Message, said: dict[str, Any]) -> list[Fault]:
    """A fault for each place that names another gateway than the topic does."""
    faults = []
    if said.get("gateway") != message.gateway:
        faults.append(message.fault("gateway is not the topic's"))
    if message.response is not None and message.response != message.answer_topic:
        faults.append(message.fault("response topic is not the gateway's own"))
    return faults


def rows(
    message: Message, said: dict[str, Any], name: str, read: Callable[[dict[str, Any]], Row]
) -> tuple[list[Row], list[Fault]]:
    """The rows of a list that `read` takes; one fault for all that it does not. Raises NotUnderstood: no list."""
    taken: list[Row] = []
    why: list[str] = []
    for row in fields.array(said, name)[:ROWS_MAX]:
        try:
            taken.append(read(fields.an_object(row)))
        except NotUnderstood as error:
            why.append(str(error))
    return taken, [message.fault(f"{name}: {len(why)} left out: {why[0]}")] if why else []
