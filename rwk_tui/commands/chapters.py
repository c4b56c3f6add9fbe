"""What only reads chapters."""

from __future__ import annotations

import argparse

from rwk_tui.commands.given import BAD_INPUT, OK, complain, settings_of


def check(arguments: argparse.Namespace) -> int:
    """Read chapter files and say what is wrong with them."""
    from pathlib import Path

    from rwk_tui.settings import BadInput
    from rwk_tui.story.load import load_chapter

    code = OK
    for name in arguments.files:
        try:
            chapter = load_chapter(Path(name))
        except BadInput as error:
            code = complain(str(error), BAD_INPUT)
        else:
            print(f"{name}: ok, {len(chapter.steps)} steps")
    return code


def chapters(arguments: argparse.Namespace) -> int:
    """List the chapters."""
    settings = settings_of(arguments)
    from rwk_tui.story.load import load_chapters

    chapters = load_chapters(settings)
    width = max((len(chapter.name) for chapter in chapters), default=0)
    for chapter in chapters:
        print(f"{chapter.name:<{width}}  {len(chapter.steps):>2} steps  {chapter.title}")
    return OK
