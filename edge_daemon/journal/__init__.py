"""The journal: every alarm and every counter window, on disk before anybody is told. Start at journal.py."""

from edge_daemon.journal.journal import Journal

__all__ = ["Journal"]
