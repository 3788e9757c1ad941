"""The desk's store: incidents once each, reports, actions, news, gateways, faults. Start reading at store.py."""

from tools.desk.store.store import Store

__all__ = ["Store"]
