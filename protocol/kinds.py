"""What each event kind means beyond the wearable: name, class, SCAIP and Contact-ID codes. For hosts.

Owns: the one table that gateway and platform read (README.md section 6.2 shows it). Must not know: layouts, topics.
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

BY_CODE = {row.code: row for row in _ROWS}
DETAILS = {
    0x01: {1: "press", 2: "hold", 3: "fall_unanswered"},
}


def kind_of(code: int) -> Kind:
    """The row of a kind; UNKNOWN (raised as an emergency, for it may be one) when this version has none."""
    return BY_CODE.get(code, UNKNOWN)


def detail_name(code: int, detail: int) -> str:
    """The detail nibble in words, or as a number where the kind gives it no name."""
    return DETAILS.get(code, {}).get(detail, str(detail))
