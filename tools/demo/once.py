"""The unattended demo: one held press on each link, one service asked for on the watch, an operator's two clicks.

It prints what each wearer was shown, and when.

Owns the order of things and the verdict. Everything it says it saw on the wearables' own lights.
"""

from __future__ import annotations

import asyncio
import json
import sys

from hil_tests.wearable.errors import WearableFailed
from tools.demo.scene import Scene
from tools.demo.stages import Shown
from tools.messages import Messages

# Stages take milliseconds on BLE and serial; a minute means that something is broken.
_CLOSED_WITHIN_S = 60.0
_OPERATOR = "demo"
_SERVICE = "care"


async def run(keep: str | None, words: Messages, *, as_json: bool) -> int:
    """Press once on each link, tap once for a service. 0 when all three were shown CLOSED within a minute, else 1."""

    def tell(shown: Shown) -> None:
        print(json.dumps(shown.row()) if as_json else words.text("demo.shown", **shown.row()), flush=True)

    async with Scene.open(keep, words, tell, settled=False) as scene:
        operator = asyncio.create_task(scene.operate(_OPERATOR))
        try:
            for pendant in scene.worn[:-1]:
                await scene.hold(pendant)
            await scene.watch.ask(_SERVICE)
            await scene.all_closed(_CLOSED_WITHIN_S)
        except WearableFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        except TimeoutError:
            print("\n".join(scene.unfinished()), file=sys.stderr)
            return 1
        finally:
            operator.cancel()
            await asyncio.gather(operator, return_exceptions=True)
        return 0 if scene.presses.all_answered else 1
