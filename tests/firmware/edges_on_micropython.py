"""Edges of the button that are lost, or told late, on their way into flash. Runs on MicroPython."""

import flash_life as life

from protocol import codes

HOLD = (codes.SOS, codes.HOLD)
PRESS = (codes.SOS, codes.PRESS)


def comes_to(script, debounce_ms=20):
    """Run it on a board that debounces so; `script(body, events)`, where events() is what lies in flash."""

    def board(board):
        board.debounce_ms = debounce_ms
        application(board)

    def told(body):
        def events():
            return [(alarm.kind, alarm.detail) for alarm in body.board.app._outbox.alarms if alarm.used]

        yield 500
        yield from script(body, events)

    application, life.application = life.application, board
    try:
        life.run(life.aged(0), told, life.Promises())
    finally:
        life.application = application


def test_an_edge_that_was_lost_costs_no_press():
    def script(body, events):
        for count, lost in enumerate((None, False, True), 1):
            for down in (True, False):
                body.board.press(down, told=down is not lost)
                yield 1300
            assert events() == [HOLD] * count
        assert not body.board.app._path.gestures.busy

    comes_to(script)


def test_both_edges_in_one_breath_are_a_press_where_a_chip_tells_them_and_a_bounce_where_it_does_not():
    def script(body, events):
        body.board.press(True)
        body.board.press(False)
        yield 300
        kept.append(events())

    kept = []
    for debounce_ms in (0, 20):
        comes_to(script, debounce_ms)
    assert kept == [[PRESS], []]
