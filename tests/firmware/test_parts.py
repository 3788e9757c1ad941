"""Parts of a watch: each is asked, one that raises is out, and nothing of it stops anybody. Runs under both Pythons."""

from firmware.sos import parts, schedule
from firmware.sos.alarm_path import AlarmPathDied
from protocol import codes


class Board:
    has_screen = has_gnss = True
    has_wings = False

    def __init__(self):
        self.flushed = []
        self.receiver = []

    def flush(self, palette):
        self.flushed.append(palette)

    def gnss(self, on):
        self.receiver.append(on)


class Reach:
    def __init__(self):
        self.board = Board()
        self.motion = None
        self.logged = []

    def log(self, text):
        self.logged.append(text)


class Kept(parts.Part):
    """Answers everything, notes what it was told."""

    def __init__(self, reach):
        super().__init__(reach)
        self.told = []

    def turn(self, now_ms):
        self.told.append(now_ms)

    def next_ms(self, now_ms):
        return now_ms + 7

    def awake(self, now_ms):
        return now_ms > 100

    def keep(self):
        return b"\x01\x02"

    def resume(self, data):
        self.told.append(data)

    def command(self, command, way):  # noqa: ARG002
        return (codes.RESULT_DONE, b"more") if command == "mine" else None

    def worn(self):
        return codes.WORN


class Broken(parts.Part):
    def turn(self, now_ms):  # noqa: ARG002
        raise ValueError("broken")


def made(*found):
    """Parts of these, as if boards had them."""
    reach = Reach()
    whole = parts.Parts(reach, [("part" + str(index), ("has_wings",)) for index in range(len(found))])
    whole._parts = [(index, part(reach)) for index, part in enumerate(found)]
    return reach, whole, [part for _, part in whole._parts]


def test_without_parts_there_is_nothing_to_do_and_nothing_to_keep():
    _, whole, _ = made()
    whole.turn(1)
    assert (whole.next_ms(1), whole.awake(1), whole.keep()) == (schedule.NEVER, False, b"")
    assert whole.command("mine", -1) is whole.activity() is whole.worn() is None


def test_a_part_that_raises_is_dropped_and_the_others_go_on():
    reach, whole, (_, kept) = made(Broken, Kept)
    whole.turn(1)
    whole.turn(2)
    assert kept.told == [1, 2]
    assert len(reach.logged) == 1 and "broken" in reach.logged[0]


def dropped(name, board=None):
    """A part of this name that has raised, and nothing else."""
    reach, whole, _ = made(Broken)
    reach.board = board or reach.board
    whole._kinds = [(name, ("has_wings",))]
    reach.board.flush((1, 2))
    reach.board.gnss(True)
    whole.turn(1)
    whole.turn(2)
    return reach


def test_a_dropped_screen_is_dark_and_a_dropped_receiver_is_off():
    board = dropped("screen").board
    assert (board.flushed, board.receiver) == ([(1, 2), None], [True])
    board = dropped("positions").board
    assert (board.flushed, board.receiver) == ([(1, 2)], [True, False])
    board = dropped("motion").board
    assert (board.flushed, board.receiver) == ([(1, 2)], [True])


def test_what_cannot_be_put_out_is_said_and_stops_nobody():
    class Burnt(Board):
        def flush(self, palette):
            if palette is None:
                raise OSError(5)

    reach = dropped("screen", Burnt())
    assert len(reach.logged) == 2 and "dropped" in reach.logged[0] and "OSError" in reach.logged[1]


def test_a_dead_alarm_path_is_no_parts_fault():
    class Unlucky(parts.Part):
        def turn(self, now_ms):  # noqa: ARG002
            raise AlarmPathDied

    reach, whole, _ = made(Unlucky)
    try:
        whole.turn(1)
    except AlarmPathDied:
        assert not reach.logged
        return
    raise AssertionError("it was swallowed")


def test_the_first_that_has_an_answer_is_believed_and_the_soonest_wakes():
    _, whole, _ = made(parts.Part, Kept)
    assert whole.next_ms(1) == 8
    assert whole.awake(101) and not whole.awake(100)
    assert whole.command("mine", -1) == (codes.RESULT_DONE, b"more") and whole.command("other", -1) is None
    assert whole.worn() == codes.WORN


def test_what_a_part_keeps_comes_back_to_it_alone_and_who_keeps_too_much_is_out():
    class Greedy(parts.Part):
        def keep(self):
            return bytes(parts.KEEP_MOST + 1)

    reach, whole, _ = made(parts.Part, Greedy, Kept)
    record = whole.keep()
    assert record == b"\x02\x02\x01\x02" and "41 bytes" in reach.logged[0]
    _, later, (first, _, kept) = made(Kept, parts.Part, Kept)
    later.resume(record + bytes(20))
    assert (first.told, kept.told) == ([], [b"\x01\x02"])


def test_a_board_without_a_part_never_imports_it_and_one_that_does_not_start_stops_nothing():
    reach = Reach()
    whole = parts.Parts(reach, (("nowhere", ("has_wings",)), ("missing", ("has_gnss", "has_screen"))))
    assert not reach.logged, "not before it is started"
    whole.start(b"")
    whole.turn(1)
    assert len(reach.logged) == 1 and "missing" in reach.logged[0]
