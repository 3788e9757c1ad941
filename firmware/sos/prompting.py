"""What the wearer is asked: one question at a time, shown again, gently, until it is answered, withdrawn or over.

Owns the question that runs and its times. Must not know who asks, nor what an answer is made of (presses.py).
tick() and ended() take no heap. Times are ms of this run.
"""

from protocol import codes

from . import schedule, stages

# Somebody in the next room hears it the second or the third time; somebody asleep is not shaken for ten minutes.
AGAIN_MS = 30000
AGAIN_LATER_MS = 60000
_OFTEN_MS = 120000


class Prompting:
    """`kind` PROMPT_*, 0: nothing is asked. `number` and `text` as it was said. An answer counts until `ends_ms`."""

    def __init__(self, feedback, plan):
        self._feedback = feedback
        self._schedule = plan
        self.kind = codes.PROMPT_NONE
        self.number = -1
        self.text = 0
        self.ends_ms = 0
        self._began_ms = 0
        self._due_ms = 0

    def ask(self, prompt, now_ms):
        """Show this prompt, in the place of one that runs. What was answered or withdrawn is not asked again."""
        known = prompt.number == self.number and now_ms < self.ends_ms
        if known and not self.kind:
            return
        if not known:
            self._began_ms = now_ms
        self.number = prompt.number
        self.kind = prompt.kind
        self.text = prompt.text
        self.ends_ms = now_ms + prompt.within_s * 1000
        self._due_ms = now_ms

    def withdraw(self, number):
        """It is asked no more. One that is over already, or another, is as well."""
        if number == self.number:
            self.ended()

    def ended(self):
        """It is answered, or something more important has come. No heap."""
        self.kind = codes.PROMPT_NONE

    def tick(self, now_ms):
        """Show it when it is time. No heap."""
        if not self.kind:
            return
        if now_ms >= self.ends_ms:
            self.ended()
            # Whoever asked may want to ask again, and cannot call a wearable that says nothing.
            self._schedule.want_hello(now_ms)
        elif now_ms >= self._due_ms and (not self._feedback.playing or self._feedback.stage == stages.LOCATING):
            self._due_ms = now_ms + (AGAIN_MS if now_ms - self._began_ms < _OFTEN_MS else AGAIN_LATER_MS)
            self._feedback.begin(stages.PROMPTED, 0, now_ms, False)

    def next_ms(self, now_ms):
        """When it must be shown again, or is over."""
        return max(now_ms, min(self._due_ms, self.ends_ms)) if self.kind else schedule.NEVER

    def keep(self, started_ms):
        """What goes over a deep sleep, times as ms since power-on: (kind, number, text, ends, began, due)."""
        ends, began, due = started_ms + self.ends_ms, started_ms + self._began_ms, started_ms + self._due_ms
        return self.kind, self.number & 0xFFFF, self.text, ends, began, due

    def resume(self, kept, started_ms):
        """Go on with what keep() said."""
        self.kind, self.number, self.text, ends, began, due = kept
        self.ends_ms, self._began_ms, self._due_ms = ends - started_ms, began - started_ms, due - started_ms
