"""Runs on the wearable's interpreter: leaves of its flash the identity alone, and rubbish in the place of the ledger.

`micropython ledger_spoiler.py FLASH`, firmware/ in MICROPYPATH. So numbers and counters are lost and the keys are not:
what a wearable does that has lost its memory is begun by this. The layout is the simulator board's and the firmware's
(firmware/sos/copies.py).
"""

import os
import sys

import vfs  # type: ignore[import-not-found]  # MicroPython's
from drivers.file_flash import FileFlash  # type: ignore[import-not-found]  # firmware's

READ_SIZE = 32
PROGRAM_SIZE = 128
LEDGERS = ("/flash/ledger", "/flash/second/ledger")

vfs.mount(vfs.VfsLfs2(FileFlash(sys.argv[1]), readsize=READ_SIZE, progsize=PROGRAM_SIZE), "/flash")
for name in LEDGERS:
    with open(name, "wb") as file:  # noqa: PTH123  # MicroPython has no pathlib
        file.write(os.urandom(468))
vfs.umount("/flash")
