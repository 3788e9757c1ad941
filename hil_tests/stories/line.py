"""One JSON object per line over a unix socket, in order: how the air of a story and its gateways talk. Owns that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

Word = dict[str, Any]


class Line:
    """Either end. `tell` never blocks; `words` ends when the other end has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def tell(self, **word: Any) -> None:
        """Say this."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(word).encode() + b"\n")

    async def words(self) -> AsyncIterator[Word]:
        """What the other end says."""
        while line := await self._reader.readline():
            yield json.loads(line)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
