"""`python -m edge_daemon --config gateway.toml`: the gateway in the foreground, logs as JSON lines on stderr.

Owns arguments, signals and the exit code: 0 stopped by a signal, 2 refused to start (a person must act), 1 a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import os
import signal
import sys
from pathlib import Path

from edge_daemon import config, log, private
from edge_daemon.errors import Refusal
from edge_daemon.pipeline import Pipeline

# Longer than any part takes to end in order (the broker's goodbye 1 s, a visit's 5 s).
_STOP_WITHIN_S = 6.0


async def _serve(settings: config.Config) -> None:
    pipeline = asyncio.create_task(Pipeline(settings).run())
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    stopper = asyncio.create_task(_stop(pipeline, stopped, asyncio.current_task()))
    with contextlib.suppress(asyncio.CancelledError):
        await pipeline
    stopper.cancel()


async def _stop(pipeline: asyncio.Task[None], stopped: asyncio.Event, serving: asyncio.Task[None] | None) -> None:
    """Cancel the pipeline at the signal, and again whatever is left of it: a library may have swallowed the first."""
    await stopped.wait()
    pipeline.cancel()
    while not (await asyncio.wait({pipeline}, timeout=_STOP_WITHIN_S))[0]:
        log.Log("main").warning("stop_unheard", tasks=len(asyncio.all_tasks()))
        for task in asyncio.all_tasks() - {asyncio.current_task(), serving}:
            task.cancel()


def serve(path: Path) -> None:
    """Run the gateway of a configuration file until a signal. Raises Refusal when it cannot start."""
    settings = config.load(path)
    log.set_up(settings.gateway.log_level)
    # The watchdog's SIGABRT then tells where every thread stands.
    faulthandler.enable()
    # Whatever is made from here on, SQLite's own files too, is for this user alone.
    os.umask(0o077)
    private.own_directory(Path(settings.gateway.state_dir))
    try:
        asyncio.run(_serve(settings))
    except* Refusal as refusals:
        raise refusals.exceptions[0] from None


def main(argv: list[str] | None = None) -> int:
    """The command. `pingan gateway run` does the same and words refusals for a person."""
    parser = argparse.ArgumentParser(prog="edge_daemon", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        serve(arguments.config)
    except Refusal as refusal:
        log.set_up("INFO")
        log.Log("main").error("refused", why=refusal.key, names=refusal.params)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
