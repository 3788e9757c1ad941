"""Motion as a part where the chip is not as it should be: it never runs dry. Runs under both Pythons."""

from firmware.sos.motion import part
from tests.firmware.test_motion_part import Board, Reach


class Endless(Board):
    """A chip that is always full."""

    def __init__(self):
        super().__init__()
        self.reads = 0

    def samples(self, buf):
        self.reads += 1
        assert self.reads < 100, "one turn must end"
        for i in range(0, len(buf), 3):
            buf[i], buf[i + 1], buf[i + 2] = 0, 0, 1000
        return len(buf) // 3


def test_a_chip_that_never_runs_dry_is_read_a_few_times_a_turn():
    motion = part.make(Reach(Endless()))
    motion.turn(20)
    assert motion.reach.board.reads == 3
    motion.turn(40)
    assert motion.reach.board.reads == 6
