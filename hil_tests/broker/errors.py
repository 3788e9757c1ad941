"""What can go wrong with the bench's broker."""

from __future__ import annotations


class BrokerFailed(Exception):
    """There is no mosquitto, or it did not start or stop in time; the message says which and ends with its own log."""
