"""The type of what a sub-command registers itself with."""

from __future__ import annotations

import argparse

# argparse's own class has no public name.
Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001
