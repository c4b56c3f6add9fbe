"""Every text colour can be read on every ground it is used on."""

from __future__ import annotations

import pytest
from textual.color import Color

from rwk_tui.cockpit.themes import NAMES, PALETTE, TEXT_ON, theme_name


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in (colour.r, colour.g, colour.b)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_contrast_is_at_least_seven(number: int, text: str, ground: str) -> None:
    ratio = contrast(PALETTE[text][number], PALETTE[ground][number])
    assert ratio >= 7.0, f"{NAMES[number]}: {text} on {ground} is {ratio:.1f}"


def test_unknown_themes_mean_the_first() -> None:
    assert theme_name("light") == "rwk-light"
    assert theme_name("pink") == "rwk-dark"
