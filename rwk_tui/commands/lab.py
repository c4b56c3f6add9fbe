"""What makes a lab or speaks to one, without a screen."""

from __future__ import annotations

import argparse

from rwk_tui.commands.given import BAD_INPUT, complain, lab_settings, settings_of


def play(arguments: argparse.Namespace) -> int:
    """Run chapters without a screen."""
    settings = lab_settings(arguments)
    if arguments.all == bool(arguments.chapters):
        return complain("play: name chapters, or say --all (`rwk-tui chapters` lists them)", BAD_INPUT)
    from pathlib import Path

    from rwk_tui.daemon.play import run_play

    report_to = Path(arguments.report) if arguments.report else None
    return run_play(
        settings,
        arguments.chapters,
        all=arguments.all,
        json=arguments.json,
        report_to=report_to,
        install=arguments.install,
    )


def soak(arguments: argparse.Namespace) -> int:
    """Strike the lab with random faults."""
    settings = lab_settings(arguments)
    from pathlib import Path

    from rwk_tui.daemon.soak import Wanted, run_soak

    wanted = Wanted(
        faults=arguments.faults,
        seed=arguments.seed,
        stage=arguments.on,
        only=tuple(arguments.only),
        json=arguments.json,
        report_to=Path(arguments.report) if arguments.report else None,
    )
    return run_soak(settings, wanted)


def report(arguments: argparse.Namespace) -> int:
    """Print the report cards."""
    settings = settings_of(arguments)
    from pathlib import Path

    from rwk_tui.daemon.report import run_report

    return run_report(settings, json=arguments.json, output=Path(arguments.output) if arguments.output else None)


def up(arguments: argparse.Namespace) -> int:
    """Hold the lab at a place in the story."""
    settings = lab_settings(arguments)
    from rwk_tui.daemon.up import run_up

    return run_up(settings, arguments.at)


def env(arguments: argparse.Namespace) -> int:
    """Print what a shell needs to work with the lab."""
    settings = settings_of(arguments, daemon=True)
    from rwk_tui.daemon.up import print_env

    return print_env(settings)


def shell(arguments: argparse.Namespace) -> int:
    """Become a shell on a machine."""
    settings = settings_of(arguments, daemon=True)
    from rwk_tui.daemon.shell import become_shell

    return become_shell(settings, arguments.machine)


def down(arguments: argparse.Namespace) -> int:
    """Halt the lab."""
    settings = settings_of(arguments, daemon=True)
    from rwk_tui.daemon.up import run_down

    return run_down(settings)
