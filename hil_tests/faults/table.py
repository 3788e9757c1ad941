"""The table of a campaign run, and what stands below it. Owns the words; must not know how campaigns are run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hil_tests.faults.runner import Verdict

_HEAD = ("campaign", "what is hurt", "hurts", "lost", "twice", "wrong", "took", "verdict", "figures")
_RIGHT = ("hurts", "lost", "twice", "wrong", "took")
# So many of each kind are told in full; a fault that shows a thousand times is one fault.
_TOLD_MOST = 20


def table(verdicts: Iterable[Verdict]) -> str:
    """One line each. The last column is as wide as it is: no terminal's width cuts a figure off."""
    rows = [_HEAD, *(_row(verdict) for verdict in verdicts)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD) - 1)] + [0]
    rule = tuple(("-" * max(1, width - 1) + ":") if name in _RIGHT else "-" * max(width, 3) for name, width in
                 zip(_HEAD, widths, strict=True))  # fmt: skip
    return "\n".join(_line(row, widths) for row in (rows[0], rule, *rows[1:]))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if name in _RIGHT else text.ljust(width)
        for name, text, width in zip(_HEAD, row, widths, strict=True)
    ]
    return f"| {' | '.join(cells)} |"


def _row(verdict: Verdict) -> tuple[str, ...]:
    outcome = verdict.outcome
    found = (outcome.lost, outcome.twice, outcome.wrong)
    ran = not verdict.skipped and not verdict.broke
    counts = tuple(str(len(one)) for one in found) if ran else ("-",) * 3
    figures = "; ".join(f"{name}: {value}" for name, value in outcome.figures.items())
    return (
        verdict.campaign.name,
        verdict.campaign.hurt,
        f"{outcome.count:,}" if ran else "-",
        *counts,
        took(verdict.took_s),
        _word(verdict),
        figures or (f"not run: {verdict.skipped}" if verdict.skipped else ""),
    )


def _word(verdict: Verdict) -> str:
    if verdict.skipped:
        return "skipped"
    if verdict.broke:
        return "BROKE"
    return "passed" if verdict.passed else "FAILED"


def took(seconds: float) -> str:
    """Seconds as a person reads them."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def details(verdict: Verdict) -> str:
    """All that a failed campaign has to say, and how to run it again."""
    parts = [f"{verdict.campaign.name}: {verdict.campaign.hurt}"]
    for name in ("lost", "twice", "wrong"):
        told: list[str] = getattr(verdict.outcome, name)
        parts += [f"  {name}: {one}" for one in told[:_TOLD_MOST]]
        if len(told) > _TOLD_MOST:
            parts.append(f"  {name}: and {len(told) - _TOLD_MOST} more")
    if verdict.broke:
        parts += [f"  {line}" for line in verdict.broke.splitlines()]
    elif verdict.failed and not verdict.outcome.count:
        parts.append("  it hurt nothing at all")
    factor = verdict.asked / verdict.campaign.short
    again = f"--only {verdict.campaign.name} --n {factor:g} --seed {verdict.seed}"
    return "\n".join([*parts, f"  again: python -m hil_tests.faults {again}"])
