"""What the feedback can stand at: the protocol's stages, and those only the wearable itself knows.

Owns the numbers and the names. Must not know patterns (feedback.py).
"""

from protocol import codes

HEARD = codes.HEARD
STORED = codes.STORED
ACCEPTED = codes.ACCEPTED
ANSWERED = codes.ANSWERED
CLOSED = codes.CLOSED
NO_PATH = codes.NO_PATH
BUSY = codes.BUSY
REFUSED = codes.REFUSED

# Never on the wire.
IDLE = 16
PRESSED = 17
COUNTING = 18
CANCELLED = 19
# Not a stage of an event: the platform asked the wearable to be found.
LOCATING = 20
# Neither: for a while a short press is a test.
ARMED = 21
# Neither: the wearer is asked something, and a short press answers.
PROMPTED = 22
# An SOS of a fall that goes out unless its wearer gets up, or presses.
FALLING = 23

NAMES = {
    STORED: "STORED",
    ACCEPTED: "ACCEPTED",
    ANSWERED: "ANSWERED",
    CLOSED: "CLOSED",
    NO_PATH: "NO_PATH",
    BUSY: "BUSY",
    REFUSED: "REFUSED",
    IDLE: "IDLE",
    PRESSED: "PRESSED",
    COUNTING: "COUNTING",
    CANCELLED: "CANCELLED",
    LOCATING: "LOCATING",
    ARMED: "ARMED",
    PROMPTED: "PROMPTED",
    FALLING: "FALLING",
}

# STORED, NO_PATH and BUSY replace each other; the platform has the event from the second rank on.
TAKEN = 2
ACCEPTED_RANK = 3
FINAL = 5

_RANKS = {
    HEARD: 0,
    STORED: TAKEN,
    NO_PATH: TAKEN,
    BUSY: TAKEN,
    ACCEPTED: ACCEPTED_RANK,
    ANSWERED: 4,
    CLOSED: FINAL,
    REFUSED: FINAL,
}


def rank(stage):
    """How far an event has come: a lower rank never replaces a higher one, an equal one is news. -1: no such stage."""
    return _RANKS.get(stage, -1)


def taken(stage):
    """Whether this answer says that somebody has the event. BUSY does not: the one who says it may have nothing."""
    return rank(stage) >= TAKEN and stage != BUSY
