"""Bodies into sealed frames, each under a counter of its own, and those counters remembered as questions.

Owns the frame buffers and the last four questions. Must not know links or schedules. Nothing here but report() takes
heap. Callers see to it that only one of them is in here at a time (alarm_path.py).
"""

from array import array

from protocol import codes
from protocol.frame import BODY_AT, OVERHEAD, UpSealer
from protocol.messages import EVENT_SIZE, HELLO_SIZE, pack_event, pack_hello

# An answer to one of so many last questions is taken (protocol/README.md).
QUESTIONS = 4
_AIR_SIZE = OVERHEAD + EVENT_SIZE
# The wire has room for battery voltage (2 bytes) and exact age (4), two bytes of TLV head each.
_WIRE_SIZE = _AIR_SIZE + 4 + 6


class Envelope:
    """`air` holds the last frame for radio, `wire` the last one for the serial line, of wire_size bytes."""

    def __init__(self, keys, counter):
        self._sealer = UpSealer(keys.up, keys.id)
        self._counter = counter
        self._questions = array("i", [-1] * QUESTIONS)
        self._oldest = 0
        self.air = bytearray(_AIR_SIZE)
        self.wire = bytearray(_WIRE_SIZE)
        # What a frame says of the battery, kept up to date by the battery's owner.
        self.battery_nibble = codes.BATTERY_UNKNOWN
        self.battery_mv = 0

    def event_for_air(self, alarm, now_ms):
        """Seal an event of 7 bytes into `air`."""
        self._put_event(self.air, alarm, now_ms)
        self._seal(codes.EVENT, self.air, EVENT_SIZE)

    def event_for_wire(self, alarm, now_ms):
        """Seal an event with all we know into `wire`; returns the frame's size."""
        at = BODY_AT + self._put_event(self.wire, alarm, now_ms)
        if self.battery_mv:
            at = self._put_tlv(at, codes.TLV_BATTERY_MV, 2, self.battery_mv)
        if alarm.age_known:
            at = self._put_tlv(at, codes.TLV_AGE_MS, 4, max(0, now_ms - alarm.raised_ms))
        return self._seal(codes.EVENT, self.wire, at - BODY_AT)

    def hello(self, flags, number, stage, open_alarms):
        """Seal a hello into `air`."""
        pack_hello(self.air, BODY_AT, flags, number, stage, self.battery_nibble, open_alarms)
        self._seal(codes.HELLO, self.air, HELLO_SIZE)

    def report(self, frame_type, body):
        """Seal a heartbeat or a result; returns the frame as bytes."""
        buf = bytearray(OVERHEAD + len(body))
        buf[BODY_AT : BODY_AT + len(body)] = body
        self._seal(frame_type, buf, len(body))
        return bytes(buf)

    def answered(self, counter):
        """Somebody has opened the frame of this counter."""
        self._counter.answered(counter)

    def widen(self):
        """Nobody answers. No heap."""
        self._counter.widen()

    def last_question(self):
        """The counter of the newest frame sealed."""
        return self._questions[(self._oldest + QUESTIONS - 1) % QUESTIONS]

    def questions(self):
        """The last counters, newest first; for whoever opens an answer. May allocate."""
        newest_first = [self._questions[(self._oldest - 1 - i) % QUESTIONS] for i in range(QUESTIONS)]
        return [counter for counter in newest_first if counter >= 0]

    def _put_event(self, buf, alarm, now_ms):
        return pack_event(buf, BODY_AT, alarm.kind, alarm.number, alarm.age(now_ms), self.battery_nibble, alarm.detail)

    def _put_tlv(self, at, tag, size, value):
        """protocol.messages.pack_tlv without its slice, which would be an object on the heap."""
        wire = self.wire
        wire[at] = tag
        wire[at + 1] = size
        for i in range(size):
            wire[at + 2 + i] = (value >> (8 * (size - 1 - i))) & 0xFF
        return at + 2 + size

    def _seal(self, frame_type, buf, body_size):
        counter = self._counter.take()
        self._questions[self._oldest] = counter
        self._oldest = (self._oldest + 1) % QUESTIONS
        return self._sealer.seal(frame_type, counter, buf, body_size)
