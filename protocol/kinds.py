"""What each event kind means beyond the wearable: name, class, SCAIP and Contact-ID codes. For hosts.

Owns: the one table that gateway and platform read (README.md section 6.2 shows the wearables' kinds, platform/README.md
section 3.1 the gateway's own). Must not know: layouts, topics. Codes from 0x80 up are the gateway's own and never valid
in a wearable's frame; a condition's end is its beginning's code plus one.
SCAIP (SS 91100): device type (dty), status code (stc), location code (lco). Contact-ID: SIA DC-05-1999, event code;
`restore` is its qualifier (1 new, 3 restore).
"""


class Kind:
    """One row. `urgency` orders the forwarder: 0 goes first. `lco` "" where SCAIP asks for no location code."""

    def __init__(
        self,
        code: int,
        name: str,
        event_class: str,
        dty: str,
        stc: str,
        contact_id: "str | None",
        restore: bool = False,
        lco: str = "",
    ) -> None:
        self.code = code
        self.name = name
        self.event_class = event_class
        self.dty = dty
        self.stc = stc
        self.contact_id = contact_id
        self.restore = restore
        self.lco = lco

    @property
    def urgency(self) -> int:
        """0 emergency .. 5 test."""
        return CLASSES.index(self.event_class)

    @property
    def test(self) -> bool:
        """Whether the event is a test and must not raise an incident as real."""
        return self.event_class == "test"


CLASSES = ("emergency", "urgent", "security", "fault", "service", "test")

UNKNOWN = Kind(0x00, "not_understood", "emergency", "0003", "0010", None)

_ROWS = (
    Kind(0x01, "sos", "emergency", "0003", "0010", "101"),
    Kind(0x02, "sos_cancelled", "emergency", "0003", "0019", "406"),
    Kind(0x03, "sos_cleared", "emergency", "0003", "0093", "101", True),
    Kind(0x08, "fall", "emergency", "0005", "0009", "120"),
    Kind(0x09, "fall_recovered", "emergency", "0005", "0094", "120", True),
    Kind(0x0A, "no_motion_after_fall", "emergency", "0005", "0009", "120"),
    Kind(0x10, "service_medical", "service", "0003", "0110", None),
    Kind(0x11, "service_care", "service", "0003", "0110", None),
    Kind(0x12, "service_information", "service", "0003", "0110", None),
    Kind(0x13, "service_counselling", "service", "0003", "0110", None),
    Kind(0x14, "service_household", "service", "0003", "0110", None),
    Kind(0x15, "service_call_me", "service", "0003", "0110", None),
    Kind(0x20, "checkin_answered", "service", "0010", "0070", None),
    Kind(0x21, "checkin_missed", "urgent", "0010", "0070", "102"),
    Kind(0x22, "inactivity", "urgent", "0010", "0009", "102"),
    Kind(0x28, "fence_left", "urgent", "0051", "0009", None, lco="019"),
    Kind(0x29, "fence_entered", "urgent", "0051", "0009", None, True, lco="019"),
    Kind(0x2A, "home_left", "urgent", "0051", "0009", None, lco="019"),
    Kind(0x2B, "home_returned", "urgent", "0051", "0009", None, True, lco="019"),
    Kind(0x30, "wearable_removed", "fault", "0003", "0125", "383"),
    Kind(0x31, "wearable_worn", "fault", "0003", "0125", "383", True),
    Kind(0x38, "wearable_battery_low", "fault", "0003", "0016", "384"),
    Kind(0x39, "wearable_battery_critical", "fault", "0003", "0014", "384"),
    Kind(0x3A, "wearable_battery_ok", "fault", "0003", "0015", "384", True),
    Kind(0x60, "test_by_hand", "test", "0045", "0102", "601"),
    Kind(0x61, "test_periodic", "test", "0045", "0103", "602"),
    Kind(0x68, "tamper", "security", "0038", "0125", "137"),
    Kind(0x70, "visit_arrived", "service", "0003", "0088", None),
    Kind(0x71, "visit_done", "service", "0003", "0111", None),
)

# What the gateway says of itself and of what it watches over.
SUPERVISION_LOST = 0x80
WEARABLE_MISSING = 0x82
RADIO_DEAF = 0x84
RADIO_JAMMED = 0x86
LINK_LOST = 0x88
MAINS_LOST = 0x8A
GATEWAY_BATTERY_LOW = 0x8C
PATH_PRIMARY_LOST = 0x8E
PATH_BACKUP_LOST = 0x90
PATH_SMS_LOST = 0x92
PLATFORM_LOST = 0x94
STORE_DEGRADED = 0x96
STORE_FULL = 0x98
STORE_DAMAGED = 0x9A
RESTARTED = 0x9B
CLOCK_WRONG = 0x9C
CERTIFICATE_EXPIRES = 0x9E
CERTIFICATE_EXPIRES_SOON = 0x9F
PATH_TEST_PRIMARY = 0xA0
PATH_TEST_BACKUP = 0xA1
PATH_TEST_SMS = 0xA2
REPLAY_REJECTED = 0xA3
REVOKED_HEARD = 0xA4
CHECKIN_SILENT = 0xA6
CHECKIN_NOT_WORN = 0xA7
CHECKIN_UNREACHABLE = 0xA8
CHECKIN_SETTLED = 0xA9
INACTIVE = 0xAA
AT_HOME_LEFT = 0xAC
BADGE_ARRIVED = 0xAE
CARE_PLAN_REFUSED = 0xB0
WEARABLE_IMPAIRED = 0xB2

_GATEWAY_ROWS = (
    Kind(SUPERVISION_LOST, "supervision_lost", "fault", "0003", "0123", "381"),
    Kind(SUPERVISION_LOST + 1, "supervision_restored", "fault", "0003", "0124", "381", True),
    Kind(WEARABLE_MISSING, "wearable_missing", "urgent", "0003", "0123", "381"),
    Kind(RADIO_DEAF, "radio_deaf", "fault", "0050", "0042", "344"),
    Kind(RADIO_DEAF + 1, "radio_restored", "fault", "0050", "0094", "344", True),
    Kind(RADIO_JAMMED, "radio_jammed", "fault", "0050", "0095", "344"),
    Kind(RADIO_JAMMED + 1, "radio_clear", "fault", "0050", "0094", "344", True),
    Kind(LINK_LOST, "link_lost", "fault", "0032", "0042", "350"),
    Kind(LINK_LOST + 1, "link_restored", "fault", "0032", "0094", "350", True),
    Kind(MAINS_LOST, "mains_lost", "fault", "0041", "0085", "301"),
    Kind(MAINS_LOST + 1, "mains_restored", "fault", "0041", "0086", "301", True),
    Kind(GATEWAY_BATTERY_LOW, "gateway_battery_low", "fault", "0041", "0016", "302"),
    Kind(GATEWAY_BATTERY_LOW + 1, "gateway_battery_ok", "fault", "0041", "0015", "302", True),
    Kind(PATH_PRIMARY_LOST, "path_primary_lost", "fault", "0032", "0026", "350"),
    Kind(PATH_PRIMARY_LOST + 1, "path_primary_restored", "fault", "0032", "0115", "350", True),
    Kind(PATH_BACKUP_LOST, "path_backup_lost", "fault", "0032", "0027", "350"),
    Kind(PATH_BACKUP_LOST + 1, "path_backup_restored", "fault", "0032", "0116", "350", True),
    Kind(PATH_SMS_LOST, "path_sms_lost", "fault", "0032", "0024", "350"),
    Kind(PATH_SMS_LOST + 1, "path_sms_restored", "fault", "0032", "0113", "350", True),
    Kind(PLATFORM_LOST, "platform_lost", "fault", "0032", "0073", "350"),
    Kind(PLATFORM_LOST + 1, "platform_restored", "fault", "0032", "0075", "350", True),
    Kind(STORE_DEGRADED, "store_degraded", "fault", "0045", "0067", "305"),
    Kind(STORE_DEGRADED + 1, "store_restored", "fault", "0045", "0094", "305", True),
    Kind(STORE_FULL, "store_full", "fault", "0045", "0068", "305"),
    Kind(STORE_FULL + 1, "store_has_room", "fault", "0045", "0094", "305", True),
    Kind(STORE_DAMAGED, "store_damaged", "fault", "0045", "0042", "305"),
    Kind(RESTARTED, "restarted", "fault", "0045", "0092", "305"),
    Kind(CLOCK_WRONG, "clock_wrong", "fault", "0045", "0067", None),
    Kind(CLOCK_WRONG + 1, "clock_right", "fault", "0045", "0094", None, True),
    Kind(CERTIFICATE_EXPIRES, "certificate_expires", "fault", "0045", "0065", None),
    Kind(CERTIFICATE_EXPIRES_SOON, "certificate_expires_soon", "urgent", "0045", "0066", None),
    Kind(PATH_TEST_PRIMARY, "path_test_primary", "test", "0045", "0102", "602"),
    Kind(PATH_TEST_BACKUP, "path_test_backup", "test", "0045", "0103", "602"),
    Kind(PATH_TEST_SMS, "path_test_sms", "test", "0045", "0103", "602"),
    Kind(REPLAY_REJECTED, "replay_rejected", "security", "0038", "0125", "137"),
    Kind(REVOKED_HEARD, "revoked_heard", "security", "0038", "0125", "137"),
    Kind(CHECKIN_SILENT, "checkin_silent", "urgent", "0010", "0070", "102"),
    Kind(CHECKIN_NOT_WORN, "checkin_not_worn", "urgent", "0010", "0070", "102"),
    Kind(CHECKIN_UNREACHABLE, "checkin_unreachable", "urgent", "0010", "0070", "102"),
    Kind(CHECKIN_SETTLED, "checkin_settled", "service", "0010", "0094", "102", True),
    Kind(INACTIVE, "inactive", "urgent", "0010", "0009", "102"),
    Kind(INACTIVE + 1, "active_again", "service", "0010", "0094", "102", True),
    Kind(AT_HOME_LEFT, "presence_left", "urgent", "0051", "0009", None, lco="019"),
    Kind(AT_HOME_LEFT + 1, "presence_returned", "urgent", "0051", "0009", None, True, lco="019"),
    Kind(BADGE_ARRIVED, "badge_arrived", "service", "0003", "0088", None),
    Kind(BADGE_ARRIVED + 1, "badge_left", "service", "0003", "0111", None),
    Kind(CARE_PLAN_REFUSED, "care_plan_refused", "fault", "0045", "0067", "305"),
    Kind(WEARABLE_IMPAIRED, "wearable_impaired", "fault", "0003", "0042", "380"),
    Kind(WEARABLE_IMPAIRED + 1, "wearable_whole", "fault", "0003", "0094", "380", True),
)
# Below this a code may stand in a wearable's frame.
FIRST_OF_GATEWAY = 0x80

ON_AIR = {row.code: row for row in _ROWS}
BY_CODE = ON_AIR | {row.code: row for row in _GATEWAY_ROWS}
DETAILS = {
    0x01: {1: "press", 2: "hold", 3: "fall_unanswered", 4: "screen"},
    0x09: {1: "got_up", 2: "press"},
    0x20: {1: "checkin", 2: "medicine", 3: "look"},
}


def kind_of(code: int) -> Kind:
    """The row of a kind; UNKNOWN (raised as an emergency, for it may be one) when this version has none."""
    return BY_CODE.get(code, UNKNOWN)


def detail_name(code: int, detail: int) -> str:
    """The detail nibble in words, or as a number where the kind gives it no name."""
    return DETAILS.get(code, {}).get(detail, str(detail))
