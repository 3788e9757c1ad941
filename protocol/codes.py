"""Numbers of protocol v1: frame types, stages, gestures, reasons. Owns the numbers, knows no layout.

Every number here is on the wire for ever: add, never reuse. README.md section 6 is the same list in words.
"""

# Frame types, low nibble of the first byte. 1..7 go up (wearable to gateway), 8..15 go down.
EVENT = 1
HEARTBEAT = 2
HELLO = 3
RESULT = 4
ANSWER = 8
COMMAND = 9

# Stages of an event, as an answer tells them to the wearable.
HEARD = 0
STORED = 1
ACCEPTED = 2
ANSWERED = 3
CLOSED = 4
NO_PATH = 5
BUSY = 6
REFUSED = 7

# Why a platform refused (answer stage REFUSED); 0 where there is nothing to say.
REASON_NONE = 0
REASON_UNKNOWN_WEARABLE = 1
REASON_REVOKED = 2
REASON_NOT_UNDERSTOOD = 3
REASON_OTHER = 255

# What made an SOS: the detail nibble of kind SOS.
PRESS = 1
HOLD = 2
FALL_UNANSWERED = 3

# Kinds a pendant makes. The whole list, with class and SCAIP codes, is kinds.py (hosts only).
SOS = 0x01
SOS_CANCELLED = 0x02
TEST_BY_HAND = 0x60

# HELLO flags.
HELLO_HEARTBEAT_WAITS = 0x01
HELLO_ASKS_STATE = 0x02

# Commands and their results.
COMMAND_LOCATE = 1
COMMAND_HEARTBEAT = 2
COMMAND_TEST = 3
RESULT_DONE = 0
RESULT_UNKNOWN = 1
RESULT_FAILED = 2

# Flags of COMMAND_TEST.
TEST_CANCELS = 0x01

# Special values of packed fields.
AGE_UNKNOWN = 0xFFFF
BATTERY_UNKNOWN = 15
PERCENT_UNKNOWN = 255

# TLVs that may follow an event body or a heartbeat where a link has room. Unknown ones are ignored.
TLV_BATTERY_MV = 1
TLV_AGE_MS = 2

# GATT (README.md section 8).
SERVICE_UUID = "7b1e0001-5a6e-4c2d-9f3a-70696e67616e"
UP_UUID = "7b1e0002-5a6e-4c2d-9f3a-70696e67616e"
DOWN_UUID = "7b1e0003-5a6e-4c2d-9f3a-70696e67616e"

# Company identifier of the advertisement: 0xFFFF is the Bluetooth SIG's "for internal testing"
# (Assigned Numbers section 7.1). A product needs its own and changes this one line.
COMPANY_ID = 0xFFFF
