"""A stand-in for a BMA423 on its bus: registers, a FIFO of frames that forgets the oldest, an interrupt line.

Owns what the data sheet says of these. Sampling goes on by feed(), as the chip's own clock would do it.
"""

FRAME = 6
FIFO_BYTES = 1024


class Accelerometer:
    """Bus and chip in one: readfrom_mem_into, writeto_mem. `line`: INT1 is pulled."""

    def __init__(self, chip_id=0x13):
        self.registers = bytearray(256)
        self.registers[0x00] = chip_id
        self.registers[0x7C] = 0x03
        self.fifo = []
        self.latched = False
        self.broken = False
        self.writes = 0
        self.asleep_reads = 0

    @property
    def line(self):
        """INT1 pulled low: the output is on and active low, and a mapped interrupt is latched."""
        return bool(self.registers[0x53] & 0x0A == 0x08 and self.registers[0x58] & 0x02 and self.latched)

    def feed(self, samples):
        """Sampled: triples in units of 8 g / 2^15."""
        if not self.registers[0x7D] & 0x04 or not self.registers[0x49] & 0x40:
            return
        for sample in samples:
            frame = bytearray()
            for value in sample:
                frame += (value & 0xFFF0).to_bytes(2, "little")
            self.fifo.append(bytes(frame))
        while len(self.fifo) * FRAME > FIFO_BYTES:
            self.fifo.pop(0)
        self._look()

    def _look(self):
        watermark = self.registers[0x46] | self.registers[0x47] << 8
        if watermark and len(self.fifo) * FRAME >= watermark:
            self.latched = True

    def readfrom_mem_into(self, address, register, buf):
        """As the chip answers a burst."""
        self._there(address)
        if register == 0x26:
            self._read_fifo(buf)
            return
        size = len(self.fifo) * FRAME
        self.registers[0x24], self.registers[0x25] = size & 0xFF, size >> 8
        for i in range(len(buf)):
            buf[i] = self.registers[register + i]
        if register == 0x1D:
            self.latched = False
            self._look()

    def _read_fifo(self, buf):
        if self.registers[0x7C] & 0x01:
            self.asleep_reads += 1
        for i in range(len(buf)):
            frame = i // FRAME
            buf[i] = self.fifo[frame][i % FRAME] if frame < len(self.fifo) else 0x80
        del self.fifo[: len(buf) // FRAME]

    def writeto_mem(self, address, register, buf):
        """As the chip takes a burst."""
        self._there(address)
        self.writes += 1
        for i in range(len(buf)):
            self.registers[register + i] = buf[i]
        if register == 0x7E and buf[0] == 0xB0:
            self.fifo = []
        if register in (0x46, 0x47):
            self._look()

    def _there(self, address):
        if self.broken or address != 0x19:
            raise OSError(19)
