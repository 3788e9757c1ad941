"""What goes over a deep sleep besides alarms. Runs on MicroPython."""

import sys

import flash_life as life
from boards import contract
from sos import stages
from sos.parts import Part
from virtual_board import BY_WATCHDOG, DEEP_SLEEP, WATCHDOG, Over

from protocol import codes
from protocol.watchful import pack_prompt, pack_time

NOW_S = 1795824000


def slept(body):
    """Take the cable away; go on after the next waking."""
    body.cable = False
    yield 100000
    assert body.board.reset_cause == DEEP_SLEEP


def asked(body, within_s):
    body.board.command(1, codes.COMMAND_PROMPT, pack_prompt(7, codes.PROMPT_MEDICINE, within_s, 2))
    yield 300
    assert body.board.app._prompting.kind == codes.PROMPT_MEDICINE


def events(body):
    return [(alarm.kind, alarm.detail) for alarm in body.board.app._outbox.alarms if alarm.used]


def run(script):
    chip = life.aged(0)
    shown = []
    promises = life.Promises()
    seen = promises.seen
    promises.seen = lambda stage, number: (shown.append(stage), seen(stage, number))
    life.run(chip, script, promises)
    return shown


def test_a_question_is_asked_again_after_a_sleep_and_answered_by_a_press():
    def script(body):
        yield 500
        yield from asked(body, 600)
        yield from slept(body)
        prompting = body.board.app._prompting
        assert (prompting.kind, prompting.number, prompting.text) == (codes.PROMPT_MEDICINE, 7, 2)
        yield 500
        yield from life.press(body, 120)
        yield 1500
        assert events(body) == [(codes.CHECKIN_ANSWERED, codes.PROMPT_MEDICINE)]

    assert run(script).count(stages.PROMPTED) == 2


def test_a_question_that_is_over_wakes_it_once_more_and_is_asked_no_more():
    def script(body):
        yield 500
        yield from asked(body, 45)
        while body.power_ms < 45000:
            yield from slept(body)
        assert body.power_ms < 50000, "it woke for the end of it"
        yield 500
        assert body.board.app._prompting.kind == codes.PROMPT_NONE
        yield from life.press(body, 120)
        yield 1500
        assert events(body) == [(codes.SOS, codes.PRESS)]

    assert run(script).count(stages.PROMPTED) == 2


def test_the_time_and_what_it_lives_by_go_over_a_sleep():
    def script(body):
        yield 500
        yield from life.settled(body, life.KEYS.trail, 2)
        body.board.command(3, codes.COMMAND_TIME, pack_time(NOW_S, -570))
        yield 100
        told_ms = body.power_ms + body.board.now_ms()
        yield from slept(body)
        app = body.board.app
        since_s = (body.power_ms + body.board.now_ms() - told_ms) // 1000
        assert since_s > 10 and abs(app._clock.unix_s() - NOW_S - since_s) <= 1
        assert app._clock.offset_minutes == -570
        assert app._settings.version == 2 and len(app._settings.now.fences) == 14

    run(script)


class Hangs(BaseException):
    """What a hang is in a world whose time is a number: nobody catches it, and nothing more is done."""


class Stuck:
    """In the place of a part's module: its part keeps b"kept"; it hangs while it is made, once."""

    hangs = False
    made = 0
    resumed = b""

    @staticmethod
    def make(reach):
        if Stuck.hangs:
            Stuck.hangs = False
            raise Hangs
        Stuck.made += 1
        part = Part(reach)
        part.keep = lambda: b"kept"
        part.resume = Stuck.resume
        return part

    @staticmethod
    def resume(data):
        Stuck.resumed = data


def woken_by_a_press(board):
    """The application, with an accelerometer's part that is Stuck; a deep sleep ends by the button."""
    board.has_accelerometer = True
    if board.reset_cause == DEEP_SLEEP:
        board.wake_cause = contract.WAKE_BUTTON
    try:
        life_as_it_is(board)
    except Hangs:
        raise Over(WATCHDOG) from None


life_as_it_is = life.application


def with_a_stuck_part(script):
    real = sys.modules.pop("sos.motion.part", None)
    sys.modules["sos.motion.part"] = Stuck
    life.application = woken_by_a_press
    Stuck.made, Stuck.resumed = 0, b""
    try:
        run(script)
    finally:
        life.application = life_as_it_is
        del sys.modules["sos.motion.part"]
        if real is not None:
            sys.modules["sos.motion.part"] = real


def test_a_press_that_wakes_it_lies_in_flash_before_a_part_can_hang():
    def script(body):
        yield 500
        assert Stuck.made == 1
        body.cable, Stuck.hangs = False, True
        yield 100000
        assert body.cause == BY_WATCHDOG and not Stuck.hangs
        assert events(body) == [(codes.SOS, codes.PRESS)]

    with_a_stuck_part(script)


def test_a_part_gets_what_it_kept_though_the_press_came_first():
    def script(body):
        yield 500
        yield from slept(body)
        assert (Stuck.made, Stuck.resumed) == (2, b"kept")
        assert events(body) == [(codes.SOS, codes.PRESS)]

    with_a_stuck_part(script)
