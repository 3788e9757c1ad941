"""The type of what a sub-command registers itself with."""

from __future__ import annotations

import argparse
from typing import TypeAlias

# argparse's own class has no public name, and only type checkers can subscript it.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
