"""When what goes on the air. Pure: alarms and `now_ms` in, decisions out; takes no heap.

Owns bursts, gaps and questions; must not know radios. For an alarm that no gateway has: at once, then gaps of 1 s
doubling to 30 s, for ever (DIN VDE V 0825-1: cycle at most 1 min). For one that is stored: questions after 2 s,
doubling to 30 s, until it is over or a day has gone.
"""

from .stages import ACCEPTED_RANK, rank

# A burst is heard by any scanner with a duty cycle worth having; its tail keeps the wearable connectable, at its
# present address, for a gateway that heard only the last of it.
BURST_MS = 1000
TAIL_MS = 3000
# A fresh alarm goes out at 30 ms (the quickest that costs a coin of battery only once), what repeats at 100 ms.
FRESH_INTERVAL_MS = 30
INTERVAL_MS = 100
GAP_FIRST_MS = 1000
GAP_MOST_MS = 30000
ASK_FIRST_MS = 2000
ASK_MOST_MS = 30000
# Once the platform has it and ten minutes have gone, news are no longer waited for by the second; a day of questions
# every 30 s would take half a battery.
ASK_LATE_AFTER_MS = 600000
ASK_LATE_MS = 300000
ASK_FOR_MS = 24 * 3600 * 1000
# Bursts without anybody's STORED for this long: the wearer is told that nobody hears.
NO_PATH_AFTER_MS = 30000
NEVER = 1 << 29


class Schedule:
    """Over the outbox's alarms. Hellos for a heartbeat are asked for with want_hello()."""

    def __init__(self, alarms):
        self._alarms = alarms
        self.ask_due_ms = 0
        self.ask_gap_ms = 0
        self._asked_slot = 0
        self.hello_due_ms = NEVER

    # ---- alarms that a gateway has yet to take ----

    def due(self, now_ms, fresh_only):
        """The alarm to send now, or None: never tried ones first, emergencies before others, longest due first."""
        best = None
        for alarm in self._alarms:
            if not alarm.used or alarm.pending or not alarm.unsent or alarm.due_ms > now_ms:
                continue
            if fresh_only and alarm.tries:
                continue
            if best is None or self._before(alarm, best):
                best = alarm
        return best

    def _before(self, alarm, other):
        if (alarm.tries == 0) != (other.tries == 0):
            return alarm.tries == 0
        if alarm.emergency != other.emergency:
            return alarm.emergency
        return alarm.due_ms < other.due_ms

    def sent(self, alarm, now_ms):
        """A burst of this alarm begins now."""
        if alarm.tries == 0:
            alarm.first_try_ms = now_ms
            alarm.gap_ms = GAP_FIRST_MS
        else:
            alarm.gap_ms = min(alarm.gap_ms * 2, GAP_MOST_MS)
        alarm.tries += 1
        alarm.due_ms = now_ms + BURST_MS + alarm.gap_ms

    def hurry(self, now_ms):
        """A way is open again that was not: all that nobody has is due now."""
        for alarm in self._alarms:
            if alarm.used and alarm.unsent:
                alarm.due_ms = min(alarm.due_ms, now_ms)

    def unheard(self, alarm, now_ms):
        """Whether it has been sent for so long without being taken that the wearer must know."""
        return alarm.unsent and alarm.tries > 0 and now_ms - alarm.first_try_ms >= NO_PATH_AFTER_MS

    # ---- alarms that are stored and not over ----

    def news(self, now_ms):
        """Something changed for a stored alarm: ask soon again."""
        self.ask_gap_ms = ASK_FIRST_MS
        self.ask_due_ms = now_ms + ASK_FIRST_MS

    def to_ask(self, now_ms):
        """The stored alarm to ask about now, or None. They take turns."""
        if now_ms < self.ask_due_ms:
            return None
        count = len(self._alarms)
        for i in range(1, count + 1):
            alarm = self._alarms[(self._asked_slot + i) % count]
            if self.waits_for_end(alarm, now_ms):
                return alarm
        return None

    def asked(self, alarm, now_ms):
        """A question about this alarm goes out now."""
        self._asked_slot = alarm.slot
        late = now_ms - alarm.raised_ms >= ASK_LATE_AFTER_MS and rank(alarm.stage) >= ACCEPTED_RANK
        self.ask_gap_ms = min(max(self.ask_gap_ms, ASK_FIRST_MS) * 2, ASK_LATE_MS if late else ASK_MOST_MS)
        self.ask_due_ms = now_ms + self.ask_gap_ms

    def waits_for_end(self, alarm, now_ms):
        """Whether this alarm is stored somewhere and worth asking about: what nobody answers only until it is kept."""
        if not alarm.used or alarm.unsent or now_ms - alarm.raised_ms >= ASK_FOR_MS:
            return False
        return alarm.answered_for or rank(alarm.stage) < ACCEPTED_RANK

    def given_up(self, alarm, now_ms):
        """Whether it is theirs alone now who have it: for so long, or since the platform has what nobody answers."""
        return alarm.used and not alarm.unsent and not self.waits_for_end(alarm, now_ms)

    # ---- heartbeats ----

    def want_hello(self, due_ms):
        """Say hello at this time (for a heartbeat that waits); NEVER: not needed."""
        self.hello_due_ms = due_ms

    def next_ms(self, now_ms):
        """When something is due next, NEVER when nothing is. Not before now."""
        next_ms = self.hello_due_ms
        for alarm in self._alarms:
            if not alarm.used:
                continue
            if alarm.pending:
                return now_ms
            if alarm.unsent:
                next_ms = min(next_ms, alarm.due_ms)
            elif self.waits_for_end(alarm, now_ms):
                next_ms = min(next_ms, self.ask_due_ms)
        return max(next_ms, now_ms)
