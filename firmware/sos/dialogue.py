"""The conversation with gateways: what they say, and what is told them beyond alarms and hellos.

Owns answers, heartbeats and what connected gateways are handed; what commands do is orders.py's. Runs in the main loop
and may take heap; shares the envelope, the outbox and the serial line with the alarm path, between its enter() and
leave().
"""

import gc

from protocol import codes
from protocol.messages import pack_heartbeat, pack_result

from . import VERSION, power
from .answers import Answers
from .commands import Commands
from .orders import Orders
from .stages import REFUSED, taken

# A stranger must not hold the only connection (protocol/README.md section 8.2).
_IDLE_MS = 15000
# All is said and answered, and the gateway's next word comes within an interval or two of the connection: who waits for
# it to hang up is awake for 10 s more at each heartbeat, which was most of what a pendant used.
_DONE_MS = 3000
_SERIAL = -1
_DEEP_SLEEP = 4


class Dialogue:
    """turn() is called by the main loop as often as it turns."""

    def __init__(
        self, board, keys, path, outbox, ledger, envelope, plan, feedback, ble, serial, beat, battery, settings, clock,
        parts, cause,
    ):  # fmt: skip
        self._board = board
        self._path = path
        self._outbox = outbox
        self._ledger = ledger
        self._envelope = envelope
        self._schedule = plan
        self._feedback = feedback
        self._ble = ble
        self._serial = serial
        self._heartbeat = beat
        self._battery = battery
        self._settings = settings
        self._clock = clock
        self._parts = parts
        self._reset_cause = cause
        # What answers have said of events, for parts: told outside of the alarm path.
        self._news = []
        self._answers = Answers(keys, envelope, self._answered, self._commanded, parts.taken)
        self._orders = Orders(
            board, path, ledger, feedback, settings, clock, parts, self._send_heartbeat, self._settled
        )
        self._commands = Commands(self._orders.actions)
        # Of what is alive: garbage says nothing about how near we are to the end.
        gc.collect()
        self.heap_low = gc.mem_free()

    def turn(self, now_ms):
        """Take what has come, hand over what waits."""
        for frame in self._serial.frames():
            self._answers.take(frame, _SERIAL)
        if self._ble is not None:
            self._take_ble(now_ms)
            self._tell_connected()
            self._ble.drop_idle(now_ms, _IDLE_MS, _IDLE_MS if self._something_waits(now_ms) else _DONE_MS)
        self._beat(now_ms)
        self._tell_parts()

    def _something_waits(self, now_ms):
        """Whether a gateway that stays has something to bring or to be told; after a first start it may be anything."""
        path = self._path
        if self._reset_cause != _DEEP_SLEEP and now_ms < power.AWAKE_FIRST_MS:
            return True
        return self._heartbeat.waits or path.trail_waits or path.testing.on or self._outbox.open_count() > 0

    # ---- what comes ----

    def _take_ble(self, now_ms):
        while self._ble.inbox:
            handle, frame = self._ble.inbox.pop(0)
            connection = self._ble.connections.get(handle)
            if self._answers.take(frame, handle) and connection is not None:
                connection.genuine_ms = now_ms
                connection.known = True

    def _answered(self, counter, answer):
        now_ms = self._board.now_ms()
        self._heartbeat.answered(counter)
        self._path.heartbeat_waits = self._heartbeat.waits
        self._path.enter()
        self._envelope.answered(counter)
        if answer.stage == codes.HEARD:
            self._outbox.asked_for(answer.number, now_ms)
        else:
            self._told(self._outbox.told(answer.number, answer.stage), now_ms)
        self._path.leave()

    def _told(self, alarm, now_ms):
        """News of an event: into flash, and to the wearer when it is what the light is for."""
        if alarm is None:
            return
        self._ledger.commit()
        self._schedule.news(now_ms)
        if alarm.test and not alarm.detail and taken(alarm.stage):
            self._path.testing.taken(alarm, now_ms)
        if alarm.shown and self._foremost(alarm):
            self._feedback.begin(alarm.stage, alarm.number, now_ms, not alarm.asked)
        self._news.append((alarm.kind, alarm.number, alarm.stage))

    def _foremost(self, alarm):
        """Whether the light is this one's: an emergency's before all else, then the newest's."""
        newest = self._outbox.newest_told()
        if newest is None or newest.emergency != alarm.emergency:
            return newest is None or alarm.emergency
        return alarm.number >= newest.number

    def _commanded(self, _, command, way):
        said = self._parts.command(command, way)
        if said is None:
            said = self._commands.take(command, way), self._orders.told(command.code)
        self.send(codes.RESULT, pack_result(command.id, said[0]) + said[1], way)

    def _settled(self):
        self._heartbeat.every(self._settings.now.heartbeat_s * 1000, self._board.now_ms())
        self._parts.settled()

    # ---- what is told ----

    def _tell_parts(self):
        """News of events; then, with no alarm in the way, who is there to be handed something."""
        if self._outbox.gave_up_kind:
            self._news.append((self._outbox.gave_up_kind, self._outbox.gave_up_number, REFUSED))
            self._outbox.gave_up_kind = 0
        news, self._news = self._news, []
        for kind, number, stage in news:
            self._parts.stage(kind, number, stage)
        if self._outbox.waits():
            return
        if self._board.external_power():
            self._parts.connected(_SERIAL)
        if self._ble is not None:
            for handle, connection in list(self._ble.connections.items()):
                if connection.ready:
                    self._parts.connected(handle)

    def hello(self):
        """Say hello now."""
        self._path.enter()
        self._schedule.want_hello(self._board.now_ms())
        self._path.leave()

    def send(self, frame_type, body, way):
        """A frame by the way a question came; returns its counter, -1 when it did not go out."""
        self._path.enter()
        frame = self._envelope.report(frame_type, body)
        counter = self._envelope.last_question()
        gone = self._serial.write_long(frame) if way == _SERIAL else False
        self._path.leave()
        if way != _SERIAL and self._ble is not None:
            gone = self._ble.notify(frame, way)
        return counter if gone else -1

    def _beat(self, now_ms):
        """A heartbeat that is due: by cable at once, to whoever is connected, else a hello calls for a visit."""
        if self._parts.newly_out():
            # Not by way of its next turn: an answer to the one before would take that away.
            self._heartbeat.anew(now_ms)
        if self._heartbeat.begin(now_ms):
            # The first try is the cable's alone where there is one: who is there answers at once.
            by_cable = self._board.external_power() and self._send_heartbeat(_SERIAL)
            if self._ble is not None and not (by_cable and self._heartbeat.first_try):
                for connection in self._ble.connections.values():
                    connection.told_heartbeat = False
                self._path.enter()
                self._schedule.want_hello(now_ms)
                self._path.leave()
        self._path.heartbeat_waits = self._heartbeat.waits
        if self._heartbeat.waits and self._ble is not None:
            for handle, connection in list(self._ble.connections.items()):
                if connection.ready and not connection.told_heartbeat:
                    connection.told_heartbeat = True
                    self._send_heartbeat(handle)

    def _send_heartbeat(self, way):
        counter = self.send(codes.HEARTBEAT, self._heartbeat_body(), way)
        if counter >= 0:
            self._heartbeat.sent(counter)
        return counter >= 0

    def _heartbeat_body(self):
        flags = codes.HEARTBEAT_FLASH_FAILED if self._ledger.unsound else 0
        if self._clock.wants():
            flags |= codes.HEARTBEAT_WANTS_TIME
        flags |= self._parts.tell_out()
        body = pack_heartbeat(
            self._board.now_ms() // 1000,
            self._battery.mv,
            self._battery.percent if self._battery.percent >= 0 else codes.PERCENT_UNKNOWN,
            self.heap_low,
            VERSION,
            self._reset_cause,
            self._outbox.open_count(),
            flags,
        )
        activity = self._parts.activity()
        if activity is not None:
            body += bytes([codes.TLV_ACTIVITY, len(activity)]) + activity
        if self._settings.version:
            body += bytes([codes.TLV_SETTINGS, 4]) + self._settings.version.to_bytes(4, "big")
        return body

    def _tell_connected(self):
        """Each burst is told to connected gateways too: an alarm with all we know, a hello as it was said."""
        alarm, hello = self._path.burst_alarm, self._path.burst_hello
        if alarm is None and not hello:
            return
        if not any(connection.ready for connection in self._ble.connections.values()):
            # Whoever connects answers what it heard on the air; it need not be told that again.
            self._path.burst_alarm, self._path.burst_hello = None, False
            return
        self._path.enter()
        self._path.burst_alarm, self._path.burst_hello = None, False
        if hello:
            frame = bytes(self._envelope.air)
        elif alarm.used:
            frame = bytes(self._envelope.wire[: self._envelope.event_for_wire(alarm, self._board.now_ms())])
        else:
            frame = None
        self._path.leave()
        if frame is not None:
            self._ble.notify(frame)
