"""What present mode tells: the narration alone in the middle, and one line each of what a talk is about."""

from __future__ import annotations

import msgspec

from rwk_tui.board import wording
from rwk_tui.board.board import Board
from rwk_tui.board.frames import Event, Step
from rwk_tui.board.rows import ChapterRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.text import Line, Span, Tone, clean, fit, line, spread, width_of, wrap
from rwk_tui.cockpit.views.bars import HeaderView
from rwk_tui.cockpit.views.state import StateView, state_line, state_view
from rwk_tui.cockpit.views.story import output_of
from rwk_tui.cockpit.views.timeline import event_mark, event_text

CHANGED = "▸ "
"""Stands before what changed a moment ago."""
COLUMN = 84
"""Cells of narration on a line at most: longer lines are hard to read from afar."""
MARGIN = 4
"""Cells that stay free at each side of the narration at least."""


class NarrationView(msgspec.Struct, frozen=True):
    """The shown step in the audience's words; `before` is how the step before it ended, `command` what runs now."""

    title: str = ""
    say: str = ""
    mark: marks.Mark = marks.STEP["waiting"]
    before: Span | None = None
    command: str = ""
    doing: str = ""
    tone: Tone = "accent"
    changed: bool = False


def narration_view(
    board: Board, changed: frozenset[str], keys: KeyMap = USUAL, *, choose: bool = True
) -> NarrationView:
    """What is told of the board; `choose` says whether a chapter can be opened."""
    story = board.story
    doing, tone = _doing(board)
    if not story.chapter:
        chosen_by = keys.key("chapters") if choose and board.holds(ChapterRow) else ""
        title = f"Press {chosen_by} to choose a chapter" if chosen_by else "No chapter is open"
        return NarrationView(title=title, doing=doing, tone=tone)
    before = next((_ended(step) for step in reversed(story.steps[: story.step])), None)
    if story.step >= len(story.steps):
        return NarrationView(
            title=f"✓ {clean(story.title)}",
            say=story.goal,
            before=before,
            doing=doing,
            tone=tone,
            changed="step" in changed,
        )
    step = story.steps[story.step]
    running = step.status == "running"
    return NarrationView(
        title=clean(step.title),
        say=step.say,
        mark=marks.STEP[step.status],
        before=None if running else before,
        command=_command(board, step) if running else "",
        doing="" if running and not story.error else doing,
        tone=tone,
        changed="step" in changed,
    )


def _doing(board: Board) -> tuple[str, Tone]:
    story = board.story
    if story.busy:
        return f"▶ {clean(story.busy)}", "accent"
    return (f"✗ {clean(story.error)}", "bad") if story.error else ("", "accent")


def _ended(step: Step) -> Span:
    """How a step ended, and how long it took."""
    mark = marks.STEP[step.status]
    took = f" in {wording.seconds(step.seconds * 1000)}" if step.seconds else ""
    return Span(f"{mark.glyph} {clean(step.title)}: {mark.word}{took}", mark.tone)


def _command(board: Board, step: Step) -> str:
    """The command that was printed last for the step."""
    printed = [one.text for one in output_of(board, step) if one.stream == "command"]
    return clean(printed[-1].partition("\n")[0]) if printed else ""


def narration_lines(view: NarrationView, width: int, height: int) -> list[Line]:
    """The narration in the middle of that room, its lines apart where there is room for it."""
    from rwk_tui.cockpit.markdown import markdown_lines  # Heavy, and the first frame has no use for it.

    column = max(8, min(COLUMN, width - 2 * MARGIN))
    lead = CHANGED if view.changed else ""
    lines: list[Line] = []
    if view.before is not None:
        lines += [fit((view.before,), column), ()]
    title = line((lead, "accent"), (view.title, "accent"))
    heading = wrap((*title, Span("  "), view.mark.span()) if view.say else title, column, 2)
    said = [tuple(_loud(span) for span in parts) for parts in markdown_lines(view.say, column)]
    after: list[Line] = []
    if view.command:
        after += [(), fit(line(("$ ", "accent"), (view.command, "code")), column)]
    if view.doing:
        after += [(), *wrap(line((view.doing, view.tone)), column, 2)]
    gap: list[Line] = [()]
    if len(lines) + len(heading) + 2 * len(said) + len(after) + 4 <= height:
        said = [each for parts in said for each in ((parts, ()) if parts else ((),))][:-1]
        gap = [line(("─" * max(map(width_of, heading)), "muted")), ()]
    lines += [*heading, *gap, *said, *after]
    while lines and not lines[-1]:
        lines.pop()
    left = Span(" " * ((width - column) // 2))
    above: list[Line] = [()] * max(0, (height - len(lines)) // 2)
    return above + [(left, *parts) if parts else () for parts in lines]


def _loud(span: Span) -> Span:
    """Running text is strong, so that the last row can read it; what was strong stands out by its colour."""
    louder: dict[Tone, Tone] = {"plain": "strong", "strong": "accent"}
    return span._replace(tone=louder.get(span.tone, span.tone))


class TopView(msgspec.Struct, frozen=True):
    """The bar at the top: the cockpit's header without what an audience has no use for, and the talk timer."""

    header: HeaderView = HeaderView()
    timer: str = "0:00"


def top_line(view: TopView, width: int) -> Line:
    """Where the story is, the loud report cards, how the stream is, and the timer."""
    header = view.header
    right: Line = (Span(header.live, header.tone), Span(f"   talk {view.timer}", "strong"))
    if header.alarm:
        right = (Span(header.alarm, header.alarm_tone, "cards"), Span("   "), *right)
    return spread(line(("rwk", "strong"), "  ", (header.chapter, "accent")), right, width)


class NewsView(msgspec.Struct, frozen=True):
    """The newest event."""

    event: Event | None = None
    changed: bool = False


def news_view(board: Board, changed: frozenset[str]) -> NewsView:
    """What happened last on the board."""
    return NewsView(board.events[-1] if board.events else None, "news" in changed)


def news_line(view: NewsView, width: int) -> Line:
    """The newest event on one line."""
    if view.event is None:
        return line(("nothing has happened yet", "muted"))
    glyph, tone = event_mark(view.event)
    lead = (Span(CHANGED if view.changed else "  ", "accent"), Span(f"{units.clock(view.event.at)}  ", "muted"))
    text = Span(event_text(view.event), "strong" if view.changed else "plain")
    return fit((*lead, Span(f"{glyph} ", tone), text), width)


class StateBarView(msgspec.Struct, frozen=True):
    """The lab in one line, for where there is no room for figures."""

    state: StateView = StateView()
    changed: bool = False


def state_bar_view(board: Board, changed: frozenset[str]) -> StateBarView:
    """The state of the board, marked where the leader, the term, the quorum or the nodes changed."""
    return StateBarView(state_view(board), not changed.isdisjoint(("leader", "term", "quorum", "nodes")))


def state_bar_line(view: StateBarView, width: int) -> Line:
    """That line, with the mark of a change before it; faults have a line of their own."""
    parts = state_line(view.state, width - len(CHANGED), with_faults=False)
    return (Span(CHANGED if view.changed else "  ", "accent"), *parts)
