"""The cockpit's own themes; every text colour has a contrast of at least 7:1 on every ground it is used on."""

from __future__ import annotations

from textual.theme import Theme

NAMES = ("dark", "light", "high-contrast")

# Name of a colour -> its value in each theme, in the order of NAMES.
PALETTE: dict[str, tuple[str, str, str]] = {
    "ground": ("#0f1419", "#ffffff", "#000000"),
    "raised": ("#182028", "#eef1f4", "#000000"),
    "text": ("#e8eef4", "#14181c", "#ffffff"),
    "strong": ("#ffffff", "#000000", "#ffffff"),
    "muted": ("#a8b5c2", "#434d57", "#dcdcdc"),
    "good": ("#7fe3a3", "#0a4d24", "#7dffaa"),
    "warn": ("#ffd074", "#5c3c00", "#ffe45c"),
    "bad": ("#ffa59e", "#8a1414", "#ffb4ad"),
    "accent": ("#8fcbff", "#0a3f80", "#a5deff"),
    "code": ("#d6c8ff", "#4b1f80", "#e6d6ff"),
    "line": ("#44515e", "#9aa5b0", "#ffffff"),
    "focus": ("#8fcbff", "#0a3f80", "#ffff00"),
    "cursor": ("#27455f", "#cfe3fa", "#ffff00"),
    "on-cursor": ("#ffffff", "#000000", "#000000"),
    "alarm": ("#7d1a16", "#8a1414", "#ffffff"),
    "on-alarm": ("#ffffff", "#ffffff", "#000000"),
}

TEXT_ON: tuple[tuple[str, str], ...] = (
    *(
        (text, ground)
        for text in ("text", "strong", "muted", "good", "warn", "bad", "accent", "code")
        for ground in ("ground", "raised")
    ),
    ("on-cursor", "cursor"),
    ("on-alarm", "alarm"),
)
"""Which colours meet as text and ground."""


def theme_name(name: str) -> str:
    """The name under which textual knows our theme; unknown ones mean the first."""
    return f"rwk-{name if name in NAMES else NAMES[0]}"


def _theme(number: int, name: str) -> Theme:
    colour = {key: values[number] for key, values in PALETTE.items()}
    return Theme(
        name=f"rwk-{name}",
        primary=colour["accent"],
        secondary=colour["code"],
        accent=colour["accent"],
        foreground=colour["text"],
        background=colour["ground"],
        surface=colour["ground"],
        panel=colour["raised"],
        success=colour["good"],
        warning=colour["warn"],
        error=colour["bad"],
        dark=name != "light",
        text_alpha=1.0,
        variables={f"rwk-{key}": value for key, value in colour.items()},
    )


THEMES = tuple(_theme(number, name) for number, name in enumerate(NAMES))
DEFAULTS = THEMES[0].variables
