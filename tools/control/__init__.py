"""Talking to a running gateway by its control socket (edge_daemon/control/README.md)."""
