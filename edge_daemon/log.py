"""Structured logs: one JSON object per line on stderr. Owns the format; callers own what may be said.

No secret and no personal data goes into a field: handles and event ids are pseudonyms, frames are not logged.
"""

from __future__ import annotations

import json
import logging
import sys

from edge_daemon.clock import iso


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "t": iso(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "room": record.name,
            "log": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        # In ASCII: what a peer or a driver says may hold anything, and a line must not break on it.
        return json.dumps(line, default=str)


def set_up(level: str) -> None:
    """Send every logger's records to stderr as JSON lines, from `level` (DEBUG, INFO, WARNING, ERROR) up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The libraries' chatter at INFO is not ours to explain.
    for name in ("aiosqlite", "asyncio", "bleak", "bleak_retry_connector", "bumble"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It calls a broken connection an error, and writes a trace for what a broker made up: uplink_failed says it all.
    logging.getLogger("aiomqtt").setLevel(logging.CRITICAL)


class Log:
    """A module's log: `log.info("event_stored", event=..., ms=...)`. The first word is a stable name."""

    def __init__(self, room: str) -> None:
        self._logger = logging.getLogger(room)

    def debug(self, name: str, **fields: object) -> None:
        """For whoever looks for a fault."""
        self._logger.debug(name, extra={"fields": fields})

    def info(self, name: str, **fields: object) -> None:
        """What a healthy day looks like."""
        self._logger.info(name, extra={"fields": fields})

    def warning(self, name: str, **fields: object) -> None:
        """Something failed and will be tried again."""
        self._logger.warning(name, extra={"fields": fields})

    def error(self, name: str, exc: BaseException | None = None, **fields: object) -> None:
        """Something a person must look at; `exc` adds its trace."""
        self._logger.error(name, exc_info=exc, extra={"fields": fields})
