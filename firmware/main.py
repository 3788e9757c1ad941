"""Runs the application on the board, for ever: whatever ends it ends in a restart, never in a prompt.

Owns that rule. Must not know what the application does. Only a development build stops for a technician's Ctrl-C.
"""

import micropython

# MicroPython lets Ctrl-C in again before each file that it runs: what boot.py shut is open here.
micropython.kbd_intr(-1)

import sys  # noqa: E402

from build import RELEASE  # noqa: E402

if not RELEASE:
    micropython.kbd_intr(3)


def run(hardware):
    """The application, or what a wearable without identity can do. Returns only by an exception."""
    from sos.identity import NotProvisioned

    try:
        from sos.app import App

        app = App(hardware)
    except NotProvisioned:
        from sos.unprovisioned import Unprovisioned

        app = Unprovisioned(hardware)  # type: ignore[assignment]  # one or the other; both run()
    app.run()


def main():
    """Run; on any fault note it where the next start finds it, and restart. Raises what a board's construction does."""
    import board

    hardware = board.Board()
    try:
        run(hardware)
    except Exception as error:  # whatever it was: only a restart makes an alarm device whole again
        if not RELEASE:
            sys.print_exception(error)
        from sos.kept import fault_note

        hardware.log("fault: %r" % error)
        hardware.rtc_store(fault_note(hardware.rtc_load()))
    except KeyboardInterrupt:
        if not RELEASE:
            raise
    hardware.reset()


try:
    main()
except Exception as error:  # no board: nothing that could reset. An exit is a soft reset on a chip, and no prompt
    if not RELEASE:
        sys.print_exception(error)
    sys.exit(1)
