"""The radio's control socket: one JSON object per line in, one per line out. Owns the requests and their checks.

`{"do": "loss", "value": 0.3}` -> `{"ok": true}`; a request that cannot be met -> `{"ok": false, "why": ...}`.
The list of requests is in hil_tests/README.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from hil_tests.radio.air import Air
from hil_tests.radio.hostile import Hostile, manufacturer_data

_COMPANY = 0xFFFF
_FRAME_SIZE = 24
Request = dict[str, Any]


class Control:
    """Answers on any number of connections."""

    def __init__(self, air: Air, hostile: Hostile, gateways: list[str]) -> None:
        room = self._room = air.conditions
        self._hostile = hostile
        self._gateways = gateways
        self._requests: dict[str, Callable[[Request], object]] = {
            "loss": lambda r: room.set_loss(_share(r["value"])),
            "delay": self._delay,
            "vanish": lambda r: room.set_vanished(str(r["name"]), True),
            "return": lambda r: room.set_vanished(str(r["name"]), False),
            "deaf": lambda r: room.set_deaf(str(r["name"]), bool(r["value"])),
            "stuck": lambda r: air.stick(str(r["name"])),
            "gateways_deaf": self._gateways_deaf,
            "rssi": lambda r: room.set_rssi(str(r["name"]), str(r["gateway"]), int(r["dbm"])),
            "repeats": self._repeats,
            "reorder": self._reorder,
            "list": lambda r: air.states(),
            "recorded": lambda r: [{"name": one.name, "data": one.data.hex()} for one in air.recorded],
            "inject": self._inject,
            "replay": lambda r: hostile.replay(r.get("name")),
            "flood": self._flood,
            "silence": lambda r: hostile.stop(),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _answer(self, line: bytes) -> Request:
        try:
            request = json.loads(line)
            result = self._requests[request["do"]](request)
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "why": f"{type(error).__name__}: {error}"}
        return {"ok": True} if result is None else {"ok": True, "result": result}

    def _delay(self, request: Request) -> None:
        self._room.delay_s = max(0.0, float(request["ms"]) / 1000)

    def _repeats(self, request: Request) -> None:
        self._room.repeats = max(0, int(request["value"]))

    def _reorder(self, request: Request) -> None:
        self._room.reorder = _share(request["value"])

    def _gateways_deaf(self, request: Request) -> None:
        for name in self._gateways:
            self._room.set_deaf(name, bool(request.get("value", True)))

    def _inject(self, request: Request) -> None:
        if "data" in request:
            data = bytes.fromhex(request["data"])
        else:
            data = manufacturer_data(int(request.get("company", _COMPANY)), bytes.fromhex(request["frame"]))
        times, connectable = int(request.get("times", 1)), bool(request.get("connectable", True))
        self._hostile.inject(data, times, request.get("address"), connectable)

    def _flood(self, request: Request) -> int:
        size = int(request.get("size", _FRAME_SIZE))
        company = int(request.get("company", _COMPANY))
        return self._hostile.flood(company, size, float(request["per_s"]), float(request["for_s"]))


def _share(value: object) -> float:
    share = float(str(value))
    if not 0 <= share <= 1:
        raise ValueError(f"{share} is not between 0 and 1")
    return share
