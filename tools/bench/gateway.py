"""The real gateway in this process, over a serial line, its state on the disk that is measured.

Owns the configuration and the life of a Pipeline for the bench. Must not know what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from edge_daemon import log
from edge_daemon.config import Ble, Config, Forwarder, Gateway, Platform, Serial, Wearables
from edge_daemon.pipeline import Pipeline
from tools.bench.wearer import Wearer


def _config(place: Path, port: str, broker: tuple[str, int]) -> Config:
    return Config(
        gateway=Gateway(id="gw-bench", area="bench", state_dir=str(place / "state"), log_level="ERROR"),
        wearables=Wearables(key_file=str(place / "wearables.json"), window=4096),
        ble=Ble(enabled=False),
        serial=Serial(ports=[port], rescan_s=0.05),
        platform=Platform(host=broker[0], port=broker[1], tls=False, reconnect_most_s=1.0),
        forwarder=Forwarder(),
    )


@contextlib.asynccontextmanager
async def running(place: Path, wearer: Wearer, broker: tuple[str, int]) -> AsyncIterator[Pipeline]:
    """A gateway that hears `wearer` and knows its keys, until the block is left."""
    keys = place / "wearables.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({"v": 1, "wearables": [wearer.row]}))
    keys.chmod(0o600)
    pipeline = Pipeline(_config(place, wearer.port, broker))
    log.set_up("CRITICAL")
    task = asyncio.create_task(pipeline.run())
    try:
        await wearer.reach()
        yield pipeline
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
