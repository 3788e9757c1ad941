"""The home gateway: hears wearables, keeps every alarm on disk, forwards it until the platform has it.

Start reading at pipeline.py. This package must not know tools/, and never prints to a person: it logs JSON lines and
raises errors that carry a message key.
"""

__version__ = "0.1.0"
