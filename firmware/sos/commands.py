"""What the gateway may ask of the wearable: each id done once, its result told each time; what failed may be retried.

Owns the list of commands and the last ids. Must not know links, nor what test mode does. Nothing here can touch an
alarm.
"""

from protocol import codes

_REMEMBERED = 8
LOCATE_MOST_S = 60
# Long enough to walk through a home once; a forgotten test ends soon, and costs little of the battery.
TEST_MOST_S = 900


class Commands:
    """`locate(seconds)`, `beat(way)` and `test(seconds, cancels)` say whether it worked.

    `way`: that by which the command came, and the heartbeat goes. 0 seconds end a test.
    """

    def __init__(self, locate, beat, test):
        self._locate = locate
        self._beat = beat
        self._test = test
        self._done = []

    def take(self, command, way):
        """Do it unless it was done; return the result code to tell."""
        for known, result in self._done:
            if known == command.id:
                return result
        result = self._do(command, way)
        if result != codes.RESULT_FAILED:
            self._done.append((command.id, result))
            if len(self._done) > _REMEMBERED:
                self._done.pop(0)
        return result

    def _do(self, command, way):
        if command.code == codes.COMMAND_LOCATE:
            seconds = min(command.args[0], LOCATE_MOST_S) if command.args else 0
            if not seconds:
                return codes.RESULT_FAILED
            return codes.RESULT_DONE if self._locate(seconds) else codes.RESULT_FAILED
        if command.code == codes.COMMAND_HEARTBEAT:
            return codes.RESULT_DONE if self._beat(way) else codes.RESULT_FAILED
        if command.code == codes.COMMAND_TEST:
            return codes.RESULT_DONE if self._take_test(command.args) else codes.RESULT_FAILED
        return codes.RESULT_UNKNOWN

    def _take_test(self, args):
        if len(args) < 2:
            return False
        seconds = min(args[0] << 8 | args[1], TEST_MOST_S)
        return self._test(seconds, len(args) > 2 and bool(args[2] & codes.TEST_CANCELS))
