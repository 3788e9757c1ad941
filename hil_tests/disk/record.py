"""The log of the hostile disk: one Record for each change, sync and promise, in order. Owns its layout.

Operations: C(reated file), D(irectory made), U(nlinked), R(enamed to path2), W(ritten), T(runcated to size),
S(ynced: file or directory), F(ailed sync), M(ark: what was told or promised), X (something that cannot be followed).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("=cxxxiiiqq")


class NotFollowed(Exception):
    """The program did something to its files that the log cannot say: no image made of it would be true."""


@dataclass(frozen=True, slots=True)
class Record:
    """`path` is below the disk's directory, "" for itself; of a mark it is the terminal, "" for the program's own."""

    op: str
    path: str = ""
    path2: str = ""
    error: int = 0
    offset: int = 0
    size: int = 0
    data: bytes = b""

    def packed(self) -> bytes:
        """As it stands in the log."""
        paths = self.path.encode(), self.path2.encode()
        head = _HEADER.pack(self.op.encode(), len(paths[0]), len(paths[1]), self.error, self.offset, self.size)
        return head + paths[0] + paths[1] + self.data


def read(log: Path) -> list[Record]:
    """All that is whole: a process that was killed may have left half a record, which is always the last."""
    data = log.read_bytes() if log.exists() else b""
    records = []
    at = 0
    while at + _HEADER.size <= len(data):
        op, path, path2, error, offset, size = _HEADER.unpack_from(data, at)
        begin = at + _HEADER.size
        end = begin + path + path2 + (size if op in b"WM" else 0)
        if end > len(data):
            break
        names = data[begin : begin + path].decode(), data[begin + path : begin + path + path2].decode()
        records.append(Record(op.decode(), *names, error, offset, size, data[begin + path + path2 : end]))
        if op == b"X":
            raise NotFollowed(str(records[-1]))
        at = end
    return records
