"""The simulator's serial line: a tty of the host. write() takes no heap.

Owns the file. Must not know frames. The tty's other end may be closed, broken or not read: nothing here blocks.
"""

import select


class TtyLine:
    """Without a path there is no line. `there`: whether there is one."""

    def __init__(self, path, poll):
        self._file = None
        self._one = bytearray(1)
        if path is not None:
            self._open(path, poll)

    @property
    def there(self):
        return self._file is not None

    def _open(self, path, poll):
        import termios

        self._file = open(path, "r+b")
        termios.setraw(self._file.fileno())
        poll.register(self._file, select.POLLIN)
        self._readable = select.poll()
        self._readable.register(self._file, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self._file, select.POLLOUT)

    def read(self, buf):
        """What waits, at most len(buf) bytes. Byte by byte: this Python's readinto() waits until the buffer is full."""
        count = 0
        while self._file is not None and count < len(buf) and self._has(self._readable, select.POLLIN):
            try:
                if not self._file.readinto(self._one):
                    break
            except OSError:
                break
            buf[count] = self._one[0]
            count += 1
        return count

    def write(self, buf, size):
        """Write buf[:size]; False when nobody has read what was written before, or there is no line."""
        if self._file is None or not self._has(self._writable, select.POLLOUT):
            return False
        try:
            return self._file.write(buf, size) == size
        except OSError:
            return False

    def _has(self, poll, event):
        """Whether this and no hang-up is so now."""
        for _, events in poll.ipoll(0):
            return events == event
        return False
