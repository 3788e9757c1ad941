"""For all tests, of both folders: what they are run from must not be told by how they end.

Owns that alone. A shell that starts something in the background has it ignore Ctrl-C, and so does all that it starts:
tests that press Ctrl-C would wait for ever.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
