"""The daemon as it is, on a simulated adapter or by a steered clock, if told so.

    python -m hil_tests.gateway --config gateway.toml [--hci SPEC] [--clock FILE]

Owns the choice of adapter and clock. Must not know the daemon beyond its own command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_daemon import __main__ as daemon
from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.backend import install
from hil_tests.gateway.steered_clock import steer
from hil_tests.tasks_told import tell_on_signal


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.gateway", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--hci", help="a Bumble transport, as unix:/path or tcp-client:host:port; else BlueZ")
    parser.add_argument("--clock", type=Path, help="a file that says how this machine's clocks are wrong")
    arguments = parser.parse_args()
    tell_on_signal()
    if arguments.hci:
        install(Adapter(arguments.hci))
    if arguments.clock:
        steer(arguments.clock)
    return daemon.main(["--config", arguments.config])


if __name__ == "__main__":
    sys.exit(main())
