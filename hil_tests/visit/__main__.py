"""`python -m hil_tests.visit`: how long a technician's visit takes, command by command, unattended.

Exit code 0: the home was proven.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from hil_tests.visit.place import Place
from hil_tests.visit.visit import Done, Visit

# Three minutes a device: what a technician who installs twenty a day has.
_LIMIT_S = 180.0


async def _run(as_json: bool) -> bool:
    def told(done: Done) -> None:
        row = {"command": done.name, "code": done.code, "took_s": round(done.took_s, 1)}
        print(json.dumps(row) if as_json else f"{done.took_s:6.1f} s  pingan {done.name}", flush=True)
        if done.code:
            print("\n".join(map(str, done.rows[-9:])), file=sys.stderr)

    async with Place() as place:
        visit = Visit(place, told)
        well = await visit.run()
    whole_s = sum(done.took_s for done in visit.done)
    if as_json:
        print(json.dumps({"whole_s": round(whole_s, 1), "limit_s": _LIMIT_S, "proven": well}))
    else:
        print(f"{whole_s:6.1f} s  of {_LIMIT_S:.0f}; {'proven' if well else 'NOT proven'}")
    return well


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.visit", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return 0 if asyncio.run(_run(parser.parse_args().json)) else 1


if __name__ == "__main__":
    sys.exit(main())
