"""AES block calls per frame, counted, against what the mode of operation needs at least.

Owns the counting and the least: CCM (RFC 3610) over a body of b bytes and additional data of a bytes takes
1 + ceil((a + 2) / 16) + ceil(b / 16) blocks for the MAC, ceil(b / 16) for the keystream and 1 for the tag; the rolling
id takes one more.
"""

from __future__ import annotations

from math import ceil

from protocol import ccm, codes, frame, messages, rolling
from protocol.aes import Block
from tools.bench.figure import Figure


class _Counted:
    """A Block that counts."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self.blocks = 0

    def encrypt(self, source: bytearray, target: bytearray) -> None:
        self.blocks += len(source) // 16
        self._block.encrypt(source, target)


def measure() -> list[Figure]:
    """One figure: a press as it goes into one advertisement."""
    sealer = frame.UpSealer(bytes(16), bytes(16))
    counted = [_count(sealer._ccm, "_block"), _count(sealer._ids, "_aes")]  # noqa: SLF001 # the bench looks inside
    buf = bytearray(frame.OVERHEAD + messages.EVENT_SIZE)
    messages.pack_event(buf, frame.BODY_AT, codes.SOS, 1, 0, codes.BATTERY_UNKNOWN, codes.HOLD)
    sealer.seal(codes.EVENT, 1, buf, messages.EVENT_SIZE)
    body = ceil(messages.EVENT_SIZE / 16)
    least = 1 + ceil((frame.BODY_AT + 2) / 16) + 2 * body + 1 + 1
    return [Figure("aes_per_press", sum(block.blocks for block in counted), "aes_least", least, "blocks")]


def _count(owner: ccm.Ccm | rolling.RollingIds, name: str) -> _Counted:
    counted = _Counted(getattr(owner, name))
    setattr(owner, name, counted)
    return counted
