"""Numbers of protocol v1: frame types, stages, gestures, reasons. Owns the numbers, knows no layout.

Every number here is on the wire for ever: add, never reuse. README.md section 6 is the same list in words.
"""

# Frame types, low nibble of the first byte. 1..7 go up (wearable to gateway), 8..15 go down.
EVENT = 1
HEARTBEAT = 2
HELLO = 3
RESULT = 4
TRAIL = 5
ANSWER = 8
COMMAND = 9
TAKEN = 10

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
SCREEN = 4

# Who took back the SOS of a fall: the detail nibble of kind FALL_RECOVERED.
GOT_UP = 1
PRESSED_AWAY = 2

# Kinds a wearable makes. The whole list, with class and SCAIP codes, is kinds.py (hosts only).
SOS = 0x01
SOS_CANCELLED = 0x02
FALL_RECOVERED = 0x09
NO_MOTION_AFTER_FALL = 0x0A
SERVICE_MEDICAL = 0x10
SERVICE_CARE = 0x11
SERVICE_INFORMATION = 0x12
SERVICE_COUNSELLING = 0x13
SERVICE_HOUSEHOLD = 0x14
SERVICE_CALL_ME = 0x15
CHECKIN_ANSWERED = 0x20
FENCE_LEFT = 0x28
FENCE_ENTERED = 0x29
HOME_LEFT = 0x2A
HOME_RETURNED = 0x2B
WEARABLE_REMOVED = 0x30
WEARABLE_WORN = 0x31
TEST_BY_HAND = 0x60
VISIT_ARRIVED = 0x70
VISIT_DONE = 0x71

# HELLO flags.
HELLO_HEARTBEAT_WAITS = 0x01
HELLO_ASKS_STATE = 0x02
HELLO_TRAIL_WAITS = 0x04

# Flags of a heartbeat.
HEARTBEAT_FLASH_FAILED = 0x01
HEARTBEAT_WANTS_TIME = 0x02
HEARTBEAT_SCREEN_OUT = 0x04
HEARTBEAT_POSITIONS_OUT = 0x08
HEARTBEAT_MOTION_OUT = 0x10

# Commands and their results.
COMMAND_LOCATE = 1
COMMAND_HEARTBEAT = 2
COMMAND_TEST = 3
COMMAND_PROMPT = 4
COMMAND_SETTINGS = 5
COMMAND_TIME = 6
RESULT_DONE = 0
RESULT_UNKNOWN = 1
RESULT_FAILED = 2

# Flags of COMMAND_TEST.
TEST_CANCELS = 0x01

# What a prompt asks; also the detail nibble of the event that answers it. NONE withdraws one.
PROMPT_NONE = 0
PROMPT_CHECKIN = 1
PROMPT_MEDICINE = 2
PROMPT_LOOK = 3

# Whether a wearable is on its wearer.
WORN_UNKNOWN = 0
WORN = 1
NOT_WORN = 2

# Special values of packed fields.
AGE_UNKNOWN = 0xFFFF
BATTERY_UNKNOWN = 15
PERCENT_UNKNOWN = 255

# TLVs that may follow an event body or a heartbeat where a link has room. Unknown ones are ignored.
TLV_BATTERY_MV = 1
TLV_AGE_MS = 2
TLV_ACTIVITY = 3
TLV_SETTINGS = 4

# GATT (README.md section 8).
SERVICE_UUID = "7b1e0001-5a6e-4c2d-9f3a-70696e67616e"
UP_UUID = "7b1e0002-5a6e-4c2d-9f3a-70696e67616e"
DOWN_UUID = "7b1e0003-5a6e-4c2d-9f3a-70696e67616e"

# Company identifier of the advertisement: 0xFFFF is the Bluetooth SIG's "for internal testing"
# (Assigned Numbers section 7.1). A product needs its own and changes this one line.
COMPANY_ID = 0xFFFF
