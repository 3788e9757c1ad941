"""What one line of a modem says. Owns the reading of result codes and of the few answers we ask for.

Must not know ports or time. Sources: V.250 (final results), 3GPP TS 27.007 (CREG, CSQ, CPIN), TS 27.005 (CMGS, CDS,
CMGR), TS 23.040 (status). Any text is taken; what is not understood is None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Said by modems that start or stop, unasked: SIMCom and Quectel, Huawei, ASR.
_REBOOTS = ("RDY", "^SYSSTART", "+SYSSTART", "START", "*ATREADY: 1", "NORMAL POWER DOWN", "POWERED DOWN")
# NO CARRIER is not among them: it ends a call that somebody makes to us, in the middle of anything.
_REFUSALS = ("ERROR", "BUSY", "NO ANSWER", "NO DIALTONE", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")
_ERROR = re.compile(r"\+CM[ES] ERROR: *(\d{1,4})?")
# Followed by a line of text that a stranger wrote: a message, a broadcast.
_CARRIES_TEXT = ("+CMT:", "+CBM:")
# TS 27.007, 7.2: home, roaming; 6 and 7 the same for SMS only.
_REGISTERED = (1, 5, 6, 7)
_MEMORY = re.compile(r'\+CDSI: *"?([A-Z]{2})"?, *(\d{1,4})')


@dataclass(frozen=True)
class Final:
    """The end of an answer."""

    ok: bool
    code: int | None = None


@dataclass(frozen=True)
class Report:
    """What a service centre says of a message. `reference`: TP-MR, 0 to 255; `status`: TP-ST; `number` may be ""."""

    reference: int
    number: str
    status: int


def final_of(line: str) -> Final | None:
    """The final result code that a line is, or None."""
    if line == "OK":
        return Final(True)
    if line in _REFUSALS:
        return Final(False)
    error = _ERROR.match(line)
    return Final(False, int(error.group(1)) if error.group(1) else None) if error else None


def is_reboot(line: str) -> bool:
    """Whether the modem has started, or stops: whatever was set in it is gone."""
    return line in _REBOOTS


def carries_text(line: str) -> bool:
    """Whether the next line is somebody's text, and no word of the modem's."""
    return line.startswith(_CARRIES_TEXT)


def registered(line: str) -> bool | None:
    """Of an answer to CREG? or CEREG?: "+CREG: <n>,<stat>[,...]". None for the unsolicited form and for nonsense."""
    given = _fields(line)
    # Unsolicited: "+CREG: <stat>[,"<lac>",...]".
    if len(given) < 2 or not given[1].isdecimal():
        return None
    return int(given[1]) in _REGISTERED


def signal_dbm(line: str) -> int | None:
    """Of "+CSQ: <rssi>,<ber>": -113 to -51 dBm; None where the modem does not know (99)."""
    given = _fields(line)
    if not given or not given[0].isdecimal() or not 0 <= int(given[0]) <= 31:
        return None
    return -113 + 2 * int(given[0])


def sim_state(line: str) -> str:
    """Of "+CPIN: READY"; upper case."""
    return line.partition(":")[2].strip().strip('"').upper()


def reference(line: str) -> int | None:
    """Of "+CMGS: <mr>[,<scts>]": 0 to 255."""
    given = _fields(line)
    return int(given[0]) if given and given[0].isdecimal() and int(given[0]) <= 255 else None


def report(line: str) -> Report | None:
    """Of "+CDS: <fo>,<mr>,[<ra>],[<tora>],<scts>,<dt>,<st>", or a "+CMGR:" that has a <stat> before it."""
    given = _fields(line)
    if line.startswith("+CMGR:"):
        given = given[1:]
    if len(given) < 7 or not (given[1].isdecimal() and given[6].isdecimal()):
        return None
    mr, status = int(given[1]), int(given[6])
    return Report(mr, given[2].strip('"'), status) if mr <= 255 and status <= 255 else None


def stored_report(line: str) -> tuple[str, int] | None:
    """Of "+CDSI: <mem>,<index>"."""
    found = _MEMORY.fullmatch(line)
    return (found.group(1), int(found.group(2))) if found else None


def _fields(line: str) -> list[str]:
    """What stands between the commas, which may stand in quotes, too; the quotes are left on."""
    return [found.strip() for found in re.findall(r'(?:"[^"]*"|[^,"])+|(?<=,)(?=,|$)', line.partition(":")[2])]
