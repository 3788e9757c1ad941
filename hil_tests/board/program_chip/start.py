"""First code of the bench's chip, as MicroPython's _boot.py is of a real one: flash at `/`, then boot.py and main.py.

Owns that order. Must not know what lies on the file system. Runs on MicroPython; hil_tests/board/program.py starts it.
"""

import os
import sys

import chip

chip.open_cable()

import first_boot  # noqa: E402  what it prints goes over the cable

first_boot.mount()
# As on a board: the host's files are not there.
sys.path[:] = ["", ".frozen", "/lib"]
chip.run(os.getenv("PINGAN_PROMPT") == "raw")
