# ruff: noqa: ANN001, ANN201, UP031 - it runs on MicroPython
# mypy: ignore-errors
"""A wearable's lives in a story: power, the application, sleep and waking, faults. Runs on MicroPython.

    micropython main.py [PART,PART …]      the identity's record in hex is the first line of its input

Owns the rules by which the chip starts again, as firmware/main.py and the chip itself have them. The application is
whole and real, from its first line on. Its modules stay loaded over a deep sleep, which they do not on a board.
"""

import gc
import sys

from body import Body
from over import CUT, DEEP_SLEEP, FAULT, SOFT, THE_END, Over
from sos.app import App
from sos.kept import fault_note
from wire import Wire


def run(body):
    """One run, from the start of the chip to its end; how it ended."""
    board, app = body.begin(), None
    try:
        app = App(board)
        app.run()
    except Over as over:
        return over.how
    except Exception as error:  # noqa: BLE001  # as firmware/main.py: whatever it was, only a restart helps
        sys.print_exception(error, sys.stderr)
        body.wire.say("fault %s %s" % (type(error).__name__, error))
        board.rtc_store(fault_note(board.rtc_load()))
        return FAULT
    finally:
        if app is not None:
            # Now, and not when they are collected: then nothing may take heap, and this chip does.
            board.cut()
            app._ledger._copies.close()
    return FAULT


def live(body):
    """From one power-on to the next power cut."""
    while True:
        how = run(body)
        body.end(how == DEEP_SLEEP)
        gc.collect()
        if how == THE_END:
            raise Over(how)
        if how == CUT:
            body.wire.say("dark")
            return
        body.cause = SOFT if how in (SOFT, FAULT) else DEEP_SLEEP
        body.wake = 0
        if how == DEEP_SLEEP:
            body.wire.say("sleep %d" % body.sleep_ms)
            try:
                body.stop()
            except Over as over:
                body.end(False)
                if over.how == THE_END:
                    raise
                body.wire.say("dark")
                return


def main():
    """Live until the story ends."""
    wire = Wire()
    body = Body(wire, sys.argv[1].split(",") if len(sys.argv) > 1 else [])
    body.provision(bytes.fromhex(wire.read()[0]))
    while True:
        body.stop()  # without power: nothing but the story can end this
        body.power_on()
        live(body)


try:
    main()
except (Over, OSError):
    pass  # the story has ended, or has let go of the pipe
