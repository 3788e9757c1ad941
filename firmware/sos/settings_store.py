"""What this wearable lives by: kept in flash, taken up again at each start.

Owns the file and its version. Must not know what a setting does, nor how they come (settings_box.py). A file that is
not whole is as good as none: then the defaults hold, and no version is told, so that they are sent again. It lies in a
folder of its own, for no write of it may cost the ledger (copies.py) an erase or a cut.
    "PAW1" | version (4) | content (n) | CRC-32 little endian (4)
"""

from os import mkdir, rename, stat

from protocol.messages import NotUnderstood
from protocol.settings import Settings, unpack

from . import crc

_FOLDER = "/lives_by"
_NAME = "/settings"
_NEW = "/settings.new"
_MAGIC = b"PAW1"
_HEAD_SIZE = 8
# More than a box has room for (protocol/watchful.py: four parts of 224 bytes).
_CONTENT_MOST = 896
_EEXIST = 17
_EIO = 5


class SettingsStore:
    """`now`: the Settings in force, always whole. `version`: theirs, 0 for the defaults. `folder`: "" without flash."""

    def __init__(self, trail_key, folder, log):
        self._key = trail_key
        self._log = log
        self.folder = folder
        self.now = Settings()
        self.version = 0
        # What is coming; None until the first part has.
        self._box = None
        self._load()

    def take(self, args):
        """A COMMAND_SETTINGS: whether the part is kept, and with the last one, whether the settings are in force.

        Raises nothing: what does not belong here, is older, or is not genuine is not done.
        """
        if self._box is None:
            from .settings_box import SettingsBox  # comes hardly ever

            self._box = SettingsBox(self._key)
        done, version, content = self._box.take(args, self.version)
        return done if content is None else self._live_by(version, content)

    def _live_by(self, version, content):
        try:
            settings = unpack(content)
            self._write(version, content)
        except NotUnderstood:
            return False
        except OSError as error:
            self._log("settings cannot be kept: %s" % error)
            return False
        self.now = settings
        self.version = version
        return True

    def _write(self, version, content):
        """Wholly the old or wholly the new, wherever power goes. Raises OSError when flash does not take it."""
        record = bytearray(_MAGIC + version.to_bytes(4, "big") + content + bytes(crc.SIZE))
        sum_at = len(record) - crc.SIZE
        crc.write(record, 0, sum_at, sum_at)
        if not self.folder:
            raise OSError(_EIO)
        folder = self.folder + _FOLDER
        try:
            mkdir(folder)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
        with open(folder + _NEW, "wb") as file:
            if file.write(record) != len(record):
                raise OSError(_EIO)
        rename(folder + _NEW, folder + _NAME)

    def _load(self):
        record = self._read()
        sum_at = len(record) - crc.SIZE
        if sum_at < _HEAD_SIZE or record[:4] != _MAGIC or not crc.holds(record, 0, sum_at, sum_at):
            return
        try:
            self.now = unpack(bytes(record[_HEAD_SIZE:sum_at]))
            self.version = int.from_bytes(record[4:_HEAD_SIZE], "big")
        except NotUnderstood:
            self.now = Settings()

    def _read(self):
        name = self.folder + _FOLDER + _NAME
        if not self.folder:
            return b""
        try:
            stat(name)
            with open(name, "rb") as file:
                return file.read(_HEAD_SIZE + _CONTENT_MOST + crc.SIZE)
        except OSError:
            return b""  # never written, or not to be read: either way it has none
