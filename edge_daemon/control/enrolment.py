"""The ask `wearables`: enrol, revoke, forget while the gateway runs. Guarantee: on disk first, then served by it.

A gateway killed in between serves by the file at its next start, as it would have gone on. Owns the reading of the
request and the order of the two. Must not know the file's shape, nor the parts that serve.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from edge_daemon import key_file
from edge_daemon.control.watching import Watching
from edge_daemon.enrolled import Enrolled
from edge_daemon.errors import Refusal
from edge_daemon.key_file import Change, Changed
from edge_daemon.log import Log

log = Log("enrolment")

_HEX = frozenset("0123456789abcdef")


class Enrolment:
    """`answer` is the handler of the ask."""

    def __init__(self, path: Path, enrolled: Enrolled, watching: Watching) -> None:
        self._path = path
        self._enrolled = enrolled
        self._watching = watching
        # One after another: what is served follows the file in its order.
        self._turn = asyncio.Lock()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make the change durable, then serve by it. Raises Refusal, and nothing has changed (see key_file.change)."""
        wanted = Change(_rows(request), _handles(request, "revoke"), _handles(request, "forget"))
        async with self._turn:
            changed = await asyncio.to_thread(key_file.change, self._path, wanted)
            await self._serve(changed, wanted)
        said = {
            "enrolled": changed.enrolled,
            "revoked": changed.revoked,
            "forgotten": changed.forgotten,
        }
        log.info("wearables_changed", wearables=len(self._enrolled), **{name: len(who) for name, who in said.items()})
        self._watching.say("wearables", **said)
        return {**said, "unchanged": changed.unchanged}

    async def _serve(self, changed: Changed, wanted: Change) -> None:
        """By the file, for those that were named: what another hand wrote counts from the next start on."""
        for handle in wanted.forget:
            if handle not in changed.wearables:
                self._enrolled.drop(handle)
        named = [*wanted.revoke, *changed.enrolled, *changed.unchanged]
        for place, handle in enumerate(named):
            wearable = changed.wearables.get(handle)
            if wearable is None:
                continue
            if place > len(wanted.revoke):
                # The tables of one take some 10 ms; frames of others come in between. A replaced one's follow at once.
                await asyncio.sleep(0)
            known = self._enrolled.get(handle)
            if known is not None and (known.up, known.down, known.id) != (wearable.up, wearable.down, wearable.id):
                # Another hand wrote other keys into the file: only a new life of it can be right.
                self._enrolled.drop(handle)
            self._enrolled.put(wearable)


def _rows(request: dict[str, Any]) -> list[dict[str, Any]]:
    rows = request.get("enrol", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal("control.bad_request", why='"enrol" is no list of rows')
    return rows


def _handles(request: dict[str, Any], name: str) -> list[str]:
    handles = request.get(name, [])
    if not isinstance(handles, list) or not all(_is_handle(handle) for handle in handles):
        raise Refusal("control.bad_request", why=f'"{name}" is no list of handles')
    return list(dict.fromkeys(handles))


def _is_handle(handle: object) -> bool:
    return isinstance(handle, str) and len(handle) == 16 and set(handle) <= _HEX
