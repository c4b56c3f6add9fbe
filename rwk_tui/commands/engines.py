"""What is about the programs that the lab runs."""

from __future__ import annotations

import argparse

from rwk_tui.commands.given import OK, check_backend_of, settings_of


def engines(arguments: argparse.Namespace) -> int:
    """List the engines."""
    settings = settings_of(arguments)
    from rwk_tui.engines.report import print_engines

    return print_engines(settings, as_json=arguments.json)


def install(arguments: argparse.Namespace) -> int:
    """Get engines into the cache."""
    settings = settings_of(arguments)
    from rwk_tui.engines.front import open_front
    from rwk_tui.engines.install import install

    with open_front(as_json=arguments.json) as front:
        install(arguments.names, settings, front, origin=arguments.origin, force=arguments.force, keep=arguments.keep)
    return OK


def clean(arguments: argparse.Namespace) -> int:
    """Free what installing left."""
    settings = settings_of(arguments)
    from rwk_tui.engines.clean import clean

    clean(settings, print)
    return OK


def doctor(arguments: argparse.Namespace) -> int:
    """Say what works here."""
    settings = settings_of(arguments)
    check_backend_of(settings)
    from rwk_tui.engines.doctor import print_doctor

    return print_doctor(settings)
