"""Who watches whom: what is overdue, what is about to end, and that the gateway itself moves."""

from typing import Protocol


class Watch(Protocol):
    """Looks for ever, and tells of what it finds (faults.py)."""

    async def run(self) -> None:
        """Look for ever."""
