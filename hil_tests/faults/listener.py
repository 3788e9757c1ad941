"""What the daemon's parts log in this process. Owns the entries; must not know which of them are a fault."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator
from typing import Any


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.entries: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        entry = {"level": record.levelname.lower(), "log": record.getMessage(), "room": record.name}
        if record.exc_info:
            entry["error"] = str(record.exc_info[1])
        self.entries.append(entry)


@contextlib.contextmanager
def listening() -> Iterator[list[dict[str, Any]]]:
    """The errors, as entries of the daemon's own log would be; the list grows while it is listened."""
    # A future whose exception nobody read complains when it is collected, whenever that is: dbus-fast leaves one behind
    # at each call on a bus that was killed. Who ran in this process before is not what is listened to.
    gc.collect()
    listener, root = _Listener(), logging.getLogger()
    root.addHandler(listener)
    try:
        yield listener.entries
    finally:
        root.removeHandler(listener)
