"""`python -m hil_tests.gateway --config gateway.toml [--hci SPEC]`: the daemon, on a Bumble adapter when SPEC is given.

Owns the choice of the adapter. Must not know the daemon beyond its own command.
"""

from __future__ import annotations

import argparse
import sys

from edge_daemon import __main__ as daemon
from hil_tests.gateway.adapter import Adapter
from hil_tests.gateway.backend import install


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.gateway", description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--hci", help="a Bumble transport, as unix:/path or tcp-client:host:port; else BlueZ")
    arguments = parser.parse_args()
    if arguments.hci:
        install(Adapter(arguments.hci))
    return daemon.main(["--config", arguments.config])


if __name__ == "__main__":
    sys.exit(main())
