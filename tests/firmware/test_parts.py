"""Parts of a watch: each is asked, one that raises is out, and nothing of it stops anybody. Runs under both Pythons."""

from firmware.sos import no_parts, parts, schedule
from firmware.sos.alarm_path import AlarmPathDied
from protocol import codes, messages


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
    assert record[:4] == b"\x02\x02\x01\x02" and "41 bytes" in reach.logged[0]
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
    assert whole.newly_out() and whole.tell_out() == codes.HEARTBEAT_POSITIONS_OUT, "it is the second there is"


def test_the_flags_of_a_heartbeat_have_the_order_of_the_parts():
    assert [parts._flag(index) for index in range(len(no_parts.KINDS))] == [flag for _, flag in messages.PARTS]
    assert [name for name, _ in no_parts.KINDS] == [name for name, _ in messages.PARTS]


def test_one_that_is_dropped_is_told_at_once_and_then_in_each_heartbeat():
    _, whole, _ = made(Kept, Broken)
    assert (whole.newly_out(), whole.awake(1), whole.tell_out()) == (False, False, 0)
    whole.turn(1)
    assert whole.tell_out() and whole.awake(1), "no sleep before it is told, by more than one that was asked for"
    assert whole.newly_out() and not whole.newly_out() and not whole.awake(1)
    assert whole.tell_out() == whole.tell_out() == codes.HEARTBEAT_POSITIONS_OUT
    assert not whole.newly_out()


def after_a_sleep(whole, *found):
    """What is made when it wakes."""
    record = whole.keep()
    _, later, _ = made(*found)
    later.resume(record + bytes(20))
    return later


def test_after_a_sleep_one_that_fails_again_costs_no_heartbeat_and_is_well_when_it_comes_to_the_next():
    _, whole, _ = made(Broken)
    whole.turn(1)
    assert whole.newly_out()
    again = after_a_sleep(whole, Broken)
    assert not again.newly_out()
    assert again.tell_out() == codes.HEARTBEAT_SCREEN_OUT, "it has not shown yet that it works"
    again.turn(1)
    assert not again.newly_out() and again.tell_out() == codes.HEARTBEAT_SCREEN_OUT
    tried = after_a_sleep(again, Kept)
    assert tried.tell_out() == codes.HEARTBEAT_SCREEN_OUT and not tried.newly_out()
    for part, news in ((Kept, False), (Broken, True)):
        well = after_a_sleep(tried, part)
        assert well.tell_out() == 0 and well.keep() == made(part)[1].keep(), "nothing is left to keep of it"
        # A heartbeat has said that it works: if it fails now that is news.
        well.turn(1)
        assert well.newly_out() == news


def test_one_that_is_dropped_as_the_wearable_falls_asleep_is_told_when_it_wakes():
    class Asleep(Kept):
        def keep(self):
            raise ValueError("asleep")

    class Last(Kept):
        def next_ms(self, now_ms):  # noqa: ARG002
            raise ValueError("last")

    for part in (Asleep, Last):
        _, whole, _ = made(part)
        assert not whole.awake(1)
        whole.next_ms(1)
        woken = after_a_sleep(whole, part)
        assert woken.newly_out() and woken.tell_out() == codes.HEARTBEAT_SCREEN_OUT
        for _ in range(3):
            woken.next_ms(1)
            woken = after_a_sleep(woken, part)
            assert woken.tell_out() == codes.HEARTBEAT_SCREEN_OUT and not woken.newly_out(), "it does not come and go"
