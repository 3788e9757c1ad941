"""The conversation with gateways: what they say, and what is told them beyond alarms and hellos.

Owns answers, commands, heartbeats and what connected gateways are handed. Runs in the main loop and may take heap;
shares the envelope, the outbox and the serial line with the alarm path, between its enter() and leave().
"""

import gc

from protocol import codes
from protocol.messages import pack_heartbeat, pack_result, pack_tested

from . import VERSION
from .answers import Answers
from .commands import Commands
from .stages import taken

# A stranger must not hold the only connection (protocol/README.md section 8.2).
_IDLE_MS = 15000
_SERIAL = -1
_FLASH_FAILED = 0x01


class Dialogue:
    """turn() is called by the main loop as often as it turns."""

    def __init__(self, board, keys, path, outbox, ledger, envelope, plan, feedback, ble, serial, beat, battery, cause):
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
        self._reset_cause = cause
        self._answers = Answers(keys, envelope, self._answered, self._commanded)
        self._commands = Commands(self._locate, self._send_heartbeat, self._test)
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
            self._ble.drop_idle(now_ms, _IDLE_MS)
        self._beat(now_ms)

    # ---- what comes ----

    def _take_ble(self, now_ms):
        while self._ble.inbox:
            handle, frame = self._ble.inbox.pop(0)
            connection = self._ble.connections.get(handle)
            if self._answers.take(frame, handle) and connection is not None:
                connection.genuine_ms = now_ms

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
        """News of an alarm: into flash, and to the wearer when it is the newest emergency, or the newest test."""
        if alarm is None:
            return
        self._ledger.commit()
        self._schedule.news(now_ms)
        newest = self._outbox.newest_told()
        if alarm.test and not alarm.detail:
            if taken(alarm.stage):
                self._path.testing.taken(alarm, now_ms)
        elif not alarm.emergency or alarm.kind == codes.SOS_CANCELLED:
            return
        if newest is None or alarm.number >= newest.number:
            self._feedback.begin(alarm.stage, alarm.number, now_ms)

    def _commanded(self, _, command, way):
        result = self._commands.take(command, way)
        more = self._test_so_far() if command.code == codes.COMMAND_TEST else b""
        self._send(codes.RESULT, pack_result(command.id, result) + more, way)

    def _locate(self, seconds):
        """Not while an SOS can still be taken back: then the wearer must see that."""
        self._path.enter()
        counting = self._path.gestures.counting
        if not counting:
            self._feedback.locate(self._board.now_ms(), seconds * 1000)
        self._path.leave()
        return not counting

    def _test(self, seconds, cancels):
        """Arm for so long, or end it. Not while there is a real alarm."""
        now_ms = self._board.now_ms()
        self._path.enter()
        done = True
        if seconds:
            done = self._path.arm(now_ms, seconds * 1000, cancels)
        else:
            self._path.testing.end(now_ms)
            self._ledger.commit()
        self._path.leave()
        return done

    def _test_so_far(self):
        """What became of the newest test, for a RESULT."""
        testing = self._path.testing
        return pack_tested(testing.number, testing.seen, testing.took_ms)

    # ---- what is told ----

    def _send(self, frame_type, body, way):
        """A frame by the way a question came; returns its counter, -1 when it did not go out."""
        self._path.enter()
        frame = self._envelope.report(frame_type, body)
        counter = self._envelope.last_question()
        gone = self._serial.write(frame, len(frame)) if way == _SERIAL else False
        self._path.leave()
        if way != _SERIAL and self._ble is not None:
            gone = self._ble.notify(frame, way)
        return counter if gone else -1

    def _beat(self, now_ms):
        """A heartbeat that is due: by cable at once, to whoever is connected, else a hello calls for a visit."""
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
        counter = self._send(codes.HEARTBEAT, self._heartbeat_body(), way)
        if counter >= 0:
            self._heartbeat.sent(counter)
        return counter >= 0

    def _heartbeat_body(self):
        return pack_heartbeat(
            self._board.now_ms() // 1000,
            self._battery.mv,
            self._battery.percent if self._battery.percent >= 0 else codes.PERCENT_UNKNOWN,
            self.heap_low,
            VERSION,
            self._reset_cause,
            self._outbox.open_count(),
            _FLASH_FAILED if self._ledger.unsound else 0,
        )

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
