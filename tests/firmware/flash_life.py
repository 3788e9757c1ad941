"""A wearable's life on a hostile chip, and what must be so whenever it starts again. Runs on MicroPython.

Owns the scripts, the list of what the wearer was promised, and the checks. Must not know how cells are left
(nor_chip.py). The application is whole and real: sos/app.py from its first line on, by way of sos/start.py.
"""

import vfs
from flash_settings import living, settled
from nor_chip import Chip, Port
from sos import identity, stages
from sos.app import App
from sos.ledger import Ledger
from virtual_board import BY_WATCHDOG, POWER_CUT, WATCHDOG, Body

from protocol import codes, keys

KEYS = keys.derive(b"test_only_root_1")
BLOCKS = 10
_OVER = (stages.CLOSED, stages.REFUSED, stages.CANCELLED)


class Broken(Exception):
    """What must not be is."""


class Promises:
    """What the wearer was told and the world has heard. `must`: number -> stage shown; `highest`: counter, number."""

    def __init__(self, other=None):
        self.must = dict(other.must) if other else {}
        # Taken back: it is there, or an event that says so.
        self.either = dict(other.either) if other else {}
        # The version that a command said is done, and the one that is being given.
        self.settings = other.settings if other else 0
        self.settling = other.settling if other else 0
        self.counter = other.counter if other else -1
        self.number = other.number if other else 0

    def seen(self, stage, number):
        if stage in (stages.PRESSED, stages.FALLING) or (
            number in self.must and stage in (codes.STORED, codes.ACCEPTED, codes.ANSWERED)
        ):
            self.must[number] = stage
        elif stage in _OVER:
            self.must.pop(number, None)

    def spoken(self, counter):
        if counter <= self.counter:
            raise Broken(f"counter {counter} after {self.counter}")
        self.counter = counter

    def let_go(self, number):
        """Its end has been said by a gateway: it may be there still."""
        self.must.pop(number, None)

    def check(self, app):
        """Raises Broken when something that was promised is not there."""
        there = {alarm.number: alarm for alarm in app._outbox.alarms if alarm.used}
        for number, stage in self.must.items():
            alarm = there.get(number)
            if alarm is None:
                raise Broken(f"alarm {number} is forgotten")
            if alarm.pending:
                raise Broken(f"alarm {number} waits for a window that nobody watches")
            if stages.rank(alarm.stage) < stages.rank(stage):
                raise Broken(f"alarm {number} was shown as {stage} and is {alarm.stage}")
        for number in self.either:
            if number not in there and not [a for a in there.values() if takes_back(a, number)]:
                raise Broken(f"alarm {number} was taken back and nothing says so")
        self.check_settings(app._settings)

    def check_settings(self, settings):
        """What a command said is done is lived by, and of two it is wholly one."""
        if settings.version not in (self.settings, self.settling):
            raise Broken(f"lives by {settings.version} after {self.settings} and {self.settling}")
        if settings.version and settings.now.pack() != living(settings.version).pack():
            raise Broken(f"settings {settings.version} are not what was given")


def takes_back(alarm, number):
    """Whether this event says that the alarm of that number was none."""
    if alarm.kind == codes.FALL_RECOVERED:
        return alarm.number == number + 1
    return alarm.kind == codes.SOS_CANCELLED and alarm.number - alarm.detail == number


def formatted(chip):
    """An empty file system with an identity, as provisioning leaves it."""
    port = Port(chip)
    vfs.VfsLfs2.mkfs(port, readsize=32, progsize=128)
    vfs.mount(vfs.VfsLfs2(port, readsize=32, progsize=128), "/flash")
    with open("/flash/identity", "wb") as file:
        file.write(identity.pack(KEYS))
    vfs.umount("/flash")


def aged(commits):
    """A chip on which so many commits have been made: littlefs moves its blocks at some ages only."""
    chip = Chip(BLOCKS)
    formatted(chip)
    port = Port(chip)
    vfs.mount(vfs.VfsLfs2(port, readsize=32, progsize=128), "/flash")
    if commits:
        ledger = Ledger()
        ledger.load("/flash")
        for _ in range(commits):
            ledger.commit()
        ledger.mirror()
        ledger._copies.close()
    vfs.umount("/flash")
    chip.erases = {}
    return chip


def application(board):
    app = board.app = App(board)
    app.run()


# ---- one life, with everything that writes flash ----


def _newest(body):
    return body.board.app._outbox.newest_emergency()


def press(body, ms):
    body.board.press(True)
    yield ms
    body.board.press(False)
    yield 100


def held(body):
    yield from press(body, 1100)
    yield 200


def answered(body, number, *said):
    for stage in said:
        if stage in (codes.CLOSED, codes.REFUSED):
            body.promises.let_go(number)
        body.board.answer(stage, number)
        yield 300


def closed(body):
    """A hold and its whole way."""
    yield from held(body)
    number = _newest(body).number
    yield from answered(body, number, codes.STORED, codes.ACCEPTED, codes.ANSWERED, codes.CLOSED)


def refused(body):
    yield from held(body)
    yield from answered(body, _newest(body).number, codes.NO_PATH, codes.BUSY, codes.REFUSED)


def short(body):
    yield from press(body, 120)
    yield 10500
    yield from answered(body, _newest(body).number, codes.STORED)


def taken_back(body):
    yield from press(body, 120)
    yield 1300
    number = _newest(body).number
    yield from press(body, 120)
    yield from press(body, 120)
    body.promises.either[number] = True
    body.promises.let_go(number)
    yield from press(body, 120)
    yield 1500
    # Its `sos_cancelled` is refused, so that it makes no difference to what follows.
    body.promises.either.pop(number)
    yield from answered(body, number + 1, codes.REFUSED)


def fallen(body):
    """A fall that counts down, and is taken back by a press."""
    path = body.board.app._path
    path.enter()
    path.presses.fall(body.board.now_ms(), 30000)
    path.leave()
    yield 1000
    number = path.presses.falls.alarm.number
    yield from press(body, 120)
    body.promises.either[number] = True
    body.promises.let_go(number)
    yield 1500
    body.promises.either.pop(number)
    yield from answered(body, number + 1, codes.REFUSED)


def many(body, count):
    for _ in range(count):
        yield from held(body)
        yield 500


def end_all(body):
    for alarm in list(body.board.app._outbox.alarms):
        if alarm.used:
            yield from answered(body, alarm.number, codes.CLOSED)


def life(body):
    """About everything that ever writes flash."""
    yield 500
    yield from closed(body)
    yield from short(body)
    yield from taken_back(body)
    yield POWER_CUT
    yield 500
    yield from refused(body)
    yield from press(body, 120)
    yield WATCHDOG
    yield 500
    yield from end_all(body)
    yield from settled(body, KEYS.trail, 1)
    yield from settled(body, KEYS.trail, 2)
    yield from press(body, 120)
    yield 1500
    yield from end_all(body)
    yield from fallen(body)
    body.battery_mv = 3400
    yield 600000
    body.battery_mv = 4100
    yield 60000
    yield from many(body, 18)
    # A cable that is away for a while: the wearable sleeps, and goes on from RTC memory.
    body.cable = False
    yield 120000
    body.cable = True
    yield 500
    yield from end_all(body)
    yield POWER_CUT
    yield 1000
    yield from closed(body)


def next_press(body):
    """After a cut: is all there, and does the next press go through?"""
    yield 60
    body.promises.check(body.board.app)
    before = body.promises.counter
    yield from held(body)
    newest = _newest(body)
    if newest is None or newest.number not in body.promises.must:
        raise Broken("the next press was not shown")
    if body.promises.counter <= before:
        raise Broken("the next press was not sent")


def still_there(body):
    yield 60
    body.promises.check(body.board.app)


def run(chip, script, promises):
    """A script to its end, over all the starts it takes. Returns the body."""
    body = Body(chip, KEYS, promises.seen)
    body.promises = promises
    body.spoken = promises.spoken
    chip.note = lambda: Promises(promises)
    return live(body, script)


def live(body, script):
    """All the starts that a script takes. Returns the body."""
    body.script = script(body)
    while True:
        how = body.live(application)
        if how is None:
            return body
        if how == POWER_CUT:
            body.power_off()
        elif how == WATCHDOG:
            body.cause = BY_WATCHDOG
        else:
            body.cause = how
