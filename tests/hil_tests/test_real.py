"""What stands in for simulated wearables when boards are on the desk, as far as it can be tried without one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hil_tests.real import Hand, RealWearable

_ROW = {"wearable": "00112233445566aa", "up": "00" * 16, "down": "11" * 16, "id": "22" * 16}


def _keys(place: Path) -> Path:
    file = place / "keys_test_only.json"
    file.write_text(json.dumps({"v": 1, "wearables": [_ROW]}))
    return file


async def _seven(_: str) -> int:
    return 7


async def test_a_command_is_the_hand_and_its_exit_code_the_eye(tmp_path: Path) -> None:
    done = tmp_path / "done"
    script = tmp_path / "hand.py"
    script.write_text(
        f"import sys\nopen({str(done)!r}, 'a').write(sys.argv[1] + chr(10))\nsys.exit('CLOSED' in sys.argv[1])\n"
    )
    hand = Hand(f"{sys.executable} {script}", lambda _: False)
    wearable = RealWearable("pendant", _keys(tmp_path), hand, _seven)
    await wearable.hold()
    assert (await wearable.shown("STORED", within_s=3)).number == 7
    assert [shown.stage for shown in wearable.body.shown] == ["STORED"]
    with pytest.raises(pytest.fail.Exception, match="does not show CLOSED"):
        await wearable.shown("CLOSED")
    said = done.read_text().splitlines()
    assert "hold the button" in said[0]
    assert "STORED" in said[1]
    assert (wearable.handle, wearable.registry_row()) == (_ROW["wearable"], _ROW)


async def test_without_a_command_a_person_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(what: str) -> bool:
        asked.append(what)
        return "power" not in what

    wearable = RealWearable("pendant", _keys(tmp_path), Hand("", ask), _seven)
    await wearable.press()
    with pytest.raises(pytest.fail.Exception, match="not done"):
        await wearable.power_cut()
    assert len(asked) == 2
