"""The desk as it is, by the clock of a story: `python -m hil_tests.stories.desk CLOCK …the desk's own arguments…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hil_tests.stories.clock import FileClock
from hil_tests.tasks_told import tell_on_signal
from tools.cli import main
from tools.desk import desk

if __name__ == "__main__":
    tell_on_signal()
    module: Any = desk
    module.Clock = lambda: FileClock(Path(sys.argv[1]))
    sys.exit(main(["desk", *sys.argv[2:]]))
