"""The chapters that can be opened: those that files tell, and those that are made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rwk_tui.settings import BadInput
from rwk_tui.story.fault_story import is_made, made_chapter
from rwk_tui.story.needs import lacking
from rwk_tui.story.patience import patient
from rwk_tui.story.schema import Chapter


class Refused(Exception):
    """The director can't do that now, in one line."""


class Shelf:
    """The chapters of the files by name, in order, as a lab with that slack can play them."""

    def __init__(self, chapters: Sequence[Chapter], slack: float) -> None:
        self._chapters = {chapter.name: patient(chapter, slack) for chapter in chapters}

    @property
    def told(self) -> tuple[Chapter, ...]:
        """The chapters that files tell."""
        return tuple(self._chapters.values())

    def find(self, name: str, step: int, versions: Mapping[str, str]) -> Chapter:
        """The chapter of that name, if it has that step (0-based) and runs on engines of these versions.

        Raises Refused with what there is instead.
        """
        found = self.named(name)
        if not 0 <= step <= len(found.steps):
            raise Refused(f"{name} has {len(found.steps)} steps, there is no step {step + 1}")
        if why := lacking(found, versions):
            raise Refused(why)
        return found

    def named(self, name: str) -> Chapter:
        """The chapter of that name. Raises Refused."""
        if is_made(name):
            try:
                return made_chapter(name)
            except BadInput as error:
                raise Refused(str(error)) from error
        if name not in self._chapters:
            raise Refused(f"no chapter {name!r}; there are: {', '.join(self._chapters)}")
        return self._chapters[name]
