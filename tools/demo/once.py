"""The unattended demo: one held press on each link, an operator's two clicks, and what each wearer was shown and when.

Owns the order of things and the verdict. Everything it says it saw on the wearables' own lights.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tools.demo.scene import Scene
from tools.demo.stages import Shown
from tools.messages import Messages

# Stages take milliseconds on BLE and serial; a minute means that something is broken.
_CLOSED_WITHIN_S = 60.0
_OPERATOR = "demo"


async def run(keep: str | None, words: Messages, *, as_json: bool) -> int:
    """Press once on each link. 0 when both wearers were shown CLOSED, 1 when not within a minute."""

    def tell(shown: Shown) -> None:
        print(json.dumps(shown.row()) if as_json else words.text("demo.shown", **shown.row()), flush=True)

    async with Scene.open(keep, words, tell) as scene:
        operator = asyncio.create_task(scene.operate(_OPERATOR))
        try:
            for pendant in scene.pendants:
                await scene.hold(pendant)
            await scene.all_closed(_CLOSED_WITHIN_S)
        except TimeoutError:
            print("\n".join(scene.unfinished()), file=sys.stderr)
            return 1
        finally:
            operator.cancel()
            await asyncio.gather(operator, return_exceptions=True)
    return 0
