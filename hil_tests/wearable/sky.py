"""The sky over a wearable: what a receiver of satellites says of a place in a second, as NMEA 0183.

Owns: sentences as u-blox's and Quectel's receivers put them, and the ways in which they are of no use: no fix yet,
noise, cuts. Must not know who reads them. Both Pythons run it. Places are degrees times a million, WGS 84; times are
seconds since 1970, UTC.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def sealed(body: str) -> str:
    """A sentence of this body, with its checksum, without its line end."""
    total = 0
    for letter in body:
        total ^= ord(letter)
    return f"${body}*{total:02X}"


def clock(unix_s: int) -> "tuple[str, str]":
    """Time of day and date as NMEA says them."""
    day_s = unix_s % 86400
    days, year, month = unix_s // 86400, 1970, 0
    while days >= (366 if _leap(year) else 365):
        days -= 366 if _leap(year) else 365
        year += 1
    while days >= _DAYS[month] + (month == 1 and _leap(year)):
        days -= _DAYS[month] + (month == 1 and _leap(year))
        month += 1
    time = f"{day_s // 3600:02d}{day_s // 60 % 60:02d}{day_s % 60:02d}.000"
    return time, f"{days + 1:02d}{month + 1:02d}{year % 100:02d}"


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def place(latitude_e6: int, longitude_e6: int) -> str:
    """Four fields: ddmm.mmmmm,N,dddmm.mmmmm,E."""
    north, east = _angle(abs(latitude_e6), 2), _angle(abs(longitude_e6), 3)
    return f"{north},{'S' if latitude_e6 < 0 else 'N'},{east},{'W' if longitude_e6 < 0 else 'E'}"


def _angle(angle_e6: int, digits: int) -> str:
    # Of a minute, hundred-thousandths; rounded up, so that the reader's division gives back what was there.
    minutes = angle_e6 % 1000000 * 6
    degrees = f"{angle_e6 // 1000000:03d}"[3 - digits :]
    return f"{degrees}{minutes // 100000:02d}.{minutes % 100000:05d}"


def second(unix_s: int, latitude_e6: int, longitude_e6: int, hdop: str = "1.0", knots: str = "0.0") -> "list[str]":
    """All that is said in one second with a good view; `hdop` 1.0 is about 5 m."""
    time, date = clock(unix_s)
    where = place(latitude_e6, longitude_e6)
    return [
        sealed(f"GNRMC,{time},A,{where},{knots},77.5,{date},,,A,V"),
        sealed(f"GNGGA,{time},{where},1,11,{hdop},23.6,M,-3.2,M,,"),
        sealed(f"GNGSA,A,3,05,13,15,18,20,23,24,,,,,,1.7,{hdop},1.4,1"),
        sealed("GPGSV,1,1,04,05,53,038,41,13,42,310,38,15,77,201,44,18,29,120,33,1"),
    ]


def indoors(unix_s: int) -> "list[str]":
    """A second of a receiver that has the time, and no place."""
    time, date = clock(unix_s)
    return [sealed(f"GNRMC,{time},V,,,,,,,{date},,,N,V"), sealed(f"GNGGA,{time},,,,,0,02,99.99,,,,,,")]


def cold() -> "list[str]":
    """A second of one that has nothing yet."""
    return [sealed("GNRMC,,V,,,,,,,,,,N,V"), sealed("GNGGA,,,,,,0,00,99.99,,,,,,")]


def hurt(sentences: "list[str]", dice: "Callable[[int], int]") -> "list[str]":
    """The same over a bad line: cut, garbled, run into each other, with noise between. `dice(n)`: 0 to n - 1."""
    out = []
    for sentence in sentences:
        way = dice(5)
        at = 1 + dice(len(sentence) - 1)
        if way == 0:
            out.append(sentence[:at])
        elif way == 1:
            out.append(sentence[:at] + chr(0x21 + dice(94)) + sentence[at + 1 :])
        elif way == 2:
            out.append(sentence[at:] + sentence)
        elif way == 3:
            out.append("".join(chr(0x21 + dice(94)) for _ in range(dice(120))))
        else:
            out.append(sentence)
    return out
