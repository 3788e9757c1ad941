# ruff: noqa: ANN001, ANN201, ANN204 - it runs on MicroPython
# mypy: ignore-errors
"""What the accelerometer of a story feels, 50 times a second: something once, then a piece over and over.

Owns the chip's row of samples. Must not know what they mean. Runs on MicroPython. Samples come as x, y, z in mg, two
bytes each, big endian.
"""

from array import array

_KEPT = 170
_SAMPLE = 6
_TICK_MS = 20
_STILL = b"\0\0\0\0\x03\xe8"


class Motion:
    """A tick is one sample; of those that nobody took the last 170 are kept."""

    def __init__(self):
        self.at_ms = 0
        self._row = array("h")
        self._once = b""
        self._at = 0
        self._gait = _STILL
        self._step = 0

    def go_on(self, gait):
        """From now on this, over and over."""
        self._gait, self._step = gait, 0

    def moves(self, once):
        """This now, then what went on before."""
        self._once, self._at = once, 0

    def tick(self):
        """One sample more."""
        self.at_ms += _TICK_MS
        if self._at < len(self._once):
            source, at = self._once, self._at
            self._at += _SAMPLE
        else:
            source, at = self._gait, self._step
            self._step = (at + _SAMPLE) % len(source)
        for i in (0, 2, 4):
            value = source[at + i] << 8 | source[at + i + 1]
            self._row.append(value - 0x10000 if value & 0x8000 else value)
        if len(self._row) > 3 * _KEPT:
            self._row = self._row[-3 * _KEPT :]

    def slept(self, to_ms):
        """It is so late now; since the last tick the chip has kept its row alone."""
        ticks = max(0, (to_ms - self.at_ms) // _TICK_MS)
        self.at_ms = to_ms - _TICK_MS * min(ticks, _KEPT)
        skipped = max(0, ticks - _KEPT)
        ahead = min(skipped, (len(self._once) - self._at) // _SAMPLE)
        self._at += ahead * _SAMPLE
        self._step = (self._step + (skipped - ahead) * _SAMPLE) % len(self._gait)
        for _ in range(ticks - skipped):
            self.tick()

    def read(self, buf):
        """Fill `buf`; how many triples."""
        count = min(len(buf), len(self._row)) // 3
        for i in range(count * 3):
            buf[i] = self._row[i]
        self._row = self._row[3 * count :]
        return count
