"""What looks into a recording without a screen."""

from __future__ import annotations

import argparse

from rwk_tui.commands.given import BAD_INPUT, complain, settings_of


def tape_info(arguments: argparse.Namespace) -> int:
    """Say what a tape holds."""
    from pathlib import Path

    from rwk_tui.tape.info import print_info

    return print_info(Path(arguments.file), json=arguments.json)


def tape_export(arguments: argparse.Namespace) -> int:
    """Write what a tape holds in other forms."""
    from pathlib import Path

    names = (arguments.report, arguments.events, arguments.cast, arguments.stills)
    report, events, cast, stills = (Path(name) if name else None for name in names)
    if not any(names):
        wishes = "--report FILE, --events FILE, --cast FILE, --stills DIR"
        return complain(f"tape export: say what is wanted: {wishes}", BAD_INPUT)
    size = _size(arguments.size)
    if size is None:
        return complain(f"--size {arguments.size}: must be from 60x16 to 400x200, such as 120x40", BAD_INPUT)
    from rwk_tui.tape.export import export
    from rwk_tui.tape.targets import check_targets

    tape = Path(arguments.file)
    files = {"--report": report, "--events": events, "--cast": cast}
    check_targets(tape, {flag: path for flag, path in files.items() if path is not None}, stills, "--stills")
    code = export(tape, report=report, events=events)
    if cast is not None or stills is not None:
        from rwk_tui.cockpit.pictures import run_pictures

        run_pictures(settings_of(arguments), tape, cast=cast, stills=stills, size=size)
    return code


def _size(text: str) -> tuple[int, int] | None:
    """The columns and rows of a screen; None if it would be none."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        return None
    return (int(width), int(height)) if 60 <= int(width) <= 400 and 16 <= int(height) <= 200 else None
