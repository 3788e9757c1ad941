"""`pingan factory-test`: every part of a wearable, on the cable, before it gets an identity."""

from tools.factory.command import register, run

__all__ = ["register", "run"]
