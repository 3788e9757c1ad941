"""NMEA: what is true is read, what is not or cannot be is no position, and nothing raises. Runs under both Pythons."""

import random

from firmware.sos.positions.nmea import ACCURACY_UNKNOWN, Nmea
from hil_tests.wearable import sky

SEED = 20261128
# 2026-11-28, 22:40:00 UTC.
NOW_S = 1795905600
SHENZHEN = (22543210, 114057868)
THERE = (NOW_S, SHENZHEN[0], SHENZHEN[1])


def dice(seed=SEED):
    random.seed(seed)
    return lambda below: random.getrandbits(30) % below


def heard(sentences, nmea=None):
    """The fixes that these sentences give, one after the other."""
    nmea = nmea or Nmea()
    found = []
    for sentence in sentences:
        line = sentence.encode() + b"\r\n"
        fix = nmea.feed(line, len(line))
        if fix is not None:
            found.append(fix)
    return found


def told(fix):
    return fix.unix_s, fix.latitude_e6, fix.longitude_e6


def rmc(**changed):
    """An RMC of a good second, with other fields in some places."""
    time, date = sky.clock(NOW_S)
    fields = f"GNRMC,{time},A,{sky.place(*SHENZHEN)},0.5,77.5,{date},,,A".split(",")
    for at, text in changed.items():
        fields[int(at[1:])] = text
    return sky.sealed(",".join(fields))


def gga(**changed):
    time, _ = sky.clock(NOW_S)
    fields = f"GNGGA,{time},{sky.place(*SHENZHEN)},1,08,1.2,23.6,M,-3.2,M,,".split(",")
    for at, text in changed.items():
        fields[int(at[1:])] = text
    return sky.sealed(",".join(fields))


def test_a_second_of_any_place_and_day_is_read_as_it_was():
    rng = dice()
    places = [(0, 0), (90000000, 180000000), (-90000000, -180000000), (1, -1), (-33859990, -151210999)]
    places += [(rng(180000001) - 90000000, rng(360000001) - 180000000) for _ in range(300)]
    nmea = Nmea()
    for latitude_e6, longitude_e6 in places:
        unix_s = 1704067200 + rng(1 << 30)
        (fix,) = heard(sky.second(unix_s, latitude_e6, longitude_e6, "1.2", "3.4"), nmea)
        assert told(fix) == (unix_s, latitude_e6, longitude_e6)
        assert fix.accuracy_m == 6 and 174 <= fix.speed_cm_s <= 175


def test_either_order_any_talker_gns_for_gga_and_a_receiver_that_says_rmc_alone():
    assert told(*heard([gga(), rmc()])) == told(*heard([rmc(), gga()])) == THERE
    for talker in ("GP", "BD", "GB", "GL", "GA", "GN"):
        assert len(heard([rmc(f0=talker + "RMC"), gga(f0=talker + "GGA")])) == 1
    time = sky.clock(NOW_S)[0]
    gns = sky.sealed(f"GNGNS,{time},{sky.place(*SHENZHEN)},NNA,07,0.9,23.6,-3.2,,,V")
    assert heard([rmc(), gns])[0].accuracy_m == 4
    later = rmc(f1=sky.clock(NOW_S + 1)[0])
    (alone,) = heard([rmc(), later])
    assert told(alone) == THERE and alone.accuracy_m == ACCURACY_UNKNOWN


def test_what_is_not_valid_is_no_position():
    after = rmc(f1=sky.clock(NOW_S + 1)[0], f2="V")
    bad = [[rmc(f2="V"), gga()], [rmc(f12="E"), gga()], [rmc(f12="S"), gga()], [rmc(f12="AA"), gga()]]
    bad += [[rmc(), gga(f6=quality)] for quality in ("0", "6", "7", "8", "")]
    bad += [[rmc(), gga(f7="03")], [gga(f7="03"), rmc()], [gga(f6="0"), rmc()], [rmc(), gga(f7="")]]
    bad += [sky.indoors(NOW_S), sky.cold()]
    for sentences in bad:
        sentences.append(after)
        assert heard(sentences) == [], sentences


def test_what_cannot_be_is_no_position():
    after = rmc(f1=sky.clock(NOW_S + 1)[0], f2="V")
    absurd = [
        {"f3": text} for text in ("9000.00100", "9959.9", "2260.0", "22", "", "2231.1.1", "-231.1", "22N1.1", "1" * 30)
    ]
    absurd += [{"f5": text} for text in ("18000.00100", "99959.9", "11360.0", "", "...", "11356,5")]
    absurd += [{"f4": text} for text in ("", "E", "n", "NN")] + [{"f6": text} for text in ("", "N", "x")]
    absurd += [{"f1": text} for text in ("", "240000", "126000", "125961", "1259", "hhmmss", "-12000")]
    absurd += [
        {"f9": text} for text in ("", "001126", "321126", "281326", "280026", "2811", "28112026", "xxyyzz", "281180")
    ]
    for changed in absurd:
        found = heard([rmc(**changed), gga(), after])
        assert found == [], (changed, told(found[0]))


def test_a_receiver_that_counts_its_weeks_anew_is_of_today():
    assert heard([rmc(f9="140407"), gga()])[0].unix_s == NOW_S, "1024 weeks ago"
    assert heard([rmc(f9="060180"), gga(), rmc(f1="000001", f2="V")]) == [], "and of 1980 it has no idea"


def test_a_leap_second_and_fractions_are_of_the_second_they_are_in():
    assert heard([rmc(f1="235960.000"), gga(f1="235960.00")])[0].unix_s % 86400 == 86399
    assert heard([rmc(f1="000000.99"), gga(f1="000000.9")])[0].unix_s == NOW_S - 22 * 3600 - 40 * 60


def test_goodness_of_another_second_does_not_count():
    other = sky.clock(NOW_S - 1)[0]
    assert heard([gga(f1=other), rmc()]) == []
    (fix,) = heard([gga(f1=other, f8="0.5"), rmc(), rmc(f1=sky.clock(NOW_S + 1)[0])])
    assert fix.accuracy_m == ACCURACY_UNKNOWN


def test_no_changed_bit_of_a_sentence_is_believed():
    whole = rmc().encode() + b"\r\n"
    quality = gga().encode() + b"\r\n"
    for at in range(len(whole) - 2):
        for bit in range(7):
            hurt = bytearray(whole)
            hurt[at] ^= 1 << bit
            nmea = Nmea()
            nmea.feed(hurt, len(hurt))
            fix = nmea.feed(quality, len(quality))
            # A lower-case checksum says the same.
            assert fix is None or told(fix) == THERE, (at, bit)


def test_a_stream_in_any_pieces_gives_the_same_fixes():
    rng = dice()
    stream = "".join(
        sentence + "\r\n" for n in range(50) for sentence in sky.second(NOW_S + n, SHENZHEN[0] + n, SHENZHEN[1] - n)
    ).encode()
    nmea = Nmea()
    found = []
    at = 0
    while at < len(stream):
        size = 1 + rng(60)
        fix = nmea.feed(stream[at : at + size], min(size, len(stream) - at))
        at += size
        if fix is not None:
            found.append(told(fix))
    assert found == [(NOW_S + n, SHENZHEN[0] + n, SHENZHEN[1] - n) for n in range(50)]


def test_any_bytes_raise_nothing_and_give_no_position_that_cannot_be():
    rng = dice()
    nmea = Nmea()
    fixes = 0
    for round_ in range(1500):
        sentences = sky.hurt(sky.second(NOW_S + round_, rng(180000001) - 90000000, rng(360000001) - 180000000), rng)
        # Also with a right checksum around what is absurd.
        body = bytearray(sky.second(NOW_S, *SHENZHEN)[rng(2)][1:-3].encode())
        for _ in range(1 + rng(4)):
            body[6 + rng(len(body) - 6)] = b"0123456789.,-ANESWV~"[rng(20)]
        sentences.append(sky.sealed(body.decode()))
        data = "\r\n".join(sentences).encode() + bytes(rng(256) for _ in range(rng(20)))
        fix = nmea.feed(data, len(data))
        if fix is not None:
            fixes += 1
            assert abs(fix.latitude_e6) <= 90000000 and abs(fix.longitude_e6) <= 180000000
            assert 1704067200 <= fix.unix_s < 1704067200 + 86400 * 366 * 60
            assert -1 <= fix.accuracy_m <= 495 and 0 <= fix.speed_cm_s <= 103000
    assert fixes > 100
    nmea.forget()
    (fix,) = heard(sky.second(NOW_S, *SHENZHEN), nmea)
    assert told(fix) == THERE, "and the next whole second is heard as ever"


def test_what_was_said_before_the_receiver_was_off_is_of_no_account():
    nmea = Nmea()
    heard([rmc()], nmea)
    nmea.feed(b"$GNGGA,22", 9)
    nmea.forget()
    assert heard([gga()], nmea) == []
    nmea.forget()
    assert heard([rmc()], nmea) == []


def test_a_sentence_of_any_length_and_any_number_of_fields_is_passed_over():
    for sentence in (sky.sealed("GNRMC" + "," * 90), sky.sealed("GNRMC"), sky.sealed("G"), "$*", "$" + "9" * 3000):
        assert heard([sentence]) == []
