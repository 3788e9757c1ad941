"""The check-ins of one wearable: which is asked now, which wait their turn, which ended without an answer.

Owns how a check-in goes on and ends. Guarantee: each that is taken up ends once: answered, or by one event that says
what is known (not worn, not reachable, worn but silent), or without one because the wearer has raised an alarm or is
served no more. Must not know plans or disks: it is handed what fell due. Moments are boot-time, ms.

    due --> to be shown --RESULT--> shown --event--> answered            shown, time over --again--> to be shown
               |  not reached in time                                    shown, time over, no more tries --> silent,
               +--> unreachable                                                                             or not worn
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from edge_daemon.care.asking import LOOK, OUTCOMES, PROMPTS, Asking, Unsettled
from edge_daemon.care.plan import MEDICINE, Plan
from edge_daemon.care.schedule import Due
from edge_daemon.commands import Told
from edge_daemon.log import Log
from protocol import codes, kinds
from protocol.watchful import pack_prompt

log = Log("care")

# A wearable on the air is asked with its heartbeat, every 30 min at most, of which each is tried three times.
REACH_S = 2100
# One that could not show it (an alarm is being shown) is asked again.
_FAILED_AGAIN_MS = 60_000
# After a start, or a sleep of the machine, an answer that was given meanwhile needs some time to arrive: a wearable
# repeats an event every 30 s at least.
_SPARE_MS = 90_000
# A wearable says hello when a prompt runs out: the next one is to wait for that. The answer to the last one may then be
# on its way.
_EARLY_MS = 2000
_ARRIVES_MS = 10_000
_DONE_MOST = 64
_UNSETTLED_MOST = 16
_SETTLES_WITHIN_MS = 86_400_000

Give = Callable[[int, bytes, float, Told], Callable[[], None]]


class CheckIns:
    """`give(code, args, expires_s, told)`: a command to the wearable. `report(kind, note)`: an event about it.

    `now`: the boot-time clock. `changed` is called whenever there is something to keep. `missed_here`: whether anybody
    is to hear that the wearable is not here; one that is at home elsewhere is asked when it is here.
    """

    def __init__(
        self,
        handle: str,
        give: Give,
        report: Callable[[int, str], None],
        changed: Callable[[], None],
        now: Callable[[], int],
        missed_here: Callable[[], bool],
    ) -> None:
        self._handle = handle
        self._give = give
        self._report = report
        self._changed = changed
        self._now = now
        self._missed_here = missed_here
        self._askings: list[Asking] = []
        self._unsettled: list[Unsettled] = []
        self._done: list[str] = []
        # Random, so that a prompt of before a restart is not taken for one of now.
        self._number = random.randrange(1 << 16)

    # ---- what is to be asked ----

    def due(self, due: Due, late_ms: int) -> None:
        """A check-in fell due, `late_ms` ago. One that was taken up already is not asked again."""
        if self._new(due.name):
            c = due.checkin
            since_ms = self._now() - late_ms
            self._add(Asking(c.id, c.kind, due.on, due.at, c.answer_within_s, c.again, c.text, since_ms))
            log.info("checkin_due", wearable=self._handle, checkin=due.name, late_s=late_ms // 1000)

    def missed(self, dues: list[Due], late_ms: int, why: str) -> None:
        """Check-ins of one id fell due while nobody could ask, the last of them `late_ms` ago: one event says so."""
        dues = [due for due in dues if self._new(due.name)]
        if dues:
            last = dues[-1]
            asking = Asking(last.checkin.id, last.checkin.kind, last.on, last.at, 0, 0, 0, self._now() - late_ms)
            asking.why = why if len(dues) == 1 else f"{why} missed={len(dues)}"
            self._say(asking)

    def look(self, command: str, seconds: int, on: str, at: str, told: Told) -> None:
        """An operator calls for the wearer; `told` hears that it is shown. It joins a question that is under way."""
        if any(asking.kind == LOOK and asking.id == command for asking in self._askings):
            return
        if self._askings and self._askings[0].shown:
            told("done", None, b"")
        elif self._askings:
            self._askings[0].told.append(told)
        else:
            self._add(Asking(command, LOOK, on, at, seconds, 0, 0, self._now(), told=[told]))

    def _new(self, name: str) -> bool:
        if name in self._done:
            return False
        self._done = [*self._done, name][-_DONE_MOST:]
        self._changed()
        return True

    def _add(self, asking: Asking) -> None:
        self._askings.append(asking)
        self._changed()

    # ---- how it goes on ----

    def turn(self) -> None:
        """Do what is due now."""
        now_ms = self._now()
        self._unsettled = [one for one in self._unsettled if now_ms - one.since_ms < _SETTLES_WITHIN_MS]
        if not self._askings:
            return
        front = self._askings[0]
        if not front.deadline_ms:
            front.deadline_ms = now_ms + REACH_S * 1000
        if now_ms < front.deadline_ms:
            if not front.shown and not front.given and now_ms >= front.not_before_ms:
                self._ask(front, now_ms)
        elif front.shown and front.tries <= front.again and not front.last:
            front.shown, front.spared, front.deadline_ms = False, False, now_ms + front.within_s * 1000
            self._ask(front, now_ms)
        else:
            self._unanswered(front)

    def _ask(self, asking: Asking, now_ms: int) -> None:
        if asking.kind == MEDICINE and asking.number < 0:
            # Up to now an answer was one to another medicine.
            asking.since_ms = now_ms + 1
        self._number = number = self._number + 1 & 0xFFFF
        asking.number, asking.given = number, True
        self._changed()

        def told(outcome: str, reason: str | None, more: bytes) -> None:
            if asking.number == number and asking.given:
                asking.given = False
                self._told(asking, outcome, reason, more)

        args = pack_prompt(number, PROMPTS[asking.kind], asking.within_s, asking.text)
        take_back = self._give(codes.COMMAND_PROMPT, args, (asking.deadline_ms - now_ms) / 1000, told)
        asking.take_back = take_back

    def _told(self, asking: Asking, outcome: str, reason: str | None, more: bytes) -> None:
        """What became of a prompt's command. One that has expired is concluded by the turn."""
        if outcome == "done":
            asking.tries += 1
            asking.shown, asking.spared, asking.worn = True, False, more[0] if more else codes.WORN_UNKNOWN
            asking.why = ""
            again = asking.tries <= asking.again and not asking.last
            asking.deadline_ms = self._now() + asking.within_s * 1000 + (-_EARLY_MS if again else _ARRIVES_MS)
            log.info("checkin_shown", wearable=self._handle, checkin=asking.name, tries=asking.tries)
            self._tell(asking, "done", None)
        elif reason == "failed":
            # It shows an alarm of its wearer's, and nothing else.
            asking.why, asking.not_before_ms = "alarm_open", self._now() + _FAILED_AGAIN_MS
        elif reason == "unknown_to_wearable":
            asking.why, asking.deadline_ms = "cannot_ask", self._now()
            self._tell(asking, "refused", reason)
        self._changed()

    def _unanswered(self, asking: Asking) -> None:
        """Its time is over. Of a call that was never shown the operator hears by its result, and by no event."""
        self._askings.remove(asking)
        asking.take_back()
        if asking.tries or asking.kind != LOOK:
            self._say(asking)
        self._tell(asking, "expired", None)
        self._changed()

    def _say(self, asking: Asking) -> None:
        outcome = asking.outcome
        if outcome == kinds.CHECKIN_UNREACHABLE and not self._missed_here():
            log.info("checkin_elsewhere", wearable=self._handle, checkin=asking.name)
            return
        self._report(outcome, asking.note())
        was, until_ms = OUTCOMES[outcome], self._now() if asking.kind == MEDICINE else None
        left = Unsettled(asking.id, asking.kind, asking.on, asking.at, was, asking.since_ms, until_ms)
        self._unsettled = [*self._unsettled, left][-_UNSETTLED_MOST:]

    @staticmethod
    def _tell(asking: Asking, outcome: str, reason: str | None) -> None:
        told, asking.told = asking.told, []
        for operator in told:
            operator(outcome, reason, b"")

    # ---- what the wearer does ----

    def answered(self, detail: int, pressed_ms: int) -> None:
        """The wearer did something with their hands, at that moment. `detail`: of a checkin_answered, else 0.

        Anything says that they are well; that a medicine was taken only its own answer says.
        """
        if self._askings and self._answers(self._askings[0], detail, pressed_ms):
            asking = self._askings.pop(0)
            log.info("checkin_answered", wearable=self._handle, checkin=asking.name, tries=asking.tries)
            self._over(asking, withdraw=detail != PROMPTS[asking.kind])
            self._tell(asking, "done", None)
            self._changed()
        for one in [one for one in self._unsettled if self._answers(one, detail, pressed_ms)]:
            self._unsettled.remove(one)
            self._report(kinds.CHECKIN_SETTLED, one.note())

    @staticmethod
    def _answers(asking: Asking | Unsettled, detail: int, pressed_ms: int) -> bool:
        if asking.kind == MEDICINE and detail != codes.PROMPT_MEDICINE:
            return False
        until_ms = asking.until_ms if isinstance(asking, Unsettled) else None
        return asking.since_ms <= pressed_ms and (until_ms is None or pressed_ms <= until_ms)

    def alarm(self, heard_ms: int) -> None:
        """The wearer's alarm was heard, at that moment: they are being helped, and nobody asks them anything."""
        self._drop(lambda asking: asking.since_ms <= heard_ms, "failed", "alarm")

    def plan_changed(self, plan: Plan) -> None:
        """What the new plan does not have is not asked any more."""
        ids = {checkin.id for checkin in plan.checkins}
        self._drop(lambda asking: asking.kind != LOOK and asking.id not in ids, "failed", "plan")

    def withdraw(self) -> None:
        """The wearable is served no more."""
        self._drop(lambda asking: True, "unknown_wearable", "withdrawn")

    def _drop(self, which: Callable[[Asking], bool], reason: str, why: str) -> None:
        for asking in [asking for asking in self._askings if which(asking)]:
            log.info("checkin_dropped", wearable=self._handle, checkin=asking.name, why=why)
            self._askings.remove(asking)
            self._over(asking, withdraw=why != "withdrawn")
            self._tell(asking, "refused", reason)
            self._changed()

    def _over(self, asking: Asking, *, withdraw: bool) -> None:
        """Nobody waits for this answer any more; what may be shown is taken off the wearable."""
        asking.take_back()
        if withdraw and (asking.shown or asking.given):
            args = pack_prompt(asking.number, codes.PROMPT_NONE, 0, 0)
            self._give(codes.COMMAND_PROMPT, args, asking.within_s, lambda outcome, reason, more: None)
        asking.given = False

    # ---- over restarts ----

    def slept(self) -> None:
        """Nobody listened for a while: a time that ran out meanwhile has a little more, once, for what was said."""
        now_ms = self._now()
        for asking in self._askings:
            over_ms = now_ms - asking.deadline_ms
            if not asking.deadline_ms or over_ms < 0 or asking.spared:
                continue
            # Asked hours late, a question says nothing of the hour it was meant for.
            asking.last |= over_ms >= asking.within_s * 1000
            asking.why = "gateway_off" if asking.last else asking.why
            asking.spared, asking.deadline_ms = True, now_ms + _SPARE_MS
            self._changed()

    def rows(self, offset_ms: int | None) -> dict[str, Any]:
        """All that is to be kept. A call that was not shown is the operator's to repeat."""
        askings = [asking for asking in self._askings if asking.tries or asking.kind != LOOK]
        return {
            "askings": [asking.row(offset_ms) for asking in askings],
            "unsettled": [one.row(offset_ms) for one in self._unsettled],
            "done": self._done,
        }

    def resume(self, rows: dict[str, Any], offset_ms: int | None) -> None:
        """Go on where a run before this one ended."""
        now_ms = self._now()
        self._askings = [Asking.from_row(row, now_ms, offset_ms) for row in rows["askings"]]
        self._unsettled = [Unsettled.from_row(row, now_ms, offset_ms) for row in rows["unsettled"]]
        self._done = list(rows["done"])
        self.slept()
