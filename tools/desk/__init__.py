"""The desk: the reference platform end, for a demo, for acceptance and for one service centre.

Owns receiving, storing, answering and showing incidents by the contract in protocol/platform/. Must not know radios,
gateways' insides or links: it sees nothing but MQTT messages and an operator's browser. desk.py puts it together.
"""

from tools.desk.command import register

__all__ = ["register"]
