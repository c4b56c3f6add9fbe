"""Themes of the user's own: a TOML file that names colours, and a theme that gives the rest."""

from __future__ import annotations

import re
from pathlib import Path

from rwk_tui.cockpit.palettes import COLOURS, PALETTES, READABLE, Palette
from rwk_tui.settings import Settings
from rwk_tui.tomlfile import BadInput, line_of, read_toml


def load_palette(settings: Settings) -> Palette:
    """The colours of the theme that was chosen. Raises BadInput with file, line and key if its file can't be used."""
    file = settings.theme_file
    return PALETTES[settings.theme] if file is None else _read(file, settings.theme)


def _read(file: Path, name: str) -> Palette:
    text, given = read_toml(file)
    for key, value in given.items():
        where = f"{file}:{line_of(text, key)}: {key}"
        if key == "base":
            if value not in tuple(PALETTES):
                raise BadInput(f"{where}: must be one of {', '.join(PALETTES)}, not {value!r}")
        elif key not in COLOURS:
            raise BadInput(f"{where}: there is no such colour; there are {', '.join(COLOURS)}, and base")
        elif not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise BadInput(f'{where}: must be a colour such as "#1f4a7a", not {value!r}')
    base = PALETTES[given.pop("base", "dark")]
    return Palette(name, {**base.colours, **{key: value.lower() for key, value in given.items()}})


def warning(palette: Palette) -> str:
    """What is hard to read in a palette, the worst first ("" if nothing is)."""
    faint = sorted(palette.faint(), key=lambda pair: pair[2])
    told = [f"{text} on {ground} ({contrast:.1f})" for text, ground, contrast in faint[:3]]
    more = f" and {len(faint) - 3} more" if len(faint) > 3 else ""
    return f"hard to read, for their contrast is below {READABLE:g}: {', '.join(told)}{more}" if faint else ""
