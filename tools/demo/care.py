"""Care for the demo's watch: its wearer's settings, and two ways to be asked something. All through the desk.

Owns what is sealed for it here, as `pingan care` seals it for a real wearer. Must not know how it gets there: the desk
sends it, the gateway keeps it, and the watch takes it up when it is heard next, once a minute in the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hil_tests.desk.process import DeskProcess
from hil_tests.wearable.process import WearableProcess
from protocol import box
from protocol.settings import CHINESE, ENGLISH, Settings

_LANGUAGES = {"zh": CHINESE, "en": ENGLISH}
DOES = ("checkin", "medicine", "look", *_LANGUAGES)
_HEARTBEAT_S = 60
_ANSWER_WITHIN_S = 120
_OPERATOR = "demo"
_LIVES_WITHIN_S = 20.0
_STARTS_MOST = 3
_LOOK_EVERY_S = 0.1
_ZONE = "Asia/Shanghai"


class Care:
    """Its methods raise DeskFailed."""

    def __init__(self, desk: DeskProcess, wearable: WearableProcess) -> None:
        self._desk = desk
        self._wearable = wearable
        self._version = int(time.time())

    async def do(self, what: str) -> None:
        """One of DOES."""
        if what in _LANGUAGES:
            await self.speak(what)
        elif what == "look":
            await self.look()
        else:
            await self.check_in(what)

    async def begin(self, lang: str) -> None:
        """Settings first of all: by a first heartbeat the desk knows where to send them, and the watch stays for them.

        On a machine that takes its time, once more; at last they come by a later heartbeat.
        """
        await self.speak(lang)
        for _ in range(_STARTS_MOST):
            await self._start_anew()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LIVES_WITHIN_S):
                    while not await self._lives_by_them():
                        await asyncio.sleep(_LOOK_EVERY_S)
                return

    async def _start_anew(self) -> None:
        """Out with its battery and in again: it says a heartbeat right after a start."""
        await self._wearable.power_cut()
        await self._wearable.power_on()

    async def _lives_by_them(self) -> bool:
        state = await self._desk.get(f"/api/care/{self._wearable.handle}")
        return bool(state["lives_by"]["settings_version"] == self._version)

    async def speak(self, lang: str) -> None:
        """The watch's language from its next word with a gateway on."""
        settings = Settings()
        settings.language = _LANGUAGES[lang]
        settings.heartbeat_s = _HEARTBEAT_S
        settings.offset_minutes = _offset_minutes()
        await self._send("settings", self._sealed(self._wearable.keys.trail, box.SETTINGS, settings.pack()))

    async def check_in(self, kind: str) -> None:
        """A plan that asks at the next full minute, by the gateway itself. `kind`: checkin or medicine."""
        at = datetime.now().astimezone() + timedelta(minutes=1)
        plan = {
            "v": 1,
            "beneficiary": "older",
            "centre": "demo",
            "timezone": _ZONE,
            "away": None,
            "checkins": [
                {
                    "id": kind,
                    "kind": kind,
                    "at": _in_shanghai(at),
                    "days": [1, 2, 3, 4, 5, 6, 7],
                    "answer_within_s": _ANSWER_WITHIN_S,
                    "again": 1,
                    "text": 0,
                }
            ],
            "inactivity": None,
            "presence": None,
            "retention_days": 30,
        }
        key = box.care_key(self._wearable.keys.down)
        await self._send("plan", self._sealed(key, box.CARE, json.dumps(plan).encode()))

    async def look(self) -> None:
        """An operator's call to look at the watch."""
        await self._desk.post(f"/api/wearables/{self._wearable.handle}/look", {"operator": _OPERATOR})

    def _sealed(self, key: bytes, purpose: int, content: bytes) -> dict[str, object]:
        self._version += 1
        sealed = box.seal(key, purpose, self._version, secrets.token_bytes(box.SALT_SIZE), content)
        return {"version": self._version, "box": sealed.hex()}

    async def _send(self, what: str, boxed: dict[str, object]) -> None:
        row = {"wearable": self._wearable.handle, "plan": None, "settings": None, what: boxed}
        await self._desk.post("/api/care", row)


def _offset_minutes() -> int:
    offset = datetime.now().astimezone().utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def _in_shanghai(at: datetime) -> str:
    return at.astimezone(ZoneInfo(_ZONE)).strftime("%H:%M")
