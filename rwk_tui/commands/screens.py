"""What opens a screen: the cockpit, the speaker notes, a view here or in browsers, a replay."""

from __future__ import annotations

import argparse
import sys

from rwk_tui.commands.given import BAD_INPUT, OK, complain, lab_settings, settings_of


def cockpit(arguments: argparse.Namespace) -> int:
    """Open the cockpit: its lab is made if there is none."""
    settings = lab_settings(arguments)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("the cockpit needs a terminal; `rwk-tui play --all` does without", BAD_INPUT)
    from rwk_tui.cockpit.run import run_cockpit

    return run_cockpit(settings)


def notes(arguments: argparse.Namespace) -> int:
    """Show the speaker notes of the running lab."""
    settings = settings_of(arguments, daemon=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("the speaker notes need a terminal, the second one", BAD_INPUT)
    from rwk_tui.cockpit.run import run_notes

    return run_notes(settings, read_only=arguments.read_only)


def view(arguments: argparse.Namespace) -> int:
    """Look at the running lab, or at the next one."""
    settings = settings_of(arguments, daemon=True)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("a view needs a terminal; `rwk-tui web` lets browsers look", BAD_INPUT)
    from rwk_tui.cockpit.run import run_view

    return run_view(settings)


def web(arguments: argparse.Namespace) -> int:
    """Let browsers look at the running lab until Ctrl-C."""
    settings = settings_of(arguments, daemon=True)
    from rwk_tui.cockpit.theme_files import load_palette
    from rwk_tui.web.guard import is_name
    from rwk_tui.web.server import MOST, Place, serve

    load_palette(settings)  # What is wrong with it is said here, not to each browser.
    place = Place(arguments.host, arguments.port, arguments.visitors, tuple(arguments.name))
    if not place.host:
        return complain("--host: say an address, such as 127.0.0.1", BAD_INPUT)
    if not 0 <= place.port <= 65535:
        return complain(f"--port {place.port}: a port is a number from 1 to 65535", BAD_INPUT)
    if not 1 <= place.visitors <= MOST:
        return complain(f"--visitors {place.visitors}: from 1 to {MOST}", BAD_INPUT)
    for name in place.names:
        if not is_name(name):
            return complain(f"--name {name}: say a name without a port, such as lab.example.org", BAD_INPUT)
    serve(settings, place)
    return OK


def replay(arguments: argparse.Namespace) -> int:
    """Play a recording in the cockpit."""
    settings = settings_of(arguments)
    from pathlib import Path

    from rwk_tui.data import data_dir
    from rwk_tui.tape.source import ReplaySource

    source = ReplaySource(Path(arguments.file) if arguments.file else data_dir("assets") / "tapes" / "demo.tape")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("a replay needs a terminal; `rwk-tui tape info FILE` does without", BAD_INPUT)
    from rwk_tui.cockpit.run import run_replay

    return run_replay(settings, source)
