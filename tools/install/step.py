"""A list of steps, carried out, told, or taken back. Owns the order and when a step is skipped.

Each step says itself what it would do now (`wanted`) by looking at the machine, never at a note of an earlier run: so
a second run does what the first left, whatever ended that. Must not know what the steps do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

GATEWAY = "gateway"


@dataclass(frozen=True)
class Act:
    """One thing that changes the machine. `key` is a catalogue key, `names` what the sentence names."""

    key: str
    names: dict[str, str]


def act(key: str, /, **names: object) -> Act:
    """An act; what it names becomes text."""
    return Act(f"install.act.{key}", {name: str(value) for name, value in names.items()})


def _nothing() -> list[Act]:
    return []


def _not_undone() -> None:
    return


@dataclass(frozen=True)
class Step:
    """`wanted`: the acts that are missing now; `do` does them. `present`: what `undo` would take away."""

    name: str
    wanted: Callable[[], list[Act]]
    do: Callable[[], None]
    present: Callable[[], list[Act]] = _nothing
    undo: Callable[[], None] = _not_undone


class Teller(Protocol):
    """The part of tools.kit.telling that is needed here."""

    def begin(self, of: str, step: str) -> None: ...  # noqa: D102
    def end(self, of: str, step: str, state: str = "done", reason: str = "", **facts: Any) -> None: ...  # noqa: D102


def carry_out(steps: Sequence[Step], teller: Teller) -> int:
    """Do what is missing, in order. Returns how many acts that were; zero: everything was as it should be."""
    return sum(_one(teller, step.name, step.wanted, step.do) for step in steps)


def take_back(steps: Sequence[Step], teller: Teller) -> int:
    """Undo what is there, last step first. Returns how many acts that were."""
    undone = [step for step in reversed(steps) if step.undo is not _not_undone]
    return sum(_one(teller, step.name, step.present, step.undo) for step in undone)


def _one(teller: Teller, name: str, acts: Callable[[], list[Act]], do: Callable[[], None]) -> int:
    missing = acts()
    if not missing:
        teller.end(GATEWAY, name, "skipped")
        return 0
    teller.begin(GATEWAY, name)
    do()
    teller.end(GATEWAY, name, "done", acts=len(missing))
    return len(missing)


def tell(steps: Sequence[Step], teller: Teller, *, undo: bool = False) -> int:
    """Say each act and do none. Returns how many there are.

    What a step would find only after the ones before it have been done is told as far as it can be seen now.
    """
    count = 0
    for step in reversed(steps) if undo else steps:
        acts = step.present() if undo else step.wanted()
        for one in acts:
            teller.end(GATEWAY, step.name, "would", one.key, **one.names)
        count += len(acts)
    return count
