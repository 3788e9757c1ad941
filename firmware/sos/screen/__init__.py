"""The watch's face: what the wearer reads and taps. A part of the application (../parts.py); start at part.py.

Owns pixels and taps. Guarantees: it shows nothing that the application did not say, takes nothing for an SOS but two
taps on red, and never stands in an alarm's way. Must not know boards, radios or flash.
"""
