"""The bench's figures for a person. Owns the words and the columns."""

from __future__ import annotations

from tools.bench.figure import Figure
from tools.messages import Messages


def show(figure: Figure, words: Messages) -> None:
    """Two lines per figure: what it is, then value, ratio and limit."""
    print(words.text(f"bench.{figure.key}"))
    print(
        words.text(
            "bench.line",
            value=_number(figure.value),
            unit=figure.unit,
            ratio=f"{figure.ratio:.2f}",
            limit=_number(figure.limit),
            what=words.text(f"bench.{figure.limit_key}"),
            detail=figure.detail,
        ),
        flush=True,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
