"""Telemetry: what wearables say when nothing is wrong. Apart from alarms, on disk too; start at telemetry.py."""

from edge_daemon.telemetry.telemetry import Telemetry

__all__ = ["Telemetry"]
