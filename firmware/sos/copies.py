"""The ledger's two files. Each lies in a pair of littlefs blocks of its own, so that no one block can take both.

Owns opening, making and writing them, and which is written first. Must not know what is in them. A worn block, or a
bit that a cell has lost in years, makes littlefs refuse one file or fall back to an older state of it without a word;
the other file has what is missing. write() takes no heap.
"""

from os import mkdir, rename, stat

COPIES = 2
_FOLDERS = ("", "/second")
_NAME = "/ledger"
_NEW = "/ledger.new"
_ENOENT = 2
_EEXIST = 17
_EIO = 5
# So many writes go through both blocks of the pair (seven fit into one): each then has all that lies in it.
_FIRST_WRITES = 16


class Copies:
    """`folder`: where they lie, None before it is known. `worn`: one of the two does not take what it is given.

    `behind`: the other one has yet to get the last image.
    """

    def __init__(self):
        self.worn = False
        self.behind = False
        self.folder = None
        self._files = [None] * COPIES
        self._first = 0

    @property
    def usable(self):
        """Whether there is any file to write to."""
        return self._files[0] is not None or self._files[1] is not None

    def open(self, folder, size):
        """Open what there is. Returns per copy its first `size` bytes, None where there is no file yet.

        Raises OSError where neither can be opened but for one that was never made.
        """
        self.folder = folder
        found = []
        failure = None
        for copy in range(COPIES):
            try:
                found.append(self._open(copy, size))
            except OSError as error:
                failure = error
                found.append(b"")
        if failure is not None and not self.usable:
            raise failure
        return found

    def make(self, copy, image):
        """Make a file that was never there. Raises OSError."""
        folder = self.folder + _FOLDERS[copy]
        try:
            if _FOLDERS[copy]:
                mkdir(folder)
        except OSError as error:
            if error.errno != _EEXIST:
                raise
        with open(folder + _NEW, "wb") as file:
            if file.write(image) != len(image):
                raise OSError(_EIO)
        rename(folder + _NEW, folder + _NAME)
        self._open(copy, len(image))
        for _ in range(_FIRST_WRITES):
            self._put(copy, image)

    def write(self, image):
        """Into one of them, by which this returns True; mirror() is for the other. No heap."""
        self.behind = True
        if self._put(self._first, image):
            return True
        self.worn = True
        self._first = 1 - self._first
        return self._put(self._first, image)

    def mirror(self, image):
        """When there is time: the last image into the other file, too. One failure is enough until the next write."""
        if self.behind:
            self.behind = False
            self.worn = not self._put(1 - self._first, image)

    def close(self):
        """Before open() is tried anew: nothing that old files hold in RAM is relied on."""
        for file in self._files:
            try:
                if file is not None:
                    file.close()
            except OSError:
                pass  # it was broken before
        self._files = [None] * COPIES
        self._first = 0

    def _put(self, copy, image):
        file = self._files[copy]
        if file is None:
            return False
        try:
            file.seek(0)
            # The whole of it, always: after an error littlefs says "done" to a flush() that follows no new write().
            written = file.write(image)
            file.flush()
        except OSError:
            return False
        return written == len(image)

    def _open(self, copy, size):
        name = self.folder + _FOLDERS[copy] + _NAME
        try:
            stat(name)
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            return None
        file = open(name, "r+b")
        content = file.read(size)
        self._files[copy] = file
        return content
