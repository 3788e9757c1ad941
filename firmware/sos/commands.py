"""What the gateway may ask of the wearable: each id done once, its result told each time; what failed may be retried.

Owns the last ids. Must not know links, nor what a command does (orders.py).
"""

from protocol import codes

_REMEMBERED = 8


class Commands:
    """`actions`: by code, do(args, way): whether it worked. Whatever has no action here, nobody knows."""

    def __init__(self, actions):
        self._actions = actions
        self._done = []

    def take(self, command, way):
        """Do it unless it was done; return the result code to tell. `way`: that by which the command came."""
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
        action = self._actions.get(command.code)
        if action is None:
            return codes.RESULT_UNKNOWN
        return codes.RESULT_DONE if action(command.args, way) else codes.RESULT_FAILED
