"""`python -m tools.install.counting FILE`: what this version makes of a journal, as one JSON line. Run on a copy.

Each version counts with its own code: the copy is brought to that version's tables on the way, as the journal itself
would be. Owns the line's shape: {"events": N, "open": N, "waiting": N, "schema": N}.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from edge_daemon import log
from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.journal import Journal, schema
from protocol import codes


async def _count(path: Path) -> dict[str, int]:
    journal = Journal(path, Counters())
    await journal.open()
    try:
        if journal.trouble is not None:
            raise SystemExit(f"{journal.trouble.trouble.value}: {journal.trouble}")
        found = list(journal.alarms.values())
        return {
            "events": len(found),
            "open": len(journal.open_alarms()),
            "waiting": sum(alarm.stage == codes.STORED for alarm in found),
            "schema": len(schema.STEPS),
        }
    finally:
        await journal.close()


def main(arguments: list[str]) -> int:
    """Count. A journal that cannot be opened ends with 1 and the reason on stderr."""
    log.set_up("ERROR")
    try:
        print(json.dumps(asyncio.run(_count(Path(arguments[0])))))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
