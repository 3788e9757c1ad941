"""tests/vectors/trail_v1.json: each trail written, read, sealed and opened as it stands there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol import box, keys, trail_code
from tests.on_micropython import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "trail_v1.json").read_text())
KEY = keys.derive(bytes.fromhex(VECTORS["test_only_root"])).trail


def _told(position: trail_code.Position) -> dict[str, Any]:
    place = [position.latitude_e5, position.longitude_e5, position.accuracy] if position.found else None
    return {"unix_s": position.unix_s, "place": place, "moving": position.moving, "sos": position.sos}


def _position(row: dict[str, Any]) -> trail_code.Position:
    place = row["place"] or [0, 0, trail_code.CLASS_UNKNOWN]
    return trail_code.Position(
        row["unix_s"], *place, found=row["place"] is not None, moving=row["moving"], sos=row["sos"]
    )


@pytest.mark.parametrize("row", VECTORS["trails"], ids=lambda row: row["name"])
def test_a_trail_and_its_box_are_as_written_down(row: dict[str, Any]) -> None:
    writer = trail_code.Writer(row["step_s"])
    assert all(writer.add(_position(position)) for position in row["positions"])
    assert writer.data.hex() == row["trail"]
    assert [_told(position) for position in trail_code.unpack(writer.data)] == row["positions"]
    sealed = box.seal(KEY, box.TRAIL, row["sequence"], bytes.fromhex(row["salt"]), writer.data)
    assert sealed.hex() == row["box"]
    assert box.opened(KEY, box.TRAIL, sealed) == writer.data


def test_the_key_is_the_one_of_the_root() -> None:
    assert KEY.hex() == VECTORS["trail_key"]
    assert b"test_only" in bytes.fromhex(VECTORS["test_only_root"])
