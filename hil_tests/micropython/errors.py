"""What can go wrong while an interpreter is made."""

from __future__ import annotations


class BuildFailed(Exception):
    """No interpreter: the message says which step failed and ends with what that step printed last."""
