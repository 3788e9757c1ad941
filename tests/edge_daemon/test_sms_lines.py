"""What a modem's lines say, as the standards write them and as modems do, and any line at all."""

from __future__ import annotations

import os
import random

import pytest

from edge_daemon.uplinks.sms import lines

TIMES = '"26/11/24,12:00:00+32","26/11/24,12:00:05+32"'


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("OK", lines.Final(True)),
        ("ERROR", lines.Final(False)),
        ("BUSY", lines.Final(False)),
        ("+CMS ERROR: 500", lines.Final(False, 500)),
        ("+CME ERROR:14", lines.Final(False, 14)),
        ("+CME ERROR: SIM busy", lines.Final(False)),
        ("NO CARRIER", None),
        ("OKAY", None),
        ("+CMGS: 1", None),
        ("RING", None),
    ],
)
def test_the_end_of_an_answer(line: str, final: lines.Final | None) -> None:
    assert lines.final_of(line) == final


@pytest.mark.parametrize(
    ("line", "registered"),
    [
        ("+CREG: 0,1", True),
        ('+CREG: 2,5,"1A2B","0011",7', True),
        ("+CEREG: 0,6", True),
        ("+CREG: 0,2", False),
        ("+CREG: 0,3", False),
        ("+CREG: 0,11", False),
        ("+CREG: 1", None),
        ('+CREG: 1,"1A2B","0011"', None),
        ("+CREG:", None),
        ("+CREG: x,y", None),
    ],
)
def test_registration(line: str, registered: bool | None) -> None:
    assert lines.registered(line) is registered


@pytest.mark.parametrize(
    ("line", "dbm"),
    [("+CSQ: 0,0", -113), ("+CSQ: 31,99", -51), ("+CSQ: 99,99", None), ("+CSQ: -1,0", None), ("", None)],
)
def test_signal(line: str, dbm: int | None) -> None:
    assert lines.signal_dbm(line) == dbm


@pytest.mark.parametrize(
    ("line", "report"),
    [
        (f'+CDS: 6,17,"+8613800138000",145,{TIMES},0', lines.Report(17, "+8613800138000", 0)),
        (f"+CDS: 6,255,,,{TIMES},70", lines.Report(255, "", 70)),
        (f'+CMGR: "REC UNREAD",6,3,"13800138000",129,{TIMES},48', lines.Report(3, "13800138000", 48)),
        ("+CDS: 25", None),
        (f"+CDS: 6,256,,,{TIMES},0", None),
        (f"+CDS: 6,1,,,{TIMES},256", None),
        (f"+CDS: 6,,,,{TIMES},0", None),
        ('+CMGR: "REC READ","+861000",,"26/11/24,12:00:00+32"', None),
    ],
)
def test_a_report(line: str, report: lines.Report | None) -> None:
    assert lines.report(line) == report


def test_any_line_at_all_is_read_or_not() -> None:
    seed = int(os.getenv("PINGAN_SEED") or int.from_bytes(os.urandom(3), "big"))
    print("PINGAN_SEED =", seed)
    rng = random.Random(seed)
    whole = [
        f'+CDS: 6,17,"+861380013",145,{TIMES},0',
        "+CREG: 0,1",
        "+CSQ: 20,99",
        "+CMGS: 1",
        '+CDSI: "SR",3',
        "+CMS ERROR: 1",
    ]
    read = 0
    for _ in range(5000):
        letters = list(rng.choice(whole))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(letters) + 1)
            letters[at : at + rng.randrange(3)] = rng.choice('0123456789,,"" +-:SRx\ufffd')
        line = "".join(letters)
        lines.final_of(line)
        lines.registered(line)
        lines.stored_report(line)
        found = lines.report(line)
        dbm, reference = lines.signal_dbm(line), lines.reference(line)
        read += found is not None
        assert found is None or (0 <= found.reference <= 255 and 0 <= found.status <= 255)
        assert dbm is None or -113 <= dbm <= -51
        assert reference is None or 0 <= reference <= 255
    assert read > 100
