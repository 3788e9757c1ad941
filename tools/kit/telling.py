"""How a command of the kit tells what it does: bars on a terminal, plain lines elsewhere, JSON lines for scripts.

Owns the three shapes; README.md documents the JSON. Must not know what a step does. Safe to call from several threads:
each device has its worker. A step that has begun is ended, by whatever ends it: an open one would be a lie.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from tools.messages import Messages

WHOLE = "all"
STATES = ("begun", "done", "failed", "skipped", "would", "refused", "stopped")
_GOOD = ("done", "skipped", "would")
_BAR_WIDTH = 20
# A port may be named by its whole path below /dev/serial/by-id; its end tells it from the others.
_OF_MOST = 26


class Telling:
    """Tells one run of `command` about its devices. Use as a context: the bars end with it.

    `of` names a device as the technician does: its port, its label code. Steps are named by catalogue keys
    `<command>.step.<step>`; `reason` is a catalogue key, whose names are among the facts.
    """

    def __init__(self, command: str, words: Messages, *, as_json: bool = False) -> None:
        self._command = command
        self._words = words
        self._as_json = as_json
        self._lock = threading.Lock()
        self._begun_s: dict[tuple[str, str], float] = {}
        self._bars: dict[str, TaskID] = {}
        self._console = Console(file=sys.stdout, highlight=False)
        self._progress: Progress | None = None
        if not as_json and self._console.is_terminal:
            columns = (
                TextColumn("{task.fields[of]}", markup=False),
                BarColumn(_BAR_WIDTH),
                TextColumn("{task.description}", markup=False),
            )
            self._progress = Progress(*columns, console=self._console)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def begin(self, of: str, step: str) -> None:
        """A step of a device begins."""
        with self._lock:
            self._begun_s[of, step] = time.monotonic()
            if self._as_json:
                self._say(of, step, "begun")
            elif self._progress is not None:
                bar = self._bar(self._progress, of)
                self._progress.update(bar, description=self._step(step), completed=0, total=None)

    def part(self, of: str, step: str, done: float, whole: float) -> None:
        """So much of a step is done; only a bar shows it."""
        if self._progress is not None:
            with self._lock:
                bar = self._bar(self._progress, of)
                self._progress.update(bar, description=self._step(step), completed=done, total=whole)

    def end(self, of: str, step: str, state: str = "done", reason: str = "", **facts: Any) -> None:
        """A step ended (or, without begin, was skipped or would be done). `facts` go into the JSON and the sentence."""
        with self._lock:
            begun_s = self._begun_s.pop((of, step), None)
            took = {} if begun_s is None else {"took_s": round(time.monotonic() - begun_s, 3)}
            if self._as_json:
                self._say(of, step, state, **took, **({"reason": reason} if reason else {}), **facts)
                return
            text = self._step(step) if step != WHOLE else ""
            said = [text, self._words.text(f"kit.state.{state}"), self._words.text(reason, **facts) if reason else ""]
            line = f"{of}  " + "  ".join(part for part in said if part)
            if self._progress is not None:
                bar = self._bar(self._progress, of)
                if step == WHOLE:
                    self._progress.update(bar, description=said[1], completed=1, total=1)
                else:
                    # The next step may be long in coming: until then nobody is to do what has been done, or left out.
                    self._progress.update(bar, description=f"{text}  {said[1]}")
                if state not in _GOOD or step == WHOLE:
                    self._progress.console.print(line, markup=False)
            else:
                # A line a step, whatever its length: it may be read by a program.
                self._console.print(line, markup=False, soft_wrap=True)

    def verdict(self, of: str, state: str, reason: str = "", **facts: Any) -> None:
        """How it ended for a device: the last that is said of it. Steps still open end the same way."""
        with self._lock:
            still_open = [step for device, step in self._begun_s if device == of]
        for step in still_open:
            self.end(of, step, state)
        self.end(of, WHOLE, state, reason, **facts)

    def _say(self, of: str, step: str, state: str, **facts: Any) -> None:
        row = {"v": 1, "command": self._command, "of": of, "step": step, "state": state}
        # A sentence may have a name of its own that is one of these five; what a script reads first wins.
        row |= {name: value for name, value in facts.items() if name not in row}
        print(json.dumps(row, ensure_ascii=False, default=str), flush=True)

    def _bar(self, progress: Progress, of: str) -> TaskID:
        if of not in self._bars:
            short = of if len(of) <= _OF_MOST else "…" + of[1 - _OF_MOST :]
            self._bars[of] = progress.add_task("", total=None, of=short)
        return self._bars[of]

    def _step(self, step: str) -> str:
        return self._words.text(f"{self._command}.step.{step}")
