"""Frames of wearables that are not enrolled here: passed on sealed, and the platform's sealed answer passed back.

Owns the rate limit and the way back. Must not know keys: nothing here can be read. Never ahead of the home's own.
"""

from __future__ import annotations

from collections import OrderedDict

from edge_daemon.admission import Unknown
from edge_daemon.counters import Counters
from edge_daemon.heard import Path
from protocol import codes

# Only what somebody may be waiting for. A stranger's heartbeat is its own gateway's business.
_PASSED_ON = (codes.EVENT, codes.HELLO, codes.TRAIL)
# Of the bucket a trail leaves so much to those who call for help.
_LEFT_BY_TRAILS = 0.5
# Ways back that are remembered; a platform answers within seconds.
_WAYS_KEPT = 256


class Strangers:
    """A token bucket over unknown frames, and who asked under which rolling id."""

    def __init__(self, per_s: float, burst: int, counters: Counters) -> None:
        self._per_ms = per_s / 1000
        self._burst = burst
        self._counters = counters
        self._tokens = float(burst)
        self._filled_ms = 0
        self._ways: OrderedDict[bytes, Path] = OrderedDict()

    def may_pass(self, unknown: Unknown, now_ms: int) -> bool:
        """Whether this frame is to go up now. Notes the way back when it is."""
        if unknown.frame_type not in _PASSED_ON:
            self._counters.add("refused_unknown")
            return False
        if unknown.rolling_id in self._ways:
            self._counters.add("refused_repeat")
            return False
        self._tokens = min(self._burst, self._tokens + (now_ms - self._filled_ms) * self._per_ms)
        self._filled_ms = now_ms
        left = self._burst * _LEFT_BY_TRAILS if unknown.frame_type == codes.TRAIL else 0
        if self._tokens < 1 + left:
            self._counters.add("strangers_limited")
            return False
        self._tokens -= 1
        self._ways[unknown.rolling_id] = unknown.heard.path
        if len(self._ways) > _WAYS_KEPT:
            self._ways.popitem(last=False)
        self._counters.add("strangers_passed_on")
        return True

    def answer(self, rolling_id: bytes, frame: bytes) -> bool:
        """Send the platform's frame to whoever asked under this id; False when nobody did."""
        path = self._ways.get(rolling_id)
        if path is None:
            return False
        path.send(frame)
        self._counters.add("stranger_answers_sent")
        return True
