"""`python -m hil_tests.radio --wearables PATH --control PATH --gateway NAME=SPEC …`: the radio process.

Prints `ready` when all its sockets listen; ends at SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import sys

from hil_tests.radio import wire
from hil_tests.radio.air import Air
from hil_tests.radio.conditions import Conditions
from hil_tests.radio.control import Control
from hil_tests.radio.gateway_port import GatewayPort
from hil_tests.radio.hostile import Hostile
from hil_tests.radio.wearable import Wearable

log = logging.getLogger("radio")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hil_tests.radio", description=__doc__)
    parser.add_argument("--wearables", required=True, metavar="PATH", help="unix socket of the interpreters")
    parser.add_argument("--control", required=True, metavar="PATH", help="unix socket of the control lines")
    parser.add_argument("--gateway", action="append", default=[], metavar="NAME=SPEC", help="unix:PATH, tcp:HOST:PORT")
    parser.add_argument("--interval-ms", type=float, default=15.0, help="connection interval; 0: none")
    parser.add_argument("--seed", type=int, help="of all chance in the room; printed when not given")
    return parser


async def _serve_wearable(air: Air, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        name = await wire.read_name(reader)
    except (wire.Broken, asyncio.IncompleteReadError, ConnectionError) as error:
        log.error("no wearable: %s", error)
        writer.close()
        return
    log.info("%s: here", name)
    # Cancelled only when the process ends, where asyncio's stream callback would report it as a fault.
    with contextlib.suppress(asyncio.CancelledError):
        await Wearable(name, air, reader, writer).run()


async def _run(arguments: argparse.Namespace) -> None:
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(4), "little")
    log.info("seed %d", seed)
    air = Air(Conditions(arguments.interval_ms / 1000, random.Random(seed)))
    gateways = dict(one.split("=", 1) for one in arguments.gateway)
    ports = {name: GatewayPort(name, air) for name in gateways}
    hostile = Hostile(air)
    control = Control(air, hostile, list(gateways))
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
        wearables = await asyncio.start_unix_server(lambda r, w: _serve_wearable(air, r, w), arguments.wearables)
    controls = await asyncio.start_unix_server(control.serve, arguments.control)
    for name, spec in gateways.items():
        await ports[name].listen(spec)
    print("ready", flush=True)
    await ended.wait()
    hostile.stop()
    for port in ports.values():
        port.close()
    wearables.close()
    controls.close()


def main() -> int:
    """The command."""
    arguments = _parser().parse_args()
    logging.basicConfig(
        level=os.environ.get("PINGAN_RADIO_LOG", "INFO"), format="%(asctime)s %(levelname)s %(message)s"
    )
    for name in ("bumble", "bumble.device"):
        logging.getLogger(name).setLevel(os.environ.get("PINGAN_BUMBLE_LOG", "ERROR"))
    try:
        asyncio.run(_run(arguments))
    except (OSError, ValueError) as error:
        print(f"radio: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
