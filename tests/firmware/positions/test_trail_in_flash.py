"""The trail on littlefs on a hostile chip, on the wearable's Python: every cut, a week, and all that flash may do."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from hil_tests.micropython.errors import BuildFailed
from tests import on_micropython

_HERE = Path(__file__).parent
_ROOT = on_micropython.ROOT
_PATHS = (_ROOT / "firmware", _ROOT, _HERE.parent, _HERE, _HERE.parent / "fake_chip")
# Of about 10,000 ways to be cut so many are tried each time; stride 1 is all of them.
_STRIDE = 61


@pytest.mark.parametrize(
    ("what", "bits"), [("store", 64), ("store", 32), ("part", 64), ("part", 32), ("gnss_uart", 64)]
)
def test_the_trail_and_the_part_as_a_whole_do_what_they_promise(what: str, bits: int) -> None:
    try:
        said = on_micropython.run_file(_HERE / f"{what}_on_micropython.py", paths=_PATHS, bits=bits, heap="16m")
    except BuildFailed as error:
        if bits == 64:
            raise
        pytest.skip(f"no 32-bit interpreter here: {error}")
    assert " 0 failed" in said


def test_a_cut_anywhere_loses_no_position_and_uses_no_number_twice() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    said = on_micropython.interpreter(_HERE / "trail_cuts.py", str(_STRIDE), str(seed), paths=_PATHS, heap="16m")
    told = json.loads(said)
    print(told)
    assert told["cuts"] > 20 and not told["broken"]


def test_a_cut_anywhere_tells_each_fence_once() -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    said = on_micropython.interpreter(_HERE / "fence_cuts.py", "17", str(seed), paths=_PATHS, heap="16m")
    told = json.loads(said)
    print(told)
    assert told["cuts"] > 50 and not told["broken"]
