"""The watch's icons, our own, as drawings. Owns what each looks like; each is told from every other without colour.

A drawing is a function of a pencil (pencil.py); ICONS has them by the name that the screen calls them by.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.glyphs.pencil import Pencil

_MIDDLE = (32.0, 32.0)


def _medical(pencil: Pencil) -> None:
    """A cross in a bag."""
    pencil.rectangle(4, 16, 60, 58, 7)
    pencil.line([(22, 14), (22, 7), (42, 7), (42, 14)], 5)
    pencil.rectangle(27, 23, 37, 51, 1, 0)
    pencil.rectangle(18, 32, 46, 42, 1, 0)


def _care(pencil: Pencil) -> None:
    """A heart above an open hand."""
    _heart(pencil, 32, 5, 17)
    pencil.line([(6, 47), (18, 47), (26, 54), (40, 54)], 6)
    pencil.line([(6, 59), (40, 59), (58, 45)], 6)


def _heart(pencil: Pencil, x: float, y: float, half: float) -> None:
    lobe = half * 0.53
    pencil.disc((x - lobe, y + lobe), lobe * 1.06)
    pencil.disc((x + lobe, y + lobe), lobe * 1.06)
    pencil.shape([(x - half * 1.02, y + lobe * 1.35), (x + half * 1.02, y + lobe * 1.35), (x, y + half * 1.95)])


def _information(pencil: Pencil) -> None:
    """A sheet with an i."""
    pencil.rectangle(10, 3, 54, 61, 8)
    pencil.disc((32, 17), 5.5, 0)
    pencil.line([(32, 30), (32, 49)], 9, 0)


def _counselling(pencil: Pencil) -> None:
    """Words between two."""
    pencil.rectangle(4, 6, 48, 36, 9)
    pencil.shape([(12, 32), (12, 46), (27, 34)])
    pencil.rectangle(22, 26, 62, 54, 9, 0)
    pencil.rectangle(26, 30, 60, 52, 8)
    pencil.shape([(52, 48), (52, 61), (38, 50)])
    for x in (35, 43, 51):
        pencil.disc((x, 41), 2.8, 0)


def _household(pencil: Pencil) -> None:
    """A broom beside a pail."""
    pencil.line([(50, 5), (36, 32)], 6)
    pencil.shape([(29, 29), (44, 37), (37, 60), (10, 48)])
    for start, end in (((30, 42), (22, 53)), ((36, 45), (30, 56))):
        pencil.line([start, end], 2.5, 0)


def _call_me(pencil: Pencil) -> None:
    """A handset, ringing."""
    pencil.line([(12, 12), (14, 30), (34, 50), (52, 52)], 11)
    pencil.line([(10, 10), (18, 18)], 12)
    pencil.line([(46, 46), (54, 54)], 12)
    pencil.arc((30, 34), 14, -80, -10, 5)
    pencil.arc((30, 34), 26, -80, -10, 5)


def _menu(pencil: Pencil) -> None:
    for left in (8, 36):
        for top in (8, 36):
            pencil.rectangle(left, top, left + 20, top + 20, 4)


def _next(pencil: Pencil) -> None:
    pencil.line([(22, 10), (46, 32), (22, 54)], 9)


def _home(pencil: Pencil) -> None:
    pencil.line([(7, 33), (32, 9), (57, 33)], 8)
    pencil.shape([(14, 31), (32, 14), (50, 31), (50, 57), (14, 57)])
    pencil.rectangle(26, 38, 38, 58, 0, 0)


def _leave(pencil: Pencil) -> None:
    """Out of a door."""
    pencil.line([(34, 8), (10, 8), (10, 56), (34, 56)], 7)
    pencil.line([(26, 32), (56, 32)], 8)
    pencil.line([(43, 18), (57, 32), (43, 46)], 8)


def _yes(pencil: Pencil) -> None:
    pencil.line([(9, 34), (26, 51), (56, 14)], 9)


def _no(pencil: Pencil) -> None:
    pencil.line([(12, 12), (52, 52)], 9)
    pencil.line([(52, 12), (12, 52)], 9)


def _pressed(pencil: Pencil) -> None:
    """A button, and the ring that spreads from it."""
    pencil.disc(_MIDDLE, 13)
    pencil.ring(_MIDDLE, 20, 4)
    pencil.ring(_MIDDLE, 28, 4)


def _counting(pencil: Pencil) -> None:
    pencil.ring((32, 35), 23)
    pencil.line([(32, 22), (32, 36), (42, 42)], 6)
    pencil.line([(26, 5), (38, 5)], 6)


def _sending(pencil: Pencil) -> None:
    """Up and out."""
    pencil.line([(32, 58), (32, 12)], 8)
    pencil.line([(14, 29), (32, 10), (50, 29)], 8)


def _stored(pencil: Pencil) -> None:
    """A box with an antenna and its waves: the gateway."""
    pencil.rectangle(6, 38, 58, 60, 6)
    for x in (16, 26):
        pencil.disc((x, 49), 3.4, 0)
    pencil.line([(46, 38), (46, 20)], 5)
    pencil.disc((46, 17), 4.5)
    pencil.arc((46, 17), 12, 120, 240, 4.5)
    pencil.arc((46, 17), 21, 125, 235, 4.5)


def _accepted(pencil: Pencil) -> None:
    """A screen on a desk: the centre has it."""
    pencil.rectangle(4, 8, 60, 46, 5)
    pencil.rectangle(10, 14, 54, 40, 2, 0)
    pencil.line([(20, 27), (29, 35), (44, 19)], 6)
    pencil.line([(32, 46), (32, 55)], 8)
    pencil.line([(18, 58), (46, 58)], 6)


def _answered(pencil: Pencil) -> None:
    """A person with a headset."""
    pencil.disc((32, 25), 12)
    pencil.arc((32, 24), 19, 180, 360, 5)
    pencil.rectangle(9, 22, 18, 36, 4)
    pencil.rectangle(46, 22, 55, 36, 4)
    pencil.line([(51, 35), (46, 43), (37, 43)], 4)
    pencil.disc((32, 68), 24)
    pencil.rectangle(4, 60, 60, 64, ink=0)


def _closed(pencil: Pencil) -> None:
    pencil.disc(_MIDDLE, 29)
    pencil.line([(17, 33), (28, 44), (47, 21)], 8, 0)


def _no_path(pencil: Pencil) -> None:
    """Waves struck through."""
    pencil.disc((32, 48), 5)
    for radius in (15, 27, 39):
        pencil.arc((32, 48), radius, -135, -45, 6)
    pencil.line([(16, 60), (48, 4)], 15, 0)
    pencil.line([(16, 60), (48, 4)], 6)


def _busy(pencil: Pencil) -> None:
    """An hourglass."""
    pencil.line([(12, 6), (52, 6)], 7)
    pencil.line([(12, 58), (52, 58)], 7)
    pencil.shape([(15, 8), (49, 8), (35, 32), (49, 56), (15, 56), (29, 32)])
    pencil.shape([(23, 12), (41, 12), (35, 21), (29, 21)], 0)
    pencil.shape([(32, 37), (39, 47), (25, 47)], 0)


def _refused(pencil: Pencil) -> None:
    pencil.ring(_MIDDLE, 25, 8)
    pencil.line([(15, 15), (49, 49)], 8)


def _locating(pencil: Pencil) -> None:
    pencil.ring(_MIDDLE, 19)
    pencil.disc(_MIDDLE, 7)
    for start, end in (((32, 3), (32, 13)), ((32, 51), (32, 61)), ((3, 32), (13, 32)), ((51, 32), (61, 32))):
        pencil.line([start, end], 6)


def _armed(pencil: Pencil) -> None:
    """A spanner."""
    pencil.line([(12, 52), (38, 26)], 11)
    pencil.disc((44, 20), 16)
    pencil.shape([(40, 16), (52, 4), (60, 4), (60, 12), (48, 24)], 0)
    pencil.disc((44, 20), 6, 0)
    pencil.disc((13, 51), 2.5, 0)


def _checkin(pencil: Pencil) -> None:
    pencil.ring(_MIDDLE, 26)
    pencil.disc((23, 26), 4)
    pencil.disc((41, 26), 4)
    pencil.arc((32, 32), 14, 25, 155, 5)


def _medicine(pencil: Pencil) -> None:
    """A capsule, half of it filled."""
    pencil.line([(18, 46), (46, 18)], 26)
    pencil.line([(20, 44), (30, 34)], 14, 0)
    pencil.line([(31, 24), (41, 34)], 4)


def _look(pencil: Pencil) -> None:
    """An open eye."""
    pencil.arc((32, 58), 38, -135, -45, 6)
    pencil.arc((32, 6), 38, 45, 135, 6)
    pencil.disc((32, 32), 11)
    pencil.disc((32, 32), 4, 0)


def _fall(pencil: Pencil) -> None:
    """Somebody on the way to the ground."""
    pencil.disc((14, 24), 8)
    pencil.line([(22, 32), (40, 42)], 10)
    pencil.line([(40, 42), (56, 28), (60, 14)], 7)
    pencil.line([(24, 34), (12, 48)], 6)
    pencil.line([(4, 60), (60, 60)], 5)


ICONS: dict[str, Callable[[Pencil], None]] = {
    "medical": _medical,
    "care": _care,
    "information": _information,
    "counselling": _counselling,
    "household": _household,
    "call_me": _call_me,
    "menu": _menu,
    "next": _next,
    "home": _home,
    "leave": _leave,
    "yes": _yes,
    "no": _no,
    "pressed": _pressed,
    "counting": _counting,
    "sending": _sending,
    "stored": _stored,
    "accepted": _accepted,
    "answered": _answered,
    "closed": _closed,
    "no_path": _no_path,
    "busy": _busy,
    "refused": _refused,
    "locating": _locating,
    "armed": _armed,
    "checkin": _checkin,
    "medicine": _medicine,
    "look": _look,
    "fall": _fall,
}
