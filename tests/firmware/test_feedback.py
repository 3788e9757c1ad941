"""What the wearer sees and feels. Runs under both Pythons."""

from firmware.sos import feedback as f
from firmware.sos import stages

TOLD = (
    stages.PRESSED,
    stages.COUNTING,
    stages.STORED,
    stages.ACCEPTED,
    stages.ANSWERED,
    stages.CLOSED,
    stages.NO_PATH,
    stages.BUSY,
    stages.REFUSED,
    stages.CANCELLED,
    stages.LOCATING,
    stages.ARMED,
    stages.PROMPTED,
    stages.FALLING,
)


class Body:
    """Notes what changes: `light` and `motor` as (ms, value), `shows` as (stage, number)."""

    def __init__(self):
        self.now_ms = 0
        self.light = [(0, 0)]
        self.motor_on = [(0, False)]
        self.shows = []

    def led(self, rgb):
        if rgb != self.light[-1][1]:
            self.light.append((self.now_ms, rgb))

    def motor(self, on):
        if on != self.motor_on[-1][1]:
            self.motor_on.append((self.now_ms, on))

    def show(self, stage, number):
        self.shows.append((stage, number))


def play(body, feedback, ms):
    end_ms = body.now_ms + ms
    while body.now_ms < end_ms:
        body.now_ms += 20
        feedback.tick(body.now_ms)


def rhythm(changes):
    """Lengths of on and off, colours left aside, in units of 100 ms: what an eye or a skin tells apart."""
    lengths = []
    for (start, value), (end, _) in zip(changes, changes[1:]):  # noqa: B905, RUF007  MicroPython has neither
        if lengths or value:
            lengths.append((bool(value), (end - start + 50) // 100))
    return tuple(lengths)


def rhythms(stage):
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stage, 1, 0)
    play(body, feedback, 6000)
    return rhythm(body.light), rhythm(body.motor_on)


def test_every_stage_differs_from_every_other_in_light_alone_and_in_vibration_alone():
    for channel in (0, 1):
        found = {}
        for stage in TOLD:
            pattern = rhythms(stage)[channel]
            assert pattern, stages.NAMES[stage]
            other = found.setdefault(pattern, stage)
            assert other == stage, (channel, stages.NAMES[other], stages.NAMES[stage])


def test_a_pattern_ends_dark_and_still():
    for stage in TOLD:
        if stage in (stages.COUNTING, stages.LOCATING, stages.FALLING):
            continue
        body = Body()
        feedback = f.Feedback(body)
        feedback.begin(stage, 1, 0)
        play(body, feedback, 7500)
        assert not feedback.playing
        assert (body.light[-1][1], body.motor_on[-1][1]) == (0, False), stages.NAMES[stage]


def test_no_path_is_said_again_at_least_once_a_minute_by_light_and_vibration():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.NO_PATH, 3, 0)
    play(body, feedback, 10 * 60000)
    for changes in (body.light, body.motor_on):
        starts = [ms for ms, value in changes if value]
        assert max(later - earlier for earlier, later in zip(starts, starts[1:])) <= 60000  # noqa: B905, RUF007
    assert body.shows == [(stages.NO_PATH, 3)]


def test_who_waits_for_help_is_reminded_by_light_but_not_shaken():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.ACCEPTED, 3, 0)
    play(body, feedback, 3000)
    shaken = len(body.motor_on)
    lit = len(body.light)
    play(body, feedback, 60000)
    assert len(body.motor_on) == shaken and len(body.light) > lit


def test_counting_goes_on_until_something_else_is_to_be_told():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.COUNTING, 1, 0)
    play(body, feedback, 12000)
    assert feedback.playing
    feedback.begin(stages.STORED, 1, body.now_ms)
    play(body, feedback, 3000)
    assert body.shows == [(stages.COUNTING, 1), (stages.STORED, 1)]


def test_locating_ends_by_itself_and_what_was_told_before_is_told_again():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.ACCEPTED, 7, 0)
    feedback.locate(100, 5000)
    feedback.locate(200, 5000)
    play(body, feedback, 7000)
    assert body.shows[-1] == (stages.ACCEPTED, 7)
    assert [stage for stage, _ in body.shows] == [
        stages.ACCEPTED, stages.LOCATING, stages.LOCATING, stages.ACCEPTED
    ]  # fmt: skip


def test_after_a_sleep_nothing_is_played_but_no_path_comes_again_in_time():
    body = Body()
    feedback = f.Feedback(body)
    feedback.resume(stages.NO_PATH, 5, -50000)
    assert not feedback.playing and feedback.next_ms(0) == 10000
    play(body, feedback, 10500)
    assert any(value for _, value in body.motor_on)


def test_of_what_is_no_emergency_no_path_shakes_once_and_wakes_nobody():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.NO_PATH, 3, 0, False)
    play(body, feedback, 3000)
    shaken, lit = len(body.motor_on), len(body.light)
    assert feedback.next_ms(body.now_ms) > body.now_ms + 86400000
    play(body, feedback, 10 * 60000)
    assert len(body.motor_on) == shaken and len(body.light) > lit
    feedback.locate(body.now_ms, 1000)
    play(body, feedback, 3000)
    assert (feedback.stage, feedback.urgent) == (stages.NO_PATH, False)


def test_armed_is_shown_again_and_again_by_light_alone_and_never_looks_like_a_stage():
    body = Body()
    feedback = f.Feedback(body)
    feedback.begin(stages.ARMED, 0, 0)
    play(body, feedback, 3000)
    shaken = len(body.motor_on)
    play(body, feedback, 60000)
    assert len(body.motor_on) == shaken
    starts = [ms for ms, value in body.light if value]
    assert max(later - earlier for earlier, later in zip(starts, starts[1:])) <= 4000  # noqa: B905, RUF007
    used = set()
    for stage in TOLD:
        if stage != stages.ARMED:
            used |= {rgb for _, rgb, _ in f.PATTERNS[stage] if rgb}
    assert f.PATTERNS[stages.ARMED][0][1] not in used, "a colour of its own"


def test_what_was_seen_is_what_was_played_to_its_end():
    body = Body()
    feedback = f.Feedback(body)
    feedback.watch(7)
    assert feedback.seen == stages.HEARD
    feedback.begin(stages.PRESSED, 7, 0)
    play(body, feedback, 1000)
    assert feedback.seen == stages.HEARD, "a stage of its own says of nobody that he has it"
    feedback.begin(stages.STORED, 7, body.now_ms)
    play(body, feedback, 1000)
    assert feedback.seen == stages.STORED
    feedback.begin(stages.ACCEPTED, 7, body.now_ms)
    play(body, feedback, 500)
    feedback.begin(stages.CLOSED, 8, body.now_ms)
    play(body, feedback, 3000)
    assert feedback.seen == stages.STORED, "broken off, and another's"
    feedback.begin(stages.CLOSED, 7, body.now_ms)
    play(body, feedback, 2000)
    feedback.begin(stages.IDLE, 0, body.now_ms)
    play(body, feedback, 2000)
    assert feedback.seen == stages.CLOSED
    feedback.watch(9)
    assert feedback.seen == stages.HEARD
