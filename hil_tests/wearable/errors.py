"""What can go wrong with a wearable on the bench."""

from __future__ import annotations


class WearableFailed(Exception):
    """It crashed, did not start, or did not do in time what was waited for; the message ends with its log."""
