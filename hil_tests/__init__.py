"""The bench: the real firmware on a real MicroPython, a simulated radio, real serial lines, the real daemon and desk.

Owns everything that stands in for the physical world: antenna, button, battery, cable. README.md names its rooms.
Must not be imported by the product (protocol, firmware, edge_daemon).
"""
