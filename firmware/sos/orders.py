"""What each command does. Owns their arguments and when one cannot be done; an alarm always goes before it.

Must not know ids, nor by which link a result goes (dialogue.py). Runs in the main loop; shares with the alarm path
between its enter() and leave().
"""

from protocol import codes
from protocol.messages import NotUnderstood, pack_tested

LOCATE_MOST_S = 60
# Long enough to walk through a home once; a forgotten test ends soon, and costs little of the battery.
TEST_MOST_S = 900


class Orders:
    """`actions`: what Commands takes. `beat(way)` sends a heartbeat; `settled()`: the settings are new."""

    def __init__(self, board, path, ledger, feedback, settings, clock, parts, beat, settled):
        self._board = board
        self._path = path
        self._presses = path.presses
        self._ledger = ledger
        self._feedback = feedback
        self._settings = settings
        self._clock = clock
        self._parts = parts
        self._settled = settled
        self.actions = {
            codes.COMMAND_LOCATE: self._locate,
            codes.COMMAND_HEARTBEAT: lambda _, way: beat(way),
            codes.COMMAND_TEST: self._test,
            codes.COMMAND_PROMPT: self._prompt,
            codes.COMMAND_SETTINGS: self._settle,
            codes.COMMAND_TIME: self._set_time,
        }

    def told(self, code):
        """What goes on behind the result of this command."""
        if code == codes.COMMAND_TEST:
            testing = self._presses.testing
            return pack_tested(testing.number, testing.seen, testing.took_ms)
        if code == codes.COMMAND_PROMPT:
            worn = self._parts.worn()
            return bytes([codes.WORN_UNKNOWN if worn is None else worn])
        return b""

    def _locate(self, args, _):
        """Not while an SOS can still be taken back: then the wearer must see that."""
        seconds = min(args[0], LOCATE_MOST_S) if args else 0
        if not seconds:
            return False
        self._path.enter()
        counting = self._presses.gestures.counting or self._presses.falls.alarm is not None
        if not counting:
            self._feedback.locate(self._board.now_ms(), seconds * 1000)
        self._path.leave()
        return not counting

    def _test(self, args, _):
        """Arm for so long, or end it. Not while there is a real alarm."""
        if len(args) < 2:
            return False
        seconds = min(args[0] << 8 | args[1], TEST_MOST_S)
        cancels = len(args) > 2 and bool(args[2] & codes.TEST_CANCELS)
        now_ms = self._board.now_ms()
        self._path.enter()
        done = True
        if seconds:
            done = self._presses.arm(now_ms, seconds * 1000, cancels)
        else:
            self._presses.testing.end(now_ms)
            self._ledger.commit()
        self._path.leave()
        return done

    def _prompt(self, args, _):
        from protocol.watchful import Prompt  # here and below: where nobody is asked it costs no memory

        try:
            prompt = Prompt(args)
        except NotUnderstood:
            return False
        if prompt.kind > codes.PROMPT_LOOK:
            return False  # one of a later protocol: there is no page for it
        self._path.enter()
        done = self._presses.ask(prompt, self._board.now_ms())
        self._path.leave()
        return done

    def _settle(self, args, _):
        before = self._settings.version
        done = self._settings.take(args)
        if self._settings.version != before:
            self._settled()
        return done

    def _set_time(self, args, _):
        from protocol.watchful import Time

        try:
            time = Time(args)
        except NotUnderstood:
            return False
        self._clock.set(time.unix_s, time.offset_minutes)
        return True
