"""The application: everything is made here from the board, and turns here.

Read first. Owns construction, the main loop and deep sleep. Must not know boards. Two contexts share the work: the
alarm path (alarm_path.py) runs in scheduler context, by the board's ticks and button edges; all else runs in the main
loop and may take its time. The watchdog is fed only while both turn.
"""

import gc

from . import VERSION, asleep, kept, power
from .alarm_path import AlarmPath
from .battery import Battery
from .clock import Clock
from .counter import Counter
from .dialogue import Dialogue
from .envelope import Envelope
from .feedback import Feedback
from .heartbeat import Heartbeat
from .link_serial import SerialLink
from .no_parts import KINDS, NoParts, has
from .outbox import Outbox
from .presses import Presses
from .prompting import Prompting
from .schedule import Schedule
from .settings_store import SettingsStore
from .start import Start
from protocol.messages import battery_nibble

_WATCHDOG_MS = 15000
_FEED_EVERY_MS = 1000
_WAIT_MS = 250
_BATTERY_EVERY_MS = 60000
# Flash and radio that have failed are tried again: at leisure, or, while an alarm is open, soon.
_MEND_EVERY_MS = 10000
_MEND_ALARM_MS = 2000
_COLLECT_EVERY_MS = 10000
# After so long a run with nothing to do the application starts afresh: memory whole again, and times far from the
# 12 days at which a 32-bit board needs heap for them.
_RUN_MOST_MS = 3 * 24 * 3600 * 1000
_WAKE_BUTTON = 1


class App:
    """Raises NotProvisioned when there is no identity; see unprovisioned.py."""

    def __init__(self, board):
        self._board = board
        board.watchdog(_WATCHDOG_MS)
        start = Start(board)
        self._identity = start.identity
        self._ledger = start.ledger
        self._counter = Counter(self._ledger)
        self._counter.start(start.kept.counter if start.kept is not None else -1)
        self._outbox = Outbox(self._ledger, board.power_epoch, board.started_ms)
        self._schedule = Schedule(self._outbox.alarms)
        self._feedback = Feedback(board)
        self._battery = Battery()
        self._settings = SettingsStore(start.keys.trail, start.folder, board.log)
        self._heartbeat = Heartbeat(self._settings.now.heartbeat_s * 1000)
        self._clock = Clock(board)
        self._prompting = Prompting(self._feedback, self._schedule)
        self._envelope = Envelope(start.keys, self._counter)
        self._ble = self._make_ble()
        self._make_path(start)
        self._next_battery_ms = self._next_collect_ms = self._next_feed_ms = 0
        self._mended_ms = -_MEND_EVERY_MS
        # Up to which commit RTC memory has what flash did not take; 0: there is nothing.
        self._saved = start.saved
        # After a wake there is nobody to wait for but whom the schedule says.
        self._awake_until_ms = 0 if start.kept is not None else power.AWAKE_FIRST_MS
        self._ticks_fed = 0
        self._cabled = False
        self._parts_kept = start.kept.parts if start.kept is not None else b""
        self._resume(start.kept)
        self._path.presses.started()
        # Before anything is sent: every frame says how the battery is.
        self._measure(board.now_ms())

    def _make_path(self, start):
        board, serial = self._board, SerialLink(self._board)
        presses = Presses(self._outbox, self._ledger, self._schedule, self._feedback, self._prompting, self._settings)
        presses.gestures.debounce_ms = board.debounce_ms
        self._path = AlarmPath(
            board,
            self._outbox,
            presses,
            self._prompting,
            self._envelope,
            self._schedule,
            self._feedback,
            self._ble,
            serial,
        )
        reach = self._make_parts(start.keys.trail)
        self._dialogue = Dialogue(
            board,
            start.keys,
            self._path,
            self._outbox,
            self._ledger,
            self._envelope,
            self._schedule,
            self._feedback,
            self._ble,
            serial,
            self._heartbeat,
            self._battery,
            self._settings,
            self._clock,
            self._parts,
            start.reset_cause,
        )
        if reach is not None:
            reach.send, reach.hello = self._dialogue.send, self._dialogue.hello

    def _make_parts(self, trail_key):
        """What a watch has beyond a pendant; returns their Reach, None where there are none."""
        if not any(has(self._board, needs) for _, needs in KINDS):
            self._parts = NoParts()
            return None
        from .parts import Parts  # a pendant has no memory to spare for them
        from .reach import Reach

        reach = Reach(
            self._board, self._path, self._outbox, self._feedback, self._settings, self._clock, self._battery, trail_key
        )
        self._parts = Parts(reach)  # type: ignore[assignment]  # one or the other; both have the same names
        return reach

    def _make_ble(self):
        ble = self._board.bluetooth()
        if ble is None:
            return None
        from .link_ble import BleLink  # a board without has no module `bluetooth` either

        link = BleLink(ble, self._board.now_ms)
        link.restart()
        return link

    def run(self):
        """Turn for ever."""
        board = self._board
        if board.wake_cause == _WAKE_BUTTON:
            self._path.woke_by_press(board.button_pressed())
        board.on_button(self._path.edge)
        # The first tick looks whether it is held since before anybody listened, or was let go in between.
        board.on_tick(self._path.tick)
        # Only now: whatever they do, the press that woke us lies in flash, and is on its way by ticks.
        self._parts.start(self._parts_kept)
        board.ready("%d.%d.%d" % VERSION)
        while True:
            board.wait(_WAIT_MS)
            self.step()

    def step(self):
        """One turn of the main loop."""
        now_ms = self._board.now_ms()
        self._look_at_cable(now_ms)
        self._dialogue.turn(now_ms)
        self._parts.turn(now_ms)
        if now_ms >= self._next_battery_ms:
            self._measure(now_ms)
        if now_ms - self._mended_ms >= (_MEND_ALARM_MS if self._alarm_without_radio() else _MEND_EVERY_MS):
            self._mended_ms = now_ms
            self._mend(now_ms)
        self._save()
        if now_ms >= self._next_collect_ms:
            self._next_collect_ms = now_ms + _COLLECT_EVERY_MS
            self._collect()
        if now_ms >= self._next_feed_ms:
            self._next_feed_ms = now_ms + _FEED_EVERY_MS
            self._feed()
        self._rest(now_ms)

    def _look_at_cable(self, now_ms):
        """Put into its cradle it says a heartbeat at once: whoever waits to speak to it need not wait half an hour."""
        cabled = self._board.external_power()
        if cabled and not self._cabled:
            self._heartbeat.due_ms = min(self._heartbeat.due_ms, now_ms)
        self._cabled = cabled

    def _measure(self, now_ms):
        self._next_battery_ms = now_ms + _BATTERY_EVERY_MS
        kind = self._battery.measured(self._board.battery_mv())
        self._envelope.battery_mv = self._battery.mv
        self._envelope.battery_nibble = battery_nibble(self._battery.percent)
        if kind:
            self._path.enter()
            self._outbox.add(kind, 0, now_ms, False)
            self._path.leave()

    def _alarm_without_radio(self):
        return self._ble is not None and self._ble.failed and self._outbox.open_count() > 0

    def _mend(self, now_ms):
        """What failed is tried again; what can be done ahead of an alarm is done; what is over is let go."""
        self._path.enter()
        if self._ledger.failed and self._ledger.reopen(self._board.mount_flash):
            self._board.log("flash takes writes again")
        self._counter.refill()
        self._ledger.mirror()
        for alarm in self._outbox.alarms:
            if self._schedule.given_up(alarm, now_ms):
                self._outbox.forget(alarm)
                self._ledger.commit()
        if self._ble is not None and now_ms - self._path.burst_ended_ms >= power.ADDRESS_KEPT_MS:
            self._ble.change_address()
        self._path.leave()
        # Outside: it takes long, and until it is up again the alarm path leaves it alone.
        if self._ble is not None and self._ble.failed and self._ble.restart():
            self._board.log("radio is up again")
            self._path.enter()
            self._schedule.hurry(now_ms)
            self._path.leave()

    def _save(self):
        """What flash does not take goes into RTC memory, over whatever restarts us but the loss of power."""
        if not self._ledger.failed:
            if self._saved:
                self._board.rtc_store(b"")
            self._saved = 0
        elif self._saved != self._ledger.written:
            self._saved = self._ledger.written
            self._board.rtc_store(kept.pack_saved(self._ledger.image, self._identity))

    def _collect(self):
        gc.collect()
        self._dialogue.heap_low = min(self._dialogue.heap_low, gc.mem_free())

    def _feed(self):
        """The watchdog lives on turns of both contexts: a dead alarm path must end in a restart, not in silence."""
        self._path.enter()
        self._path.leave()
        if self._path.ticks != self._ticks_fed:
            self._ticks_fed = self._path.ticks
            self._board.feed()

    # ---- deep sleep ----

    def _rest(self, now_ms):
        """Sleep when nothing is under way and nothing due soon; start afresh after a long run."""
        if now_ms < self._awake_until_ms or not self._path.quiet(now_ms) or self._parts.awake(now_ms):
            return
        if self._ble is not None and self._ble.connections:
            return
        next_ms = min(
            self._schedule.next_ms(now_ms),
            self._feedback.next_ms(now_ms),
            self._prompting.next_ms(now_ms),
            self._parts.next_ms(now_ms),
            max(self._heartbeat.due_ms, now_ms),
        )
        if self._board.external_power():
            if now_ms >= _RUN_MOST_MS and next_ms - now_ms >= power.WORTH_MS:
                self._sleep(1)
            return
        sleep_ms = power.sleep_ms(now_ms, next_ms, self._path.burst_ended_ms)
        if sleep_ms:
            self._sleep(sleep_ms)

    def _sleep(self, sleep_ms):
        """Keep what the next start needs and stop. Comes back only when the board did not sleep."""
        parts = self._parts.keep()  # outside: they may still ask for an event
        self._path.enter()
        self._ledger.mirror()
        self._board.rtc_store(self._keep(parts).pack())
        self._board.deep_sleep(sleep_ms)
        self._board.rtc_store(b"")
        self._saved = 0
        self._path.leave()
        # The button was quicker, or this board cannot wake by it and so does not sleep: not at every turn.
        self._awake_until_ms = self._board.now_ms() + power.WORTH_MS

    def _keep(self, parts):
        """What goes over a deep sleep."""
        record = asleep.record(
            self._board.started_ms, self._counter, self._schedule, self._heartbeat, self._feedback, self._battery
        )
        asleep.keep_alarms(record, self._board.started_ms, self._outbox.alarms)
        record.asked = self._prompting.keep(self._board.started_ms)
        record.clock = self._clock.keep()
        record.parts = parts
        record.ledger = bytes(self._ledger.image)
        record.identity = self._identity
        return record

    def _resume(self, record):
        """Go on where the last run stopped to sleep; or, after any other start, with what lies in flash."""
        if record is None:
            self._outbox.release_pending()
            self._path.show_newest()
            return
        started_ms = self._board.started_ms
        asleep.resume_alarms(record, started_ms, self._outbox.alarms)
        asleep.resume(record, started_ms, self._schedule, self._heartbeat, self._feedback, self._battery)
        told = self._outbox.find(record.number)
        self._feedback.urgent = told is None or not told.asked
        self._prompting.resume(record.asked, started_ms)
        self._clock.resume(record.clock)
