"""`pingan provision`: a board gets its identity, the platform its record. README.md says what each cut leaves."""

from tools.provision.command import register, run

__all__ = ["register", "run"]
