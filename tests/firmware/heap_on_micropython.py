"""The proof that nothing from the button to the radio takes heap: run by test_alarm_path.py, prints what went out.

The whole application on the simulator board, its flash on littlefs, its radio the real `bluetooth` module; time is a
number, for a busy machine makes a hold of a press. Not warmed up: the first press of a run is the one that counts.
Argument: a case, see the end of the file.
"""

import sys
from array import array

import board
import micropython
from sos.app import App

from protocol import codes
from protocol.watchful import Prompt, pack_prompt

clock_ms = array("i", [0])
hardware = board.Board()
hardware.now_ms = lambda: clock_ms[0]
app = App(hardware)
path = app._path
case = sys.argv[1]
app.step()  # the first heartbeat's hello is asked for, outside of any alarm


def turn_for(ms):
    """Ticks, as the board's timer makes them, and nothing else."""
    end_ms = clock_ms[0] + ms
    while clock_ms[0] < end_ms:
        clock_ms[0] += 20
        path.tick()


def button(down):
    hardware._body.pressed = down
    path.edge(down)


def press(ms):
    button(True)
    turn_for(ms)
    button(False)
    turn_for(150)


def hold():
    press(1100)


def short():
    press(100)
    turn_for(10100)


def cancel():
    press(100)
    turn_for(1300)
    press(100)
    press(100)
    press(100)
    turn_for(1200)


def repeat():
    hold()
    turn_for(4500)


def test_press():
    turn_for(60)
    path.presses.arm(hardware.now_ms(), 60000, True)
    press(100)
    turn_for(1300)
    press(100)
    press(100)
    press(100)
    turn_for(1200)


def test_then_hold():
    turn_for(60)
    path.presses.arm(hardware.now_ms(), 60000, False)
    press(100)
    hold()


def test_runs_out():
    turn_for(60)
    path.presses.arm(hardware.now_ms(), 300, False)
    press(100)
    turn_for(500)


def service():
    turn_for(60)
    press(100)
    turn_for(1300)


def answer():
    path.presses.ask(question, hardware.now_ms())
    turn_for(2000)
    press(100)
    turn_for(1300)


def fall():
    path.presses.fall(hardware.now_ms(), 600)
    turn_for(900)


def got_up():
    path.presses.fall(hardware.now_ms(), 30000)
    turn_for(60)
    press(100)
    turn_for(1300)


def screen():
    press(100)
    path.presses.sos(codes.SCREEN, hardware.now_ms())
    turn_for(100)


class Dead:
    """A flash chip that refuses."""

    def seek(self, _):
        raise OSError(5)


def leak(_):
    return str(hardware.now_ms())


if case == "failing":
    app._ledger._copies._files = [Dead(), Dead()]
if case == "service":
    app._settings.now.short_press = codes.SERVICE_CARE
question = Prompt(pack_prompt(1, codes.PROMPT_MEDICINE, 600, 0))
if case == "leaky":
    app._outbox.keep = leak
run = {
    "hold": hold,
    "failing": hold,
    "leaky": hold,
    "press": short,
    "cancel": cancel,
    "repeat": repeat,
    "test": test_press,
    "test_hold": test_then_hold,
    "test_over": test_runs_out,
    "service": service,
    "answer": answer,
    "fall": fall,
    "got_up": got_up,
    "screen": screen,
}[case]
micropython.heap_lock()
try:
    run()
finally:
    micropython.heap_unlock()
path.enter()  # raises when a turn died
path.leave()
for alarm in app._outbox.alarms:
    if alarm.used:
        print("alarm", alarm.kind, alarm.number, alarm.detail, alarm.tries)
print("flash", "failed" if app._ledger.failed else "ok")
