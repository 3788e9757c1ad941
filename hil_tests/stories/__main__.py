"""Tell a story: `python -m hil_tests.stories older --days 30 --seed 5`. Exit 1 says that it went otherwise.

Owns the command. Must not know the stories.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hil_tests.stories.tale import Part

_DAYS = {"child": 7.0, "older": 30.0}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="hil_tests.stories", description=__doc__)
    parser.add_argument("story", choices=sorted(_DAYS))
    parser.add_argument("--days", type=float, help="how many of it; all by default")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="leave out so many days: 3 begins with the fourth")
    parser.add_argument("--place", type=Path, help="an empty directory that stays; by default one that goes")
    arguments = parser.parse_args()
    if arguments.place is not None and arguments.place.exists() and any(arguments.place.iterdir()):
        # What an earlier run left would be told once more.
        parser.error(f"{arguments.place} is not empty")
    days = arguments.days or _DAYS[arguments.story]
    story = importlib.import_module(f"hil_tests.stories.{arguments.story}")
    with tempfile.TemporaryDirectory(prefix="pingan-story-") as temporary:
        place = arguments.place or Path(temporary)
        begun_s = time.monotonic()
        tale, verdict = asyncio.run(story.tell(place, Part(days, arguments.seed, arguments.first)))
        took_s = time.monotonic() - begun_s
    for kind, times in sorted(Counter(one.kind for one in verdict.found).items()):
        print(f"{times:6} {kind}")
    print(f"{len(verdict.found)} events at the desk, {len(tale.expected)} expected; seed {arguments.seed}")
    print(f"{days:g} days in {took_s:.0f} s; questions without an answer: {tale.world.air.unanswered}")
    if tale.boxes:
        print(
            f"trail: {tale.positions} positions in {tale.boxes} boxes, {tale.box_bytes / tale.positions:.1f} bytes each"
        )
    for text in verdict.missing:
        print(f"MISSING  {text}")
    for text in verdict.invented:
        print(f"INVENTED {text}")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
