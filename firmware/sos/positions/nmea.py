"""What a receiver of satellites says, read as it comes: NMEA 0183, any talker, byte by byte, into one Fix a second.

Owns: sentences and their checksums, and what of them to believe. Must not know: who wants a position, or when. The
line is noise until a checksum says otherwise, and a sentence that is whole may still be absurd: nothing of it raises,
and a Fix is only made of values that can be. Works in one line's buffer; only the few fields that count become objects.

RMC says place, date and whether it is valid; GGA or GNS of the same second how good it is (GNS is what some say in the
place of GGA). GSA, GSV, GLL, VTG are passed over: what they add (two or three dimensions, course) we do not use.
"""

# The longest that the standard allows is 82; some receivers say more in GNS and GSV.
_LINE_MOST = 100
# So far a place may be off, in m, for each unit of HDOP: a receiver without correction, among houses.
_METRES_PER_HDOP = 5
_HDOP_MOST = 990
# Tenths of a knot: ten times the speed of sound is no wearer's.
_KNOTS_MOST = 20000
# With three satellites the height is guessed, and the place is as wrong as the guess.
_SATELLITES_LEAST = 4
ACCURACY_UNKNOWN = -1

# 1024 weeks: what a receiver is behind that knows the week's number by its ten low bits only.
_ROLLOVER_S = 619315200
_DAY_S = 86400
# No fix of ours is older than this (2024-01-01), so an earlier date is one rolled over.
_EARLIEST_DAY = 19723

_DOLLAR = 0x24
_STAR = 0x2A
_COMMA = 0x2C
_DOT = 0x2E
_ZERO = 0x30
# Of an RMC or GNS: autonomous, differential, RTK, precise. Not: none, estimated, by hand, simulated.
_VALID = b"ADFPR"
_QUALITIES = b"12345"
_NOT_HEX = 16


class Fix:
    """A place: degrees times a million (WGS 84), `unix_s` as the satellites say, UTC, and speed in cm/s.

    `accuracy_m`: most likely within so much, ACCURACY_UNKNOWN where the receiver does not say how good it is.
    """

    def __init__(self, latitude_e6, longitude_e6, unix_s, speed_cm_s):
        self.latitude_e6 = latitude_e6
        self.longitude_e6 = longitude_e6
        self.unix_s = unix_s
        self.speed_cm_s = speed_cm_s
        self.accuracy_m = ACCURACY_UNKNOWN


class Nmea:
    """feed() takes bytes; it returns a Fix when one is whole. `heard`: sentences with a right checksum so far."""

    def __init__(self):
        self.heard = 0
        self._line = bytearray(_LINE_MOST)
        self._size = -1
        # Where fields begin, and what ends the last of them.
        self._fields = [0] * 24
        self._count = 0
        # Of the second that is being said: its RMC, whether and how good its place is, and the time of day of either.
        self._fix = None
        self._fix_time = self._quality_time = -1
        self._good = False
        self._accuracy_m = ACCURACY_UNKNOWN

    def forget(self):
        """The receiver was off: a half line, and what belongs to an old second, are none of the next."""
        self._size = -1
        self._fix = None
        self._quality_time = -1

    def feed(self, buf, size):
        """Read buf[:size]. Returns the newest Fix that it made whole, or None. Never raises."""
        newest = None
        for i in range(size):
            byte = buf[i]
            if byte == _DOLLAR:
                self._size = 0
            elif self._size < 0:
                continue
            elif byte in (10, 13):
                if self._holds():
                    newest = self._sentence() or newest
                self._size = -1
            elif self._size == _LINE_MOST or not 0x20 < byte < 0x7F:
                self._size = -1
            else:
                self._line[self._size] = byte
                self._size += 1
        return newest

    def _holds(self):
        """Whether the line ends in its checksum. Cuts that off, and finds the fields."""
        line, end = self._line, self._size - 3
        if end < 6 or line[end] != _STAR:
            return False
        total = 0
        fields = self._fields
        fields[0] = 0
        count = 1
        for i in range(end):
            total ^= line[i]
            if line[i] == _COMMA:
                if count == len(fields) - 1:
                    return False
                fields[count] = i + 1
                count += 1
        fields[count] = end + 1
        self._count = count
        if total != _hex(line[end + 1]) << 4 | _hex(line[end + 2]):
            return False
        self.heard += 1
        return True

    def _sentence(self):
        """What a whole sentence adds. A Fix, when it was what was missing."""
        kind = self._text(0)[-3:]
        if kind == b"RMC":
            return self._take_rmc()
        if kind in (b"GGA", b"GNS"):
            return self._take_quality()
        return None

    def _take_rmc(self):
        # A second whose goodness was never said: it ends when the next begins.
        before, self._fix = self._fix, None
        time_s = self._time_of_day(1)
        if time_s < 0 or self._text(2) != b"A" or not self._valid_mode(12):
            return before
        place = self._place(3)
        unix_s = self._unix_s(9, time_s)
        if place is None or not unix_s:
            return before
        tenths = min(max(0, self._scaled(7, 1)), _KNOTS_MOST)
        self._fix = Fix(place[0], place[1], unix_s, tenths * 463 // 90)
        self._fix_time = time_s
        return self._whole() if self._quality_time == time_s else before

    def _take_quality(self):
        """How good the place of this second is. The mode of a GNS has a letter for each system."""
        good = _VALID if self._text(0)[-3:] == b"GNS" else _QUALITIES
        self._quality_time = self._time_of_day(1)
        self._good = any(letter in good for letter in self._text(6)) and self._scaled(7, 0) >= _SATELLITES_LEAST
        hdop = self._scaled(8, 1)
        self._accuracy_m = max(1, hdop * _METRES_PER_HDOP // 10) if 0 < hdop <= _HDOP_MOST else ACCURACY_UNKNOWN
        return self._whole() if self._fix is not None and self._quality_time == self._fix_time else None

    def _whole(self):
        """Both have been said of this second."""
        fix, self._fix = self._fix, None
        fix.accuracy_m = self._accuracy_m
        return fix if self._good else None

    # ---- fields ----

    def _text(self, field):
        """A field as it stands; b"" where there is none."""
        if field >= self._count:
            return b""
        return bytes(self._line[self._fields[field] : self._fields[field + 1] - 1])

    def _valid_mode(self, field):
        """The mode of an RMC, which older receivers do not say."""
        mode = self._text(field)
        return not mode or (len(mode) == 1 and mode[0] in _VALID)

    def _scaled(self, field, places):
        """A number without sign, times 10 to the power of `places`, cut off there; -1 for what is none, or too long."""
        if field >= self._count:
            return -1
        return _number(self._line, self._fields[field], self._fields[field + 1] - 1, places)

    def _time_of_day(self, field):
        """Seconds since midnight, -1 for what is none. A leap second is the one before."""
        hhmmss = self._scaled(field, 0)
        if len(self._text(field)) < 6 or hhmmss < 0:
            return -1
        hours, minutes, seconds = hhmmss // 10000, hhmmss // 100 % 100, min(hhmmss % 100, 59)
        if hours > 23 or minutes > 59 or hhmmss % 100 > 60:
            return -1
        return hours * 3600 + minutes * 60 + seconds

    def _place(self, field):
        """(latitude, longitude) in millionths of a degree, None for what is none on earth."""
        north = self._angle(field, 90)
        east = self._angle(field + 2, 180)
        hemispheres = self._text(field + 1) + self._text(field + 3)
        if north < 0 or east < 0 or hemispheres not in (b"NE", b"NW", b"SE", b"SW"):
            return None
        return -north if hemispheres[0] == 0x53 else north, -east if hemispheres[1] == 0x57 else east

    def _angle(self, field, most):
        """dddmm.mmmm as millionths of a degree; -1 for what is none. Split, so that nothing gets beyond 30 bits."""
        whole = self._scaled(field, 0)
        begin, end = self._fields[field], self._fields[field + 1] - 1
        dot = begin
        while dot < end and self._line[dot] != _DOT:
            dot += 1
        if whole < 0 or whole % 100 > 59 or dot - begin < 4:
            return -1
        # Of a minute, hundred-thousandths: 1.9 cm.
        minutes = _number(self._line, dot - 2, end, 5)
        angle = whole // 100 * 1000000 + minutes // 6
        return angle if 0 <= minutes and angle <= most * 1000000 else -1

    def _unix_s(self, field, time_s):
        """Date and time of day as seconds since 1970; 0 when the date is none, or none of this age."""
        ddmmyy = self._scaled(field, 0)
        if len(self._text(field)) != 6 or ddmmyy < 0:
            return 0
        day, month, year = ddmmyy // 10000, ddmmyy // 100 % 100, 2000 + ddmmyy % 100
        # Two digits: 80 to 99 are the last century's, before any week was counted anew.
        year -= 100 if year >= 2080 else 0
        if not 1 <= month <= 12 or not 1 <= day <= 31:
            return 0
        days = _days(year, month, day)
        if days < _EARLIEST_DAY:
            days += _ROLLOVER_S // _DAY_S
        return days * _DAY_S + time_s if days >= _EARLIEST_DAY else 0


def _days(year, month, day):
    """Days since 1970 of a date."""
    # Years that begin in March have their odd day at the end.
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469


def _hex(byte):
    """A digit's value; something that no checksum is, where it is none."""
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    if 0x41 <= byte <= 0x46:
        return byte - 0x37
    if 0x61 <= byte <= 0x66:
        return byte - 0x57
    return _NOT_HEX


def _number(line, begin, end, places):
    """Digits with at most one dot in line[begin:end], times 10 to the power of `places`; -1 where that is none."""
    value = 0
    digits = 0
    after = -1
    for i in range(begin, end):
        byte = line[i]
        if byte == _DOT and after < 0:
            after = 0
        elif not _ZERO <= byte <= _ZERO + 9:
            return -1
        elif after < places:
            value = value * 10 + byte - _ZERO
            digits += 1
            if after >= 0:
                after += 1
    if not digits or digits + places - max(after, 0) > 9:
        return -1
    for _ in range(places - max(after, 0)):
        value *= 10
    return value
