"""How eyes see colours: contrast, difference, and three kinds of eyes that lack one of the three cones. Pure.

Sources: contrast by WCAG 2.1 (relative luminance); difference is CIE 1976 delta E in L*a*b* under D65; the three
matrices, on linear RGB, are Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color
Vision Deficiency", IEEE TVCG 15(6), 2009, severity 1.0.
"""

from __future__ import annotations

Linear = tuple[float, float, float]
_Matrix = tuple[Linear, Linear, Linear]

EYES: dict[str, _Matrix] = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def on_16_bits(rgb: int) -> int:
    """The colour that a screen of 5, 6 and 5 bits shows for it."""
    red, green, blue = rgb >> 19 & 0x1F, rgb >> 10 & 0x3F, rgb >> 3 & 0x1F
    return (red * 255 // 31) << 16 | (green * 255 // 63) << 8 | blue * 255 // 31


def seen(rgb: int, eye: str) -> Linear:
    """What this eye sees, as linear RGB."""
    linear = [_linear((rgb >> shift & 0xFF) / 255) for shift in (16, 8, 0)]
    red, green, blue = (
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, linear, strict=True)))) for row in EYES[eye]
    )
    return red, green, blue


def contrast(one: Linear, other: Linear) -> float:
    """1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def difference(one: Linear, other: Linear) -> float:
    """Delta E; about 2 is the least that is seen, side by side."""
    return float(sum((a - b) ** 2 for a, b in zip(_lab(one), _lab(other), strict=True)) ** 0.5)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _luminance(colour: Linear) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def _lab(colour: Linear) -> Linear:
    red, green, blue = colour
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = _luminance(colour)
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
