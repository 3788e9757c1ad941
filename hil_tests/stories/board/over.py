# ruff: noqa: ANN001, ANN204 - it runs on MicroPython
# mypy: ignore-errors
"""How a run of the application ends on the board of a story. Runs on MicroPython."""

# As boards/contract.py names causes of a start; CUT and THE_END (of the story) are nobody's start.
POWER_ON, DEEP_SLEEP, SOFT, FAULT, CUT, THE_END = 1, 4, 5, 7, -1, -2


class Over(BaseException):
    """This run has ended; `how`: DEEP_SLEEP, SOFT, CUT or THE_END. No application catches it."""

    def __init__(self, how):
        super().__init__(how)
        self.how = how
