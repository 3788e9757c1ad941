"""A port for a server that is started later, stopped and started again. Owns the choice.

Not one of those that the kernel gives to whoever connects anywhere (32768 and up): while our server is away, another
test's connection would sit on its port, the more so where several workers run tests at once.
"""

from __future__ import annotations

import secrets
import socket

_FIRST, _COUNT = 20_000, 12_000


def free_port() -> int:
    """A TCP port on 127.0.0.1 at which nobody listens now."""
    while True:
        port = _FIRST + secrets.randbelow(_COUNT)
        with socket.socket() as probe:
            # As a server does: connections that have just ended are nobody's.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
