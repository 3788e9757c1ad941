"""A bench of boards and the computer they are plugged into: what a test, or a demonstration of the kit, needs.

Owns the places and the environment in which programs find the boards. Must not know what the programs do.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from hil_tests.board.board import Board, Kind
from hil_tests.board.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
SMALL_BOARDS = Path(__file__).parent / "small" / "boards.toml"
_HOST = Path(__file__).parent / "host"
_WITHIN_S = 120.0


class Bench(contextlib.ExitStack):
    """Boards under `directory` (keep it short: a socket's path is). Leaving it pulls and ends them all."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.registry = directory / "usb"
        self.registry.mkdir(parents=True, exist_ok=True)
        # A board of the bench is there or gone, but it shares the processor with the computer it is plugged into.
        waits = {"connect_attempts": 2, "timeout": 20, "sync_timeout": 1, "serial_write_timeout": 20}
        lines = [f"{name} = {value}" for name, value in waits.items()]
        (directory / "esptool.cfg").write_text("\n".join(["[esptool]", *lines, ""]))

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def environment(self) -> dict[str, str]:
        """For every program that is to see the boards."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_HOST), str(ROOT)]),
            "PINGAN_BENCH_PORTS": str(self.registry),
            "ESPTOOL_CFGFILE": str(self.directory / "esptool.cfg"),
            "HOME": str(self.directory / "home"),
            "LANG": "C.UTF-8",
        }

    def board(self, name: str, kind: Kind, faults: Faults | None = None) -> Board:
        """A board, plugged in."""
        return self.enter_context(Board(self.directory / name, self.registry, kind, faults))

    def pingan(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """The command, ended within two minutes."""
        command = [sys.executable, "-m", "tools.cli", *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
