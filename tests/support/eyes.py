"""How eyes that lack one sort of cones see a colour, and how far two colours are apart for an eye.

The matrices are those of Machado, Oliveira and Fernandes (2009) at severity 1.0, for linear RGB; the difference is the
distance in CIELAB (CIE 1976), white D65: about 2 is just seen, 20 is told apart at a glance.
"""

from __future__ import annotations

import math

from rwk_tui.cockpit.palettes import linear

Light = tuple[float, float, float]
_Matrix = tuple[Light, Light, Light]

EYES: dict[str, _Matrix] = {
    "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Everybody; protanopia, deuteranopia and tritanopia."""
_TO_XYZ: _Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE: Light = (0.95047, 1.0, 1.08883)


def _times(matrix: _Matrix, light: Light) -> Light:
    one, two, three = (sum(a * b for a, b in zip(row, light, strict=True)) for row in matrix)
    return one, two, three


def seen(colour: str, eye: str) -> Light:
    """The light that the eye takes "#rrggbb" for, each part 0 to 1."""
    red, green, blue = (min(1.0, max(0.0, part)) for part in _times(EYES[eye], linear(colour)))
    return red, green, blue


def difference(one: Light, other: Light) -> float:
    """How far apart two lights look."""
    return math.dist(_lab(one), _lab(other))


def _lab(light: Light) -> Light:
    x, y, z = (_curve(part / white) for part, white in zip(_times(_TO_XYZ, light), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _curve(part: float) -> float:
    return part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
