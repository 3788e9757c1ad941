"""`python -m hil_tests.micropython [--bits 32] [--stock]`: print the interpreter's path, building it if need be."""

from __future__ import annotations

import argparse
import sys

from hil_tests import micropython
from hil_tests.micropython import stock
from hil_tests.micropython.errors import BuildFailed


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.micropython", description=__doc__)
    parser.add_argument("--bits", type=int, choices=(32, 64), default=64, help="32: object sizes as on the boards")
    parser.add_argument("--stock", action="store_true", help="Debian's interpreter, as where there is no compiler")
    arguments = parser.parse_args()
    if not (arguments.stock or micropython.is_built(arguments.bits)):
        print("building the wearable's MicroPython from Debian's source, once, about 30 s", file=sys.stderr)
    try:
        print(stock.binary() if arguments.stock else micropython.binary(arguments.bits))
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
