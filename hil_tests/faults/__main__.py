"""`python -m hil_tests.faults [--only A,B] [--n FACTOR] [--seed S]`: hurt the system, count, print the table.

Owns the command, the order, the scratch directories and the exit code: 0 all passed, 1 one failed, 2 asked for what
there is not. Must not know what a campaign does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hil_tests.faults import runner, table
from hil_tests.faults.campaign import Campaign
from hil_tests.faults.runner import Verdict

_STILL_EVERY_S = 60
_INTERRUPTED = 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hil_tests.faults", description=__doc__)
    parser.add_argument("--only", metavar="A,B", default="", help="these campaigns; all without")
    parser.add_argument(
        "--n", type=float, metavar="FACTOR", help="so many times the short counts; the long ones without"
    )
    parser.add_argument("--seed", type=int, default=None, help="of all chance; printed when not given")
    parser.add_argument("--list", action="store_true", help="say what there is and run nothing")
    parser.add_argument("--json", action="store_true", help="the table as one JSON object on stdout")
    return parser


def _say(text: str) -> None:
    """Progress, which is not the result: to stderr."""
    print(text, file=sys.stderr, flush=True)


def chosen(only: str) -> list[Campaign]:
    """The campaigns named, separated by commas; all for "". Raises KeyError with a name there is not."""
    campaigns = {campaign.name: campaign for campaign in runner.discover()}
    return [campaigns[name.strip()] for name in only.split(",")] if only else list(campaigns.values())


def _hurts(campaign: Campaign, factor: float | None) -> int:
    return campaign.long if factor is None else max(1, round(campaign.short * factor))


async def _run(campaign: Campaign, count: int, seed: int) -> Verdict:
    async def still() -> None:
        begun_s = time.monotonic()
        while True:
            await asyncio.sleep(_STILL_EVERY_S)
            _say(f"  {campaign.name}: at it for {table.took(time.monotonic() - begun_s)}")

    _say(f"{campaign.name}: {count:,} x {campaign.hurt}")
    telling = asyncio.create_task(still())
    try:
        with tempfile.TemporaryDirectory(prefix=f"pingan-{campaign.name}-", ignore_cleanup_errors=True) as place:
            verdict = await runner.hurt(campaign, count, seed, Path(place))
    finally:
        telling.cancel()
    word = "skipped" if verdict.skipped else "passed" if verdict.passed else "FAILED"
    _say(f"  {word} after {table.took(verdict.took_s)}")
    return verdict


def run(campaigns: list[Campaign], factor: float | None, seed: int) -> list[Verdict]:
    """Run them one after another, each in an event loop of its own: what one leaves behind ends with it."""
    verdicts: list[Verdict] = []
    for campaign in campaigns:
        try:
            verdicts.append(asyncio.run(_run(campaign, _hurts(campaign, factor), seed)))
        except KeyboardInterrupt:
            _say("interrupted; what has been found so far:")
            break
    return verdicts


def _as_json(verdicts: list[Verdict], seed: int) -> str:
    def one(verdict: Verdict) -> dict[str, Any]:
        outcome = verdict.outcome
        return {
            "campaign": verdict.campaign.name,
            "hurt": verdict.campaign.hurt,
            "count": outcome.count,
            "lost": outcome.lost,
            "twice": outcome.twice,
            "wrong": outcome.wrong,
            "figures": outcome.figures,
            "took_s": round(verdict.took_s, 1),
            "passed": verdict.passed,
            "broke": verdict.broke,
            "skipped": verdict.skipped,
        }

    return json.dumps({"v": 1, "seed": seed, "campaigns": [one(verdict) for verdict in verdicts]}, indent=1)


def _list(campaigns: list[Campaign]) -> None:
    width = max((len(campaign.name) for campaign in campaigns), default=0)
    for one in campaigns:
        why = one.skip()
        print(
            f"{one.name:{width}}  {one.hurt} (short {one.short:,}, long {one.long:,}){f'; skipped: {why}' * bool(why)}"
        )


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    asked = _parser().parse_args(arguments)
    try:
        campaigns = chosen(asked.only)
    except KeyError as error:
        _say(f"no campaign {error}; --list says which there are")
        return 2
    if asked.list:
        _list(campaigns)
        return 0
    # What the daemon's parts say in this process is a campaign's business; without a handler Python prints it between.
    logging.getLogger().addHandler(logging.NullHandler())
    seed = random.randrange(1 << 31) if asked.seed is None else asked.seed
    begun_s = time.monotonic()
    verdicts = run(campaigns, asked.n, seed)
    if asked.json:
        print(_as_json(verdicts, seed))
    else:
        print(table.table(verdicts))
        print(f"seed {seed}, {table.took(time.monotonic() - begun_s)} on {os.cpu_count()} processors")
        for verdict in verdicts:
            if verdict.failed:
                print("\n" + table.details(verdict))
    if len(verdicts) < len(campaigns):
        return _INTERRUPTED
    return int(any(verdict.failed for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
