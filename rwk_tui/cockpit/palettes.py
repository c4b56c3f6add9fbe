"""The colours of the themes by name, and which of them meet as text and ground; only data, and what measures it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rwk_tui.settings import THEMES

# Name of a colour -> its value in each theme, in the order of settings.THEMES. Those of "colour-blind" stay apart for
# eyes that lack one sort of cones: states differ in blue against yellow or in lightness, never in red and green only.
_TABLE: dict[str, tuple[str, str, str, str]] = {
    "ground": ("#0f1419", "#ffffff", "#000000", "#10151c"),
    "raised": ("#182028", "#eef1f4", "#000000", "#1a222c"),
    "text": ("#e8eef4", "#14181c", "#ffffff", "#e8eef4"),
    "strong": ("#ffffff", "#000000", "#ffffff", "#ffffff"),
    "muted": ("#a8b5c2", "#434d57", "#dcdcdc", "#a9b4c0"),
    "good": ("#7fe3a3", "#0a4d24", "#7dffaa", "#66ffb8"),
    "warn": ("#ffd074", "#5c3c00", "#ffe45c", "#f2e530"),
    "bad": ("#ffa59e", "#8a1414", "#ffb4ad", "#ff9166"),
    "accent": ("#8fcbff", "#0a3f80", "#a5deff", "#99c2ff"),
    "code": ("#d6c8ff", "#4b1f80", "#e6d6ff", "#dcd0ff"),
    "line": ("#44515e", "#9aa5b0", "#ffffff", "#4a5664"),
    "focus": ("#8fcbff", "#0a3f80", "#ffff00", "#99c2ff"),
    "cursor": ("#27455f", "#cfe3fa", "#ffff00", "#1f4a7a"),
    "on-cursor": ("#ffffff", "#000000", "#000000", "#ffffff"),
    "alarm": ("#7d1a16", "#8a1414", "#ffffff", "#ffb38a"),
    "on-alarm": ("#ffffff", "#ffffff", "#000000", "#000000"),
    "replay": ("#d9a8ff", "#5a1a96", "#ff9cff", "#ffb3ff"),
    "on-replay": ("#000000", "#ffffff", "#000000", "#000000"),
}
COLOURS = tuple(_TABLE)
"""The names that a palette gives a value to."""
STATES = ("good", "warn", "bad", "accent")
"""The colours that tell states apart (beside a glyph and a word)."""

TEXT_ON: tuple[tuple[str, str], ...] = (
    *(
        (text, ground)
        for text in ("text", "strong", "muted", *STATES, "code", "focus")
        for ground in ("ground", "raised")
    ),
    ("on-cursor", "cursor"),
    ("on-alarm", "alarm"),
    ("on-replay", "replay"),
)
"""Which colours meet as text and ground; what is drawn on the screen uses no other pairs."""
READABLE = 7.0
"""The least contrast of text on its ground (WCAG's AAA)."""


class Palette(msgspec.Struct, frozen=True):
    """The colours of one theme: a value such as "#0f1419" for each of COLOURS."""

    name: str
    colours: Mapping[str, str]

    @property
    def dark(self) -> bool:
        """Whether light text is better read on its ground."""
        ground = self.colours["ground"]
        return contrast("#ffffff", ground) > contrast("#000000", ground)

    def faint(self) -> list[tuple[str, str, float]]:
        """The pairs of text and ground that are hard to read, with their contrast."""
        found = [(text, ground, contrast(self.colours[text], self.colours[ground])) for text, ground in TEXT_ON]
        return [each for each in found if each[2] < READABLE]


PALETTES: dict[str, Palette] = {
    name: Palette(name, {key: values[number] for key, values in _TABLE.items()}) for number, name in enumerate(THEMES)
}


def linear(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of "#rrggbb" as amounts of light, 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def _light(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """How bright a colour is, 0 to 1."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG defines it, 1 to 21."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
