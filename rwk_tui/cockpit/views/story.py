"""The Story pane: the open chapter as a transcript, up to the step that is shown."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.frames import Output, Step
from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.text import Line, Span, Tone, clean, fit, line, wrap

LINES_A_STEP = 400
"""Lines of output a step shows at most; the oldest ones go first."""
COMMAND_LINES, COMMAND_BEGINS = 9, 5
"""How many lines of a command are shown whole, and how many of a longer one."""
BACKGROUND = " (background)"


class Told(msgspec.Struct, frozen=True):
    """One step as told so far: what it printed in order, and the commands that have yet to run."""

    number: int
    step: Step
    output: tuple[Output, ...] = ()
    pending: tuple[str, ...] = ()


class StoryView(msgspec.Struct, frozen=True):
    """The chapter up to the shown step. `chapters` says how many there are to open, `choose` with what key.

    Where none can be opened, as in a recording, `choose` is "".
    """

    title: str = "Story"
    goal: str = ""
    told: tuple[Told, ...] = ()
    shown: int = 0
    busy: str = ""
    error: str = ""
    done: bool = False
    opened: bool = False
    chapters: int = 0
    choose: str = USUAL.key("chapters")

    @property
    def troubled(self) -> bool:
        """Whether the pane shows something that is not well."""
        return bool(self.error) or any(told.step.status == "failed" for told in self.told)


def story_view(board: Board, now: float, keys: KeyMap = USUAL, *, choose: bool = True) -> StoryView:
    """What the pane shows of the board; `choose` says whether a chapter can be opened."""
    story = board.story
    key = keys.key("chapters") if choose else ""
    if not story.chapter:
        chapters = len(board.all_of(ChapterRow))
        return StoryView(busy=story.busy, error=story.error, chapters=chapters, choose=key)
    printed: dict[str, list[Output]] = {}
    for output in board.output:
        printed.setdefault(output.step.removesuffix(BACKGROUND), []).append(output)
    told = []
    for number, step in enumerate(story.steps[: story.step + 1]):
        lines = _own(step, printed.get(step.title, ()))[-LINES_A_STEP:]
        told.append(Told(number, step, lines, _pending(step, lines)))
    return StoryView(
        title=f"Story · {clean(story.title)}",
        goal=story.goal,
        told=tuple(told),
        shown=story.step,
        busy=story.busy,
        error=story.error,
        done=story.step >= len(story.steps),
        opened=True,
        choose=key,
    )


def commands_of(board: Board, step: Step) -> tuple[str, ...]:
    """The step's commands: those that it ran, as they were run, and those that have yet to run."""
    output = output_of(board, step)
    return (*(one.text for one in output if one.stream == "command"), *_pending(step, output))


def output_of(board: Board, step: Step) -> tuple[Output, ...]:
    """What the step has printed since it was begun."""
    return _own(step, (one for one in board.output if one.step.removesuffix(BACKGROUND) == step.title))


def _own(step: Step, output: Iterable[Output]) -> tuple[Output, ...]:
    """Of the output of steps of its title, this one's: not what it, or one of another chapter, printed earlier."""
    return () if step.status == "waiting" else tuple(one for one in output if one.at >= step.began)


def _pending(step: Step, output: tuple[Output, ...]) -> tuple[str, ...]:
    """The step's commands that have not run yet."""
    if step.status in ("passed", "known", "skipped"):
        return ()
    ran = [clean(shown.text) for shown in output if shown.stream == "command"]
    if step.status == "waiting":
        return step.commands
    left = list(step.commands)
    for command in ran:
        known = next((text for text in left if clean(text) == command), None)
        if known is not None:
            left.remove(known)
    return tuple(left)


def story_lines(view: StoryView, width: int) -> tuple[list[Line], int]:
    """The transcript's lines, and the number of the line at which the shown step begins."""
    if not view.opened:
        return _closed(view, width), 0
    lines: list[Line] = []
    start = 0
    if view.goal:
        lines += [*wrap(line(("Goal  ", "muted"), (clean(view.goal), "plain")), width, 6), ()]
    for told in view.told:
        if told.number == view.shown:
            start = len(lines)
        lines += _step_lines(told, width, shown=told.number == view.shown)
        lines.append(())
    if view.done:
        start = max(0, len(lines) - 1)
        more = f"  {view.choose} chooses another" if view.choose else ""
        lines.append(line(("✓ the chapter is told", "good"), (more, "muted")))
    if view.error:
        lines += wrap(line((f"✗ {clean(view.error)}", "bad")), width, 2)
    elif view.busy:
        lines.append(line((f"▶ {clean(view.busy)}", "accent")))
    while lines and not lines[-1]:
        lines.pop()
    return lines, start


def _closed(view: StoryView, width: int) -> list[Line]:
    lines: list[Line] = []
    if view.busy:
        lines.append(line((f"▶ {clean(view.busy)}", "accent")))
    elif view.chapters and view.choose:
        lines.append(line("Press ", (view.choose, "key"), f" to choose one of {view.chapters} chapters."))
    else:
        lines.append(line(("no chapter is open", "muted")))
    if view.error:
        lines += wrap(line((f"✗ {clean(view.error)}", "bad")), width, 2)
    return lines


def _step_lines(told: Told, width: int, *, shown: bool) -> list[Line]:
    step, mark = told.step, marks.STEP[told.step.status]
    took = f" {wording.seconds(step.seconds * 1000)}" if step.seconds else ""
    head = line((f"{told.number + 1:>2}  ", "muted"), (clean(step.title), "strong" if shown else "plain"), "  ")
    lines = wrap((*head, mark.span(took)), width, 4)
    if step.say and shown:
        from rwk_tui.cockpit.markdown import markdown_lines  # Heavy, and the first frame has no use for it.

        lines += [(Span("    "), *said) if said else () for said in markdown_lines(step.say, width - 4)]
    for output in told.output:
        lines += output_lines(output, width)
    for command in told.pending:
        lines += command_lines(command, (Span("  ○ $ ", "muted"),), width)
    for check in step.checks:
        seen = marks.STEP[check.status]
        parts: list[Span] = [Span(f"  {seen.glyph} ", seen.tone), Span(clean(check.expect))]
        if check.saw:
            amiss = check.status in ("failed", "known")
            parts.append(Span(f" · saw {clean(check.saw)}", seen.tone if amiss else "muted"))
        if check.seconds:
            parts.append(Span(f" · {wording.seconds(check.seconds * 1000)}", "muted"))
        lines += wrap(tuple(parts), width, 4)
    return lines


def command_lines(command: str, prompt: Line, width: int) -> list[Line]:
    """A command as it would be typed: each of its lines begins with the prompt, unless it continues the one before.

    Of a very long one, as an API server's, only the beginning is shown: the details of its unit have it whole.
    """
    lines: list[Line] = []
    goes_on = False
    for part in command.splitlines() or [""]:
        lead = (Span("      "),) if goes_on else prompt
        lines += wrap((*lead, Span(clean(part).strip(), "code")), width, 6)
        goes_on = part.rstrip().endswith("\\")
    if len(lines) > COMMAND_LINES:
        more = f"      … {len(lines) - COMMAND_BEGINS} lines more; the unit's details have it whole"
        lines = [*lines[:COMMAND_BEGINS], fit(line((more, "muted")), width)]
    return lines


@lru_cache(maxsize=4096)
def output_lines(output: Output, width: int) -> tuple[Line, ...]:
    """A printed line: commands are wrapped, so that nothing of them is lost; what they print is cut at the edge."""
    text = clean(output.text)
    if output.stream == "command":
        told = not output.machine or output.machine in text  # Often the command itself says where it is typed.
        where = [] if told else [Span(f"{output.machine} ", "muted")]
        return tuple(command_lines(output.text, (Span("    "), *where, Span("$ ", "accent")), width))
    if output.stream == "note":
        return tuple(wrap(line(("    · ", "muted"), (text, "muted")), width, 6))
    tone: Tone = "warn" if output.stream == "err" else "plain"
    return (fit(line(("    ", "plain"), (text, tone)), width),)
