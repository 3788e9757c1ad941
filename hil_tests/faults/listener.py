"""What the daemon's parts log in this process. Owns the entries; must not know which of them are a fault."""

from __future__ import annotations

import logging
from typing import Any


class Listener(logging.Handler):
    """`entries`: of errors, as those of the daemon's own log would be."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.entries: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.entries.append({"level": record.levelname.lower(), "log": record.getMessage(), "room": record.name})
