"""A technician's visit as a whole: from a bare board to a signed report, by the commands as they are typed."""

from __future__ import annotations

import pytest

from hil_tests import micropython
from hil_tests.visit.place import Place
from hil_tests.visit.visit import Visit


@pytest.mark.virtual_air
@pytest.mark.skipif(not micropython.can_build(), reason="the chip's prompt needs our own build of MicroPython")
async def test_a_bare_board_is_flashed_provisioned_enrolled_and_proven_unattended() -> None:
    async with Place() as place:
        visit = Visit(place)
        assert await visit.run(), visit.done[-1]
        names = [done.name for done in visit.done]
        assert names == ["desk keys", "flash", "provision", "desk import", "enrol", "prove"]
        (report,) = place.directory.glob("proof-*.json")
        assert report.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        incidents = await place.house.desk.incidents()
        assert {incident["class"] for incident in incidents} == {"test"}
