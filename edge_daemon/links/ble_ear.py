"""Whether the adapter hears, is in a quiet house, or is deaf. Pure: time is handed in, nothing is done about it.

Owns the evidence. A deaf adapter that is called quiet costs a life; a quiet house that is called deaf every hour is not
believed when it matters. So silence alone is `quiet`, and `deaf` is one of three:

- a crowd has gone at once: ten sources or more, each heard for a minute, within two minutes of the last sound;
- the silence is two and a half times the longest that ended by itself in the last eight days of listening, of which
  one at least is known;
- in a place not known yet, two heartbeats of a wearable have failed to come, whoever's.

No place is quiet for more than four hours: by then a wearable itself counts as missing (DESIGN section 6).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from edge_daemon.links.ble_history import History


@dataclass(frozen=True)
class EarLimits:
    """Seconds, but for the counts."""

    # A visitor brings telephone, watch, earphones, a computer, each of which may change its address: eight. Ten
    # sources live here, and do not leave within two minutes of each other.
    crowd: int = 10
    crowd_within_s: float = 120.0
    # Who passes by, or makes up an address for each advertisement, is not of the crowd.
    crowd_stays_s: float = 60.0
    # What a day has shown is believed; an hour has seen one visitor only. A heartbeat lost makes the silence twice as
    # long as ever, and is no deafness.
    hours_known: int = 24
    factor: float = 2.5
    # A wearable says that it lives every 30 min: one is waited for, two are missed.
    heartbeat_s: float = 1800.0 + 300.0
    unknown_s: float = 2 * 1800.0 + 300.0
    most_s: float = 4 * 3600.0
    # What is heard so soon after a remedy is its doing.
    cured_within_s: float = 15.0
    # Longer between two ticks, and it was us who were away: a suspended machine, a starved process.
    away_s: float = 10.0


_SOURCES_MOST = 64


class Ear:
    """`silent_s`: how long nothing may be heard before it is noticed. `expects`: whether wearables are enrolled."""

    def __init__(self, silent_s: float, expects: bool, history: History, limits: EarLimits, now_ms: int) -> None:
        self._silent_s = silent_s
        self._expects = expects
        self._history = history
        self._limits = limits
        self._since_ms = self._tick_ms = self._sound_ms = now_ms
        self._remedy_ms: int | None = None
        # Address -> when first, when last.
        self._sources: OrderedDict[str, tuple[int, int]] = OrderedDict()
        # The silence under way does not count as this place's: the scan was down, or we were away.
        self._spoilt = True
        self.count = 0

    def expect(self, expects: bool) -> None:
        """Whether wearables are enrolled now."""
        self._expects = expects

    def heard(self, now_ms: int, source: str | None) -> None:
        """Something came from the air; `source` its address, None for what shall not count for a crowd."""
        gap_s = (now_ms - self._since_ms) / 1000
        if not self._spoilt and now_ms - self._tick_ms <= self._limits.away_s * 1000 and self._natural(now_ms, gap_s):
            self._history.learn(gap_s)
        self.count += 1
        self._spoilt = False
        self._since_ms = self._sound_ms = now_ms
        self._remedy_ms = None
        if source is not None:
            self._sources[source] = self._sources.get(source, (now_ms, now_ms))[0], now_ms
            self._sources.move_to_end(source)
            if len(self._sources) > _SOURCES_MOST:
                self._sources.popitem(last=False)

    def _natural(self, now_ms: int, gap_s: float) -> bool:
        """Whether a silence ended by itself; one that a remedy ended, or that a whole crowd began, was none."""
        if gap_s < self._silent_s:
            return True
        after_remedy = self._remedy_ms is not None and now_ms - self._remedy_ms <= self._limits.cured_within_s * 1000
        return not self.crowd_gone and not (after_remedy and gap_s > self._history.longest_s)

    def remedy(self, now_ms: int) -> None:
        """Something was done for the adapter just now."""
        self._remedy_ms = now_ms

    def forget_crowd(self) -> None:
        """The sources heard so far were perhaps one hostile radio."""
        self._sources.clear()

    def tick(self, now_ms: int, listening: bool) -> bool:
        """To be called every second or so. True when the history should be saved."""
        passed_s = (now_ms - self._tick_ms) / 1000
        self._tick_ms = now_ms
        if not listening or passed_s > self._limits.away_s:
            self._since_ms = now_ms
            self._spoilt = True
            return False
        return self._history.listen(passed_s)

    def silence_s(self, now_ms: int) -> float:
        """How long it has listened and heard nothing."""
        return (now_ms - self._since_ms) / 1000

    def quiet(self, now_ms: int) -> bool:
        """Whether nothing was heard for a while that deserves notice."""
        return self.silence_s(now_ms) >= self._silent_s

    def deaf(self, now_ms: int) -> str:
        """What says that it is deaf; "" while nothing does."""
        if not self.quiet(now_ms):
            return ""
        if self.crowd_gone:
            return "crowd_gone"
        silence_s = self.silence_s(now_ms)
        if not self._expects or silence_s < self.allowed_s:
            return ""
        return "longer_than_ever" if self._known else "no_heartbeat"

    @property
    def allowed_s(self) -> float:
        """How long this place may be silent."""
        limits = self._limits
        if not self._known:
            return max(limits.unknown_s, self._silent_s)
        return max(self._silent_s, min(limits.factor * self._history.longest_s, limits.most_s))

    @property
    def usual_s(self) -> float:
        """So long a wait is needed here before a cure can be told from none."""
        most_s = min(self._limits.heartbeat_s, self._limits.unknown_s)
        return min(self._history.longest_s, most_s) if self._known else most_s

    @property
    def _known(self) -> bool:
        return self._history.hours >= self._limits.hours_known

    @property
    def crowd_gone(self) -> bool:
        """Whether many were heard shortly before the last sound; while it is silent, that they all went at once."""
        earliest_ms = self._sound_ms - self._limits.crowd_within_s * 1000
        stays_ms = self._limits.crowd_stays_s * 1000
        crowd = [last for first, last in self._sources.values() if last >= earliest_ms and last - first >= stays_ms]
        return len(crowd) >= self._limits.crowd
