"""What a chapter expects of a lab where everything takes longer."""

from __future__ import annotations

import shlex

from msgspec.structs import replace

from rwk_tui.cluster import etcdctl
from rwk_tui.story.schema import Action, Chapter, Check, Gap, Run, Step, Until
from rwk_tui.story.words import in_words


def patient(chapter: Chapter, slack: float) -> Chapter:
    """The chapter with its upper bounds multiplied, and said so to the audience; a slow lab's etcdctl waits longer."""
    if slack <= 1.0:
        return chapter
    return replace(chapter, steps=tuple(_step(step, slack) for step in chapter.steps))


def _step(step: Step, slack: float) -> Step:
    expect = tuple(_check(check, slack) for check in step.expect)
    return replace(step, expect=expect, do=tuple(_action(action, slack) for action in step.do))


def _action(action: Action, slack: float) -> Action:
    match action.what:
        case Until() as until:
            return replace(action, what=replace(until, check=_check(until.check, slack)))
        case Run() as run:
            return replace(action, what=replace(run, command=_command(run.command, slack)))
    return action


def _command(given: str | tuple[str, ...], slack: float) -> str | tuple[str, ...]:
    words = tuple(shlex.split(given)) if isinstance(given, str) else given
    longer = etcdctl.patient(words, slack)
    return given if longer == words else longer


def _check(check: Check, slack: float) -> Check:
    what = check.what
    if not isinstance(what, Gap) or what.below_ms is None:
        return check
    wider = replace(what, below_ms=what.below_ms * slack)
    return replace(check, what=wider, text=in_words(wider))
