"""A short slice of each campaign of hil_tests/faults: nothing lost, nothing twice, nothing wrong.

`make faults` runs the whole campaigns. `--rounds=3` makes three times the slice; PINGAN_SEED repeats one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hil_tests.faults import runner, table
from hil_tests.faults.campaign import Campaign


@pytest.mark.virtual_air
@pytest.mark.timeout(600)
@pytest.mark.parametrize("campaign", runner.discover(), ids=lambda campaign: campaign.name)
async def test_a_short_campaign_finds_nothing_lost_doubled_or_wrong(
    campaign: Campaign, tmp_path: Path, seed: int, rounds: int
) -> None:
    place = tmp_path / "scratch"
    place.mkdir()
    verdict = await runner.hurt(campaign, campaign.short * rounds, seed, place)
    if verdict.skipped:
        pytest.skip(verdict.skipped)
    print(table.table([verdict]))
    assert verdict.passed, table.details(verdict)
    # What a campaign writes may be large, and pytest keeps directories for days; a failed one's is kept.
    shutil.rmtree(place, ignore_errors=True)
