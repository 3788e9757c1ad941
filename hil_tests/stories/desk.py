"""The desk as it is, by the clock of a story: `python -m hil_tests.stories.desk CLOCK …the desk's own arguments…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hil_tests.stories.clock import FileClock
from hil_tests.tasks_told import tell_on_signal
from tools.cli import main
from tools.desk import desk, rounds

# What is due is looked at by real seconds; a story's hours are shorter.
_LOOK_AGAIN_S = 0.2

if __name__ == "__main__":
    tell_on_signal()
    module: Any = desk
    rounds._LOOK_AGAIN_S = _LOOK_AGAIN_S
    module.Clock = lambda: FileClock(Path(sys.argv[1]))
    sys.exit(main(["desk", *sys.argv[2:]]))
