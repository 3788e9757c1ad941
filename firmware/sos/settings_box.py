"""Settings on their way down: the parts of a box, collected and opened.

Owns that only what is whole, genuine and newer is handed on. Must not know flash, nor what a setting does.
"""

from protocol import box
from protocol.messages import NotUnderstood
from protocol.watchful import Part


class SettingsBox:
    """`trail_key`: under which the platform has sealed it."""

    def __init__(self, trail_key):
        self._key = trail_key
        # By their index; and of which version and how many they are.
        self._parts = {}
        self._coming = (0, 0)

    def take(self, args, lives_by):
        """(whether the part is done, version, what was in the box): None while it is not whole, or not to be taken.

        `lives_by`: the version in force. One that is older is not done; the same is, for it has been.
        """
        try:
            part = Part(args)
        except NotUnderstood:
            return False, 0, None
        if part.version <= lives_by:
            return part.version == lives_by, 0, None
        if self._coming != (part.version, part.count):
            self._coming = (part.version, part.count)
            self._parts = {}
        self._parts[part.index] = part.data
        if part.index != part.count - 1:
            return True, 0, None
        parts, self._parts = self._parts, {}
        if len(parts) != part.count:
            return False, 0, None
        sealed = b"".join([parts[i] for i in range(part.count)])
        content = box.opened(self._key, box.SETTINGS, sealed)
        if content is None or box.sequence(sealed) != part.version:
            return False, 0, None
        return True, part.version, content
