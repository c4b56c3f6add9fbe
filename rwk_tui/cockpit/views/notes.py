"""What the presenter alone reads: the step's notes and commands, and what comes then."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Step, StepStatus
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.text import Line, Span, Tone, clean, line, wrap
from rwk_tui.cockpit.views.story import command_lines

NO_NOTES = "no notes; the screen says:"


class NowView(msgspec.Struct, frozen=True):
    """The step that the screen shows; `doing` is what the story does now or has failed at ("" where idle).

    `speaker` are the private notes, and `say` what the audience reads, where there are none.
    """

    title: str = "Now"
    doing: str = ""
    tone: Tone = "accent"
    speaker: str = ""
    say: str = ""
    commands: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    hint: str = ""

    @property
    def troubled(self) -> bool:
        """Whether something went wrong."""
        return self.tone == "bad"


class ThenView(msgspec.Struct, frozen=True):
    """The step after that."""

    title: str = "Then"
    speaker: str = ""
    say: str = ""
    hint: str = ""
    troubled: bool = False


def now_view(board: Board, keys: KeyMap = USUAL) -> NowView:
    """The shown step as the board has it."""
    story = board.story
    doing, tone = (f"✗ {clean(story.error)}", "bad") if story.error else ("", "accent")
    if story.busy:
        doing, tone = f"▶ {clean(story.busy)}", "accent"
    if not story.chapter:
        hint = f"No chapter is open: {keys.key('chapters')} on the screen chooses one."
        return NowView(doing=doing, tone=_tone(tone), hint=hint)
    if story.step >= len(story.steps):
        return NowView(title="Now · ✓ the chapter is told", doing=doing, tone=_tone(tone), hint=_last(board))
    step = story.steps[story.step]
    return NowView(
        title=f"Now · {story.step + 1} of {len(story.steps)} · {clean(step.title)} · {marks.STEP[step.status].both}",
        doing=doing,
        tone=_tone(tone),
        speaker=step.notes,
        say="" if step.notes else step.say,
        commands=step.commands,
        expects=tuple(check.expect for check in step.checks),
    )


def _tone(name: str) -> Tone:
    return "bad" if name == "bad" else "accent"


def _last(board: Board) -> str:
    steps = board.story.steps
    ends: tuple[StepStatus, ...] = ("failed", "known")
    counts = ((sum(step.status == end for step in steps), end) for end in ends)
    told = ", ".join(f"{number} {end}" for number, end in counts if number)
    return f"{len(steps)} steps, {told}." if told else f"All {len(steps)} steps are done."


def then_view(board: Board) -> ThenView:
    """The step after the shown one as the board has it."""
    story = board.story
    if not story.chapter or story.step >= len(story.steps):
        return ThenView()
    if story.step + 1 == len(story.steps):
        return ThenView(hint="This is the last step of the chapter.")
    step: Step = story.steps[story.step + 1]
    title = f"Then · {story.step + 2} of {len(story.steps)} · {clean(step.title)}"
    return ThenView(title=title, speaker=step.notes, say="" if step.notes else step.say)


def now_lines(view: NowView, width: int) -> list[Line]:
    """The notes first, for they are what is read; then what `next` will run and what it expects."""
    lines: list[Line] = []
    if view.doing:
        lines += [*wrap(line((view.doing, view.tone)), width, 2), ()]
    if view.hint:
        return [*lines, *wrap(line((view.hint, "muted")), width)]
    lines += _words(view.speaker, view.say, width)
    if view.commands or view.expects:
        lines.append(())
    for command in view.commands:
        lines += command_lines(command, (Span("$ ", "accent"),), width)
    for expected in view.expects:
        lines += wrap((Span("○ ", "muted"), Span(clean(expected), "muted")), width, 2)
    return lines


def then_lines(view: ThenView, width: int) -> list[Line]:
    """The notes of the step that follows."""
    if view.hint:
        return wrap(line((view.hint, "muted")), width)
    return _words(view.speaker, view.say, width)


def _words(notes: str, say: str, width: int) -> list[Line]:
    """The notes, or else what the audience reads, said to be just that."""
    from rwk_tui.cockpit.markdown import markdown_lines  # Heavy, and the first frame has no use for it.

    if notes:
        return list(markdown_lines(notes, width))
    return [line((NO_NOTES, "muted")), *markdown_lines(say, width)] if say else []
