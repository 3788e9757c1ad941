"""`pingan label`: the code on a wearable's back, and the label that carries it."""

from tools.label.command import register, run

__all__ = ["register", "run"]
