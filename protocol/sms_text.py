"""One event as the text of one SMS, for when no broker answers. For hosts; platform/README.md section 9b is its text.

Owns the words of that line. Must not know modems, numbers or the table of kinds. An SMS carries the same identity as
every other way, so that it is the same incident. Nobody's name, place or number is in it.

Only characters that are one and the same in ASCII and in the GSM 7 bit default alphabet (3GPP TS 23.038, 6.2.1) are
written: "_" is not among them (GSM says 0x11, and a modem makes a paragraph sign of 0x5F), so "-" stands for it.
"""

VERSION = "PINGAN1"
SIZE_MOST = 160
AGE_MOST_S = 999_999
QUALITIES = ("exact", "coarse", "at_least", "unknown")
NOT_UNDERSTOOD = "not_understood"

_HEX = "0123456789abcdef"
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
_BEFORE_AGE = {"exact": "", "coarse": "about-", "at_least": "over-"}
_FAMILY = "PINGAN"


class SmsTextRefused(ValueError):
    """A text that is no event of ours. `reason`: "foreign" (not ours), "version" (of another version), "event"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SmsEvent:
    """What one SMS says of one event.

    `event`: handle (16 hex digits), "-", number (6 hex digits). `gateway`: "" where it could not be read. `kind`: a
    name of README.md 6.2. `contact_id`: three digits, or "". `restore`: its qualifier 3. `age_s`: when the SMS was
    handed to the modem; None exactly where `age_quality` is "unknown". `refers_to`: what a cancellation takes back.
    """

    def __init__(
        self,
        gateway: str,
        event: str,
        kind: str,
        age_s: "int | None",
        age_quality: str,
        contact_id: str = "",
        restore: bool = False,
        test: bool = False,
        refers_to: "str | None" = None,
    ) -> None:
        self.gateway = gateway
        self.event = event
        self.kind = kind
        self.age_s = age_s
        self.age_quality = age_quality
        self.contact_id = contact_id
        self.restore = restore
        self.test = test
        self.refers_to = refers_to


def pack(said: SmsEvent) -> str:
    """The text, 160 characters at most. Raises ValueError for a record whose values are not of this contract.

    The Contact-ID code is left out where there is no room: `kind` says the same. An age beyond 999,999 s is "over".
    """
    words = [VERSION, "gw=" + said.gateway, "ev=" + said.event, "k=" + said.kind.replace("_", "-")]
    if said.contact_id:
        words.append("c=" + ("R" if said.restore else "E") + said.contact_id)
    words.append("age=" + _age(said.age_s, said.age_quality))
    if said.refers_to is not None:
        words.append("re=" + said.refers_to[17:])
    if said.test:
        words.append("test=1")
    text = " ".join(words)
    code, restore = said.contact_id, said.restore and said.contact_id != ""
    if len(text) > SIZE_MOST:
        text = " ".join([word for word in words if not word.startswith("c=")])
        code, restore = "", False
    read = parse(text)
    # Whether a reader knows what we meant; the age is ours alone.
    if (
        not said.gateway
        or len(text) > SIZE_MOST
        or (read.gateway, read.event, read.kind) != (said.gateway, said.event, said.kind)
        or (read.contact_id, read.restore, read.test, read.refers_to) != (code, restore, said.test, said.refers_to)
    ):
        raise ValueError("not an event of this contract")
    return text


def parse(text: str) -> SmsEvent:
    """The event of a text that came by SMS: any characters, any length. Raises SmsTextRefused.

    Words that are not known are left. Whatever but the identity is missing or wrong, the event counts: a kind that
    cannot be read is `not_understood`, an age is unknown. Only `test=1` makes a test of it. The first word of a name
    counts, as long as it can be read.
    """
    if not isinstance(text, str):
        raise SmsTextRefused("foreign")
    words = text[: 4 * SIZE_MOST].split()
    if not words or not words[0].startswith(_FAMILY):
        raise SmsTextRefused("foreign")
    if words[0] != VERSION:
        raise SmsTextRefused("version")
    found: "dict[str, str]" = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals and value and name not in found:
            found[name] = value
    event = found.get("ev", "").lower()
    if not _is_event(event):
        raise SmsTextRefused("event")
    age_s, quality = _read_age(found.get("age", ""))
    code = found.get("c", "")
    known = len(code) == 4 and code[0] in "ER" and all(digit in _HEX.upper() for digit in code[1:])
    refers_to = event[:17] + found.get("re", "").lower()
    return SmsEvent(
        _name(found.get("gw", ""), 64, ""),
        event,
        _name(found.get("k", ""), 40, NOT_UNDERSTOOD).replace("-", "_"),
        age_s,
        quality,
        code[1:] if known else "",
        known and code[0] == "R",
        found.get("test") == "1",
        refers_to if _is_event(refers_to) else None,
    )


def _age(age_s: "int | None", quality: str) -> str:
    if age_s is None or quality == "unknown":
        return "unknown"
    if age_s > AGE_MOST_S:
        age_s, quality = AGE_MOST_S, "at_least"
    return _BEFORE_AGE[quality] + str(max(age_s, 0)) + "s"


def _read_age(word: str) -> "tuple[int | None, str]":
    for quality in ("at_least", "coarse", "exact"):
        before = _BEFORE_AGE[quality]
        digits = word[len(before) : -1]
        if word.startswith(before) and word[-1:] == "s" and 0 < len(digits) <= 6 and _is_number(digits):
            return int(digits), quality
    return None, "unknown"


def _is_number(digits: str) -> bool:
    # Not str.isdigit: it takes digits of every script.
    return all(digit in "0123456789" for digit in digits)


def _is_event(event: str) -> bool:
    return len(event) == 23 and event[16] == "-" and all(digit in _HEX for digit in event[:16] + event[17:])


def _name(word: str, most: int, otherwise: str) -> str:
    return word if len(word) <= most and word and all(letter in _NAME for letter in word) else otherwise
