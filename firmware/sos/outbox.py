"""The wearable's events until they are over: at most sixteen, each on its own, none hiding another.

Owns what is known of each event and its slot in the ledger. Must not know radios or patterns. Guarantee: an event is
in flash before add() returns, unless flash fails, which is told and stops nothing; an alarm that nobody else has is
never given up for another.
"""

from protocol import codes
from protocol.messages import age_code

from . import crc
from .ledger import SLOTS, slot_at
from .stages import ACCEPTED_RANK, FINAL, REFUSED, rank, taken

# Kinds below this are emergencies (protocol/README.md section 6.2).
EMERGENCIES_BELOW = 0x10
_FAULTS_FROM = 0x30
_FAULTS_TO = 0x3F
NUMBER_MAX = 0xEFFFFF

# Made once: a tuple that is made on the way takes heap.
_TAKE_BACK = (codes.SOS_CANCELLED, codes.FALL_RECOVERED)
_VISITS = (codes.VISIT_ARRIVED, codes.VISIT_DONE)

_OPEN = 1
_PENDING = 2


class Alarm:
    """One event. Times are ms of this run; what happened before it has negative ones."""

    def __init__(self, slot):
        self.slot = slot
        self.clear()

    def clear(self):
        """Make the slot free. No heap."""
        self.used = False
        # An SOS in its cancel window: kept, not yet sent.
        self.pending = False
        self.kind = self.number = self.detail = 0
        # The last thing we were told of it.
        self.stage = codes.HEARD
        self.age_known = True
        self.raised_ms = 0
        # Whether a gateway still has to take it, how often we tried, and when it is due again.
        self.unsent = False
        self.tries = 0
        self.due_ms = 0
        self.gap_ms = 0
        self.first_try_ms = 0

    @property
    def emergency(self):
        """Whether it goes before all others."""
        return self.kind < EMERGENCIES_BELOW

    @property
    def takes_back(self):
        """Whether it says that an emergency was none."""
        return self.kind in _TAKE_BACK

    @property
    def asked(self):
        """Whether its wearer has asked for it, or answered by it, and so waits for what becomes of it."""
        return codes.SERVICE_MEDICAL <= self.kind <= codes.CHECKIN_ANSWERED or self.kind in _VISITS

    @property
    def shown(self):
        """Whether the wearer is shown what becomes of it."""
        if self.emergency:
            return not self.takes_back
        return self.asked or (self.test and not self.detail)

    @property
    def answered_for(self):
        """Whether somebody will yet say something of it that its wearer waits for: an operator answers it."""
        return self.emergency or self.test or self.kind < codes.CHECKIN_ANSWERED

    @property
    def test(self):
        """Whether it is a press of test mode."""
        return self.kind == codes.TEST_BY_HAND

    def age(self, now_ms):
        """How old it is, as the wire's age code. No heap in the first 12 days."""
        return age_code(max(0, now_ms - self.raised_ms)) if self.age_known else codes.AGE_UNKNOWN


class Outbox:
    """`alarms` has one entry per slot, used or not."""

    def __init__(self, ledger, power_epoch, started_ms):
        self._ledger = ledger
        # What an alarm has taken the place of, though nobody else had it: whoever tells it clears the kind.
        self.gave_up_kind = self.gave_up_number = 0
        self._when = bytearray(power_epoch.to_bytes(4, "big") + started_ms.to_bytes(6, "big"))
        self.alarms = [Alarm(slot) for slot in range(SLOTS)]
        self._load(started_ms)

    def _load(self, started_ms):
        """Take up what the ledger holds. What happened under another power epoch has an age nobody knows."""
        image = self._ledger.image
        for alarm in self.alarms:
            at = slot_at(alarm.slot)
            if not image[at]:
                continue
            alarm.used = alarm.unsent = True
            alarm.pending = image[at] == _PENDING
            alarm.kind = image[at + 1]
            alarm.number = int.from_bytes(image[at + 2 : at + 5], "big")
            alarm.detail = image[at + 5]
            alarm.stage = image[at + 6]
            alarm.age_known = image[at + 8 : at + 12] == self._when[:4]
            since_power_on_ms = int.from_bytes(image[at + 12 : at + 18], "big") + int.from_bytes(
                image[at + 18 : at + 22], "big"
            )
            alarm.raised_ms = since_power_on_ms - started_ms if alarm.age_known else 0
            alarm.unsent = not taken(alarm.stage)
            if alarm.number >= self._ledger.next_number:
                self._ledger.set_header(alarm.number + 1, self._ledger.reserved)
            if alarm.test:  # over with the run that it was made in
                alarm.clear()
                self.keep(alarm)

    def add(self, kind, detail, now_ms, pending):
        """A new event, in flash when this returns (unless flash fails). No heap.

        Returns its Alarm. When all slots hold alarms that nobody has yet: an emergency becomes one with the newest
        emergency there, which is returned and due at once; anything else is not taken, and None is returned.
        """
        alarm = self._room(kind)
        if alarm is None:
            return None
        if alarm.used:
            alarm.tries = 0
            alarm.due_ms = now_ms
            return alarm
        alarm.clear()
        alarm.used = alarm.unsent = True
        alarm.pending = pending
        alarm.kind = kind
        alarm.detail = detail
        alarm.number = self._ledger.next_number
        alarm.raised_ms = alarm.due_ms = now_ms
        following = alarm.number + 1
        self._ledger.set_header(following if following <= NUMBER_MAX else 1, self._ledger.reserved)
        self._put_raised(slot_at(alarm.slot), now_ms)
        self.keep(alarm)
        self._ledger.commit()
        return alarm

    def keep(self, alarm):
        """Bring the ledger's image up to what the alarm is now; commit() is the caller's. No heap."""
        image = self._ledger.image
        at = slot_at(alarm.slot)
        if not alarm.used:
            image[at] = 0
            return
        image[at] = _PENDING if alarm.pending else _OPEN
        image[at + 1] = alarm.kind
        image[at + 2] = alarm.number >> 16
        image[at + 3] = (alarm.number >> 8) & 0xFF
        image[at + 4] = alarm.number & 0xFF
        image[at + 5] = alarm.detail
        image[at + 6] = alarm.stage
        crc.write(image, at, at + 24, at + 24)

    def told(self, number, stage):
        """An answer said this of an event. Returns its Alarm when that is news, else None; commit() is the caller's.

        A stage never falls, whoever says so (protocol/README.md section 5.2). A REFUSED after ACCEPTED may be that of
        a platform that does not know the event, through a stranger's gateway: it ends nothing.
        """
        alarm = self.find(number)
        if alarm is None or alarm.pending or rank(stage) <= 0:
            return None
        if stage == REFUSED and rank(alarm.stage) >= ACCEPTED_RANK:
            return None
        if taken(stage):
            alarm.unsent = False
        if stage == alarm.stage or rank(stage) < rank(alarm.stage):
            return None
        alarm.stage = stage
        if rank(stage) >= FINAL:
            alarm.used = False
        self.keep(alarm)
        return alarm

    def asked_for(self, number, now_ms):
        """A gateway does not have this event: send it again. What is shown stays; another gateway may have it."""
        alarm = self.find(number)
        if alarm is not None and not alarm.pending and not alarm.unsent:
            alarm.unsent = True
            alarm.tries = 0
            alarm.due_ms = now_ms

    def release_pending(self):
        """After a start that was no planned one: an SOS whose cancel window nobody watched over goes out at once."""
        for alarm in self.alarms:
            alarm.pending = False

    def forget(self, alarm):
        """It is over, or others have had it for so long that we need not ask any more; commit() is the caller's."""
        alarm.used = False
        self.keep(alarm)

    def find(self, number):
        """The alarm of this number, or None. No heap."""
        for alarm in self.alarms:
            if alarm.used and alarm.number == number:
                return alarm
        return None

    def open_count(self):
        """Alarms still repeated or asked about. No heap."""
        count = 0
        for alarm in self.alarms:
            if alarm.used and not alarm.pending:
                count += 1
        return count

    def newest_emergency(self):
        """The emergency with the highest number, or None. No heap."""
        newest = None
        for alarm in self.alarms:
            if alarm.used and alarm.emergency and (newest is None or alarm.number > newest.number):
                newest = alarm
        return newest

    def newest_told(self):
        """Of what the wearer is shown, the newest: an emergency before all else; None. No heap."""
        newest = None
        for alarm in self.alarms:
            if not alarm.used or not alarm.shown:
                continue
            if newest is None or (
                alarm.number > newest.number if alarm.emergency == newest.emergency else alarm.emergency
            ):
                newest = alarm
        return newest

    def waits(self):
        """Whether there is an alarm, or what a wearer asked for, that nobody has taken. No heap."""
        for alarm in self.alarms:
            if alarm.used and alarm.unsent and not alarm.pending and (alarm.emergency or alarm.asked):
                return True
        return False

    def _put_raised(self, at, now_ms):
        """When: epoch and start of this run, then ms into it. Split so that no number gets too large for 30 bits."""
        image = self._ledger.image
        image[at + 7] = image[at + 22] = image[at + 23] = 0
        for i in range(10):
            image[at + 8 + i] = self._when[i]
        for i in range(4):
            image[at + 18 + i] = (now_ms >> (24 - 8 * i)) & 0xFF

    def _room(self, kind):
        """A slot for a new event: a free one, else that of the event we can best let go (README.md, "full")."""
        best = None
        cost = 0
        for alarm in self.alarms:
            if not alarm.used:
                return alarm
            mine = self._cost(alarm, kind)
            if mine >= 0 and (best is None or mine < cost or (mine == cost and alarm.number < best.number)):
                best, cost = alarm, mine
        if best is not None:
            if best.unsent and not best.test:
                self.gave_up_kind, self.gave_up_number = best.kind, best.number
            best.used = False
            return best
        return self.newest_emergency() if kind < EMERGENCIES_BELOW else None

    def _cost(self, alarm, kind):
        """How dear to forget it: 0, 1 a test; 2, 4 the platform has it; 3, 5 a gateway has it; 6, 7 nobody; -1 never.

        For a test nothing is forgotten but tests; a fault that nobody has, for all but faults; anything else that
        nobody has, for an emergency alone. An emergency that others have goes after what is none.
        """
        if alarm.test:
            return 1 if alarm.unsent else 0
        if kind == codes.TEST_BY_HAND:
            return -1
        if not alarm.unsent:
            return (2 if rank(alarm.stage) >= ACCEPTED_RANK else 3) + (2 if alarm.emergency else 0)
        if alarm.emergency:
            return -1
        if _FAULTS_FROM <= alarm.kind <= _FAULTS_TO:
            return -1 if _FAULTS_FROM <= kind <= _FAULTS_TO else 6
        return 7 if kind < EMERGENCIES_BELOW else -1
