"""Nothing to prepare: the stand-in for the firmware is main.py."""
