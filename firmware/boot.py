"""First code of a wearable: shuts what a release must not have open. Nothing here can fail, nothing needs the board.

Owns the release switch. Must not know the application (main.py, which never returns, so that no prompt ever comes).
"""

import micropython

# A byte 3 on the cable is data, not an interrupt into a prompt. Before the import, which takes milliseconds.
micropython.kbd_intr(-1)

from build import RELEASE  # noqa: E402

if not RELEASE:
    micropython.kbd_intr(3)
