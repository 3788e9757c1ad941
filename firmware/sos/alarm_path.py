"""From the button to the radio: presses -> outbox (flash) -> envelope (seal) -> links, and the wearer's light.

Owns that way and nothing else touches it. What a gesture makes is presses.py's. Guarantee: flash before radio, and no
heap from edge() or tick() to the frame handed over (tests/firmware proves it under heap_lock). Runs in scheduler
context, so the alarm goes out even while the main loop is at something else. The main loop changes shared things only
between enter() and leave(); ticks that come meanwhile are made up for at once.
"""

from protocol import codes

from . import schedule, stages

# Stages after which the wearer is told of the next thing.
_OVER = (stages.CLOSED, stages.REFUSED, stages.CANCELLED)
# After so many bursts that nobody took (some 15 s) a wearable that has lost its count once looks for one that does.
_WIDEN_AFTER = 4
_AIR_MS = schedule.BURST_MS + schedule.TAIL_MS


class AlarmPathDied(Exception):
    """A turn ended by an exception: only a restart makes things whole again."""


class AlarmPath:
    """One wearable's. `ticks` counts turns, for whoever feeds the watchdog."""

    def __init__(self, board, outbox, presses, prompting, envelope, plan, feedback, ble, serial):
        self._board = board
        self._outbox = outbox
        self.presses = presses
        self.prompting = prompting
        self._envelope = envelope
        self._schedule = plan
        self._feedback = feedback
        self._ble = ble
        self._serial = serial
        self.gestures = presses.gestures
        self.testing = presses.testing
        self.ticks = 0
        # A HELLO says these as long as they are so.
        self.heartbeat_waits = False
        self.trail_waits = False
        # What the present burst is about, for connected gateways: an alarm to be told them too, or a hello to be
        # repeated to them. The main loop does that and clears it.
        self.burst_alarm = None
        self.burst_hello = False
        self._busy = False
        self._late = False
        self._burst_ends_ms = self._air_ends_ms = -(1 << 29)

    # ---- entered in scheduler context ----

    def edge(self, pressed):
        """The button's level changed. No heap."""
        self.gestures.edge(pressed, self._board.now_ms())

    def tick(self):
        """One turn. No heap."""
        self.ticks += 1
        # An edge that found the scheduler's queue full never came (mp_sched_schedule, 4 or 8 places). After one that
        # was lost at the end of a press, the next press would be no change of level, and nothing.
        self.gestures.look(self._board.button_pressed(), self._board.now_ms())
        if self._busy:
            self._late = True
            return
        self._busy = True
        self._turn(self._board.now_ms())
        # Not in a `finally`: what stays busy died on the way, and enter() says so.
        self._busy = False

    # ---- entered by the main loop ----

    def enter(self):
        """Keep turns out until leave(). Raises AlarmPathDied when the last turn never ended."""
        if self._busy:
            raise AlarmPathDied
        self._busy = True

    def leave(self):
        """Let turns in again, and make up for one that came meanwhile."""
        self._busy = False
        if self._late:
            self._late = False
            self.tick()

    def woke_by_press(self, pressed):
        """The press that ended deep sleep: it counts from here."""
        now_ms = self._board.now_ms()
        self.presses.act(self.gestures.woke_by_press(pressed, now_ms), now_ms)

    def show_newest(self):
        """After a start that was no waking: tell again how that stands which the wearer waits for, as flash has it."""
        alarm = self._outbox.newest_told()
        if alarm is not None:
            known = stages.rank(alarm.stage) > 0
            stage = alarm.stage if known else stages.PRESSED
            self._feedback.begin(stage, alarm.number, self._board.now_ms(), not alarm.asked)

    def quiet(self, now_ms):
        """Whether nothing is under way that a sleep would end: gesture, countdown, burst, pattern, test mode."""
        return not (self.presses.busy or self._feedback.playing or now_ms < self._air_ends_ms)

    @property
    def burst_ended_ms(self):
        """When the last burst ended, or will; -2^29 before the first."""
        return self._burst_ends_ms

    # ---- the way itself ----

    def _turn(self, now_ms):
        self.presses.turn(now_ms)
        self._air(now_ms)
        self._watch_feedback(now_ms)
        self._feedback.tick(now_ms)

    def _air(self, now_ms):
        """One advertiser: a fresh alarm at once, everything else when the present burst is over."""
        bursting = now_ms < self._burst_ends_ms
        alarm = self._schedule.due(now_ms, bursting)
        if alarm is not None:
            self._send_event(alarm, now_ms)
        elif bursting:
            return
        elif self._hello_due(now_ms):
            self._send_hello(now_ms)
        elif self._ble is not None and self._ble.on_air and now_ms >= self._air_ends_ms:
            self._ble.stop()

    def _send_event(self, alarm, now_ms):
        if alarm.tries >= _WIDEN_AFTER:
            self._envelope.widen()
        # The serial frame first: it has the lower counter, and a gateway on both links takes no older one after.
        if self._board.external_power():
            self._serial.write(self._envelope.wire, self._envelope.event_for_wire(alarm, now_ms))
        if self._has_radio():
            self._envelope.event_for_air(alarm, now_ms)
        fresh = alarm.tries == 0
        self._schedule.sent(alarm, now_ms)
        self.burst_alarm = alarm
        self.burst_hello = False
        self._on_air(now_ms, schedule.FRESH_INTERVAL_MS if fresh else schedule.INTERVAL_MS)

    def _hello_due(self, now_ms):
        return self._schedule.hello_due_ms <= now_ms or self._schedule.to_ask(now_ms) is not None

    def _send_hello(self, now_ms):
        """One hello for whatever there is to say: a question, a heartbeat that waits, or both."""
        alarm = self._schedule.to_ask(now_ms)
        flags = codes.HELLO_HEARTBEAT_WAITS if self.heartbeat_waits else 0
        if self.trail_waits:
            flags |= codes.HELLO_TRAIL_WAITS
        number = stage = 0
        if alarm is not None:
            flags |= codes.HELLO_ASKS_STATE
            number = alarm.number
            stage = alarm.stage
            self._schedule.asked(alarm, now_ms)
        self._schedule.hello_due_ms = schedule.NEVER
        self._envelope.hello(flags, number, stage, self._outbox.open_count())
        self.burst_hello = True
        if self._board.external_power():
            self._serial.write(self._envelope.air, len(self._envelope.air))
        self._on_air(now_ms, schedule.INTERVAL_MS)

    def _on_air(self, now_ms, interval_ms):
        self._burst_ends_ms = now_ms + schedule.BURST_MS
        if self._has_radio() and self._ble.advertise(self._envelope.air, interval_ms):
            self._air_ends_ms = now_ms + _AIR_MS

    def _has_radio(self):
        """Without one no counter is spent on it: the last four are what an answer may be to."""
        return self._ble is not None and not self._ble.failed

    def _watch_feedback(self, now_ms):
        """What the light says by itself: nobody hears; or one event is over, and an older one is still open."""
        alarm = self._outbox.newest_told()
        feedback = self._feedback
        if alarm is not None and self._unheard(alarm, now_ms):
            if feedback.stage != stages.NO_PATH or feedback.number != alarm.number:
                feedback.begin(stages.NO_PATH, alarm.number, now_ms, not alarm.asked)
        elif not feedback.playing and self._shown_enough():
            armed = self.testing.on
            if alarm is not None and stages.rank(alarm.stage) > 0 and not (armed and alarm.asked):
                feedback.begin(alarm.stage, alarm.number, now_ms, not alarm.asked)
            else:
                feedback.begin(stages.ARMED if armed else stages.IDLE, 0, now_ms)

    def _shown_enough(self):
        """Whether what was shown last is over, forgotten, or gives way to test mode."""
        stage, number = self._feedback.stage, self._feedback.number
        if self.testing.on and not self._feedback.urgent:
            return True
        if number and self._outbox.find(number) is None:
            return True
        return stage in _OVER or (stage == stages.PROMPTED and not self.prompting.kind)

    def _unheard(self, alarm, now_ms):
        """Nobody has taken it for too long. What was asked for gives way to a question; it is sent all the same."""
        if alarm.pending or stages.rank(alarm.stage) > 0 or (alarm.asked and self.prompting.kind):
            return False
        return self._schedule.unheard(alarm, now_ms)
