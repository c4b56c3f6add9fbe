"""When each step of the story began: what a step printed earlier, when its chapter was told before, is not its own."""

from __future__ import annotations

from msgspec.structs import replace

from rwk_tui.board.frames import Step, Story


def with_beginnings(story: Story, before: Story, at: float) -> Story:
    """The story with the time (unix, s) at which each step began to be told.

    Steps that `before` does not know as told began at `at`. Whoever made the story may have said it; tapes of earlier
    versions never do.
    """
    known = before.steps if before.chapter == story.chapter else ()
    steps = tuple(
        _with_beginning(step, known[number] if number < len(known) else None, at)
        for number, step in enumerate(story.steps)
    )
    return story if steps == story.steps else replace(story, steps=steps)


def _with_beginning(step: Step, before: Step | None, at: float) -> Step:
    if step.status == "waiting":
        return replace(step, began=0.0) if step.began else step
    if step.began:
        return step
    told = before is not None and before.status != "waiting" and before.title == step.title
    anew = step.status == "running" and (before is None or before.status != "running")
    began = before.began if before is not None and told and not anew else at
    return replace(step, began=began) if began else step
