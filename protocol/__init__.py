"""Protocol v1 between wearable, gateway and platform: bytes in, messages out.

Owns: the layout, the sealing and the meaning of every byte on the air, on GATT and on the serial line.
Must not know: clocks, sockets, files, randomness. Time, nonces and bytes come in as arguments.
The same files run on MicroPython and CPython. The specification is README.md beside this file.
"""

VERSION = 1
