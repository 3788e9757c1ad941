"""The device's half of provisioning, on the wearable's own Python and a chip that is cut everywhere."""

from __future__ import annotations

import re
from pathlib import Path

from tests import on_micropython
from tools import image_sources

_HERE = Path(__file__).parent
_PATHS = (on_micropython.ROOT / "firmware", on_micropython.ROOT)


def test_a_cut_anywhere_leaves_one_identity_or_none_and_no_counter_is_used_twice() -> None:
    said = on_micropython.run_file(_HERE / "provisioning_on_micropython.py", paths=_PATHS)
    assert " 0 failed" in said
    cuts = [int(count) for count in re.findall(r"cuts of \w+: (\d+)", said)]
    assert len(cuts) == 2
    assert min(cuts) >= 20


def test_no_image_has_it() -> None:
    for board in image_sources.boards():
        assert "sos/provisioning.py" not in image_sources.find(board)


def test_it_mounts_as_the_boards_do() -> None:
    contract = (on_micropython.ROOT / "firmware/boards/contract.py").read_text()
    source = (on_micropython.ROOT / "firmware/sos/provisioning.py").read_text()
    for ours, theirs in (("_READ_SIZE", "FLASH_READ_SIZE"), ("_PROGRAM_SIZE", "FLASH_PROGRAM_SIZE")):
        sizes = [
            re.findall(rf"^{name} = (\d+)", text, re.MULTILINE) for name, text in ((ours, source), (theirs, contract))
        ]
        assert sizes[0] == sizes[1] != []
