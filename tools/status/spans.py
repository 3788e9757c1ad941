"""How long and how much, as people read them. Owns units and bars; words are the catalogue's."""

from __future__ import annotations

from tools.messages import Messages

# Seconds of each unit, and from how many of it on the next larger one is read more easily.
_UNITS = (("seconds", 1, 120), ("minutes", 60, 120), ("hours", 3600, 48))
_DAY_S = 86_400
# Received signal in dBm: from -60 up one is in the room, below -90 a frame in two is lost.
_BARS = ((-60, "▂▄▆█"), (-70, "▂▄▆ "), (-80, "▂▄  "), (-90, "▂   "))


def span(seconds: float | None, words: Messages) -> str:
    """12 s, 5 min, 3 h, 9 d; a dash for what is not known."""
    if seconds is None:
        return "–"
    for unit, length_s, most in _UNITS:
        if seconds < most * length_s:
            return words.text(f"status.span.{unit}", count=int(seconds // length_s))
    return words.text("status.span.days", count=int(seconds // _DAY_S))


def signal(rssi_dbm: int | None) -> str:
    """Bars and dBm; empty by wire."""
    if rssi_dbm is None:
        return ""
    bars = next((bars for least, bars in _BARS if rssi_dbm >= least), "·   ")
    return f"{bars} {rssi_dbm}"


def size(count: int | None) -> str:
    """Bytes, in GB or MB."""
    if count is None:
        return "–"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
