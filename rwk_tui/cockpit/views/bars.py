"""The one-line bars at the edges: the header, and the strip that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import FaultRow, LabRow
from rwk_tui.board.targets import target_words
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.text import Line, Span, Tone, clean, cut, line, width_of
from rwk_tui.cockpit.views.engines import install_views, progress_words


class HeaderView(msgspec.Struct, frozen=True):
    """Lab, chapter, loud report cards that nobody has looked at, liveness and time of day."""

    lab: str = ""
    engines: str = ""
    chapter: str = ""
    title: str = ""
    alarm: str = ""
    alarm_tone: Tone = "bad"
    live: str = ""
    tone: Tone = "muted"
    clock: str = ""


def header_view(board: Board, contact: Contact, now: float, waiting: Sequence[CardRow] = ()) -> HeaderView:
    """What the header shows; `waiting` are loud cards that nobody has looked at."""
    lab = board.get(LabRow, "lab")
    story = board.story
    chapter = title = ""
    if story.chapter:
        if story.step < len(story.steps):
            chapter = f"{story.chapter} {story.step + 1}/{len(story.steps)}"
            title = clean(story.steps[story.step].title)
        else:
            chapter, title = f"{story.chapter} ✓ done", clean(story.title)
    live, tone = liveness(contact, now)
    alarm, alarm_tone = _alarm(waiting)
    return HeaderView(
        lab=f"{lab.backend} lab" if lab is not None else "lab",
        engines=lab.engines if lab is not None else "",
        chapter=chapter,
        title=title,
        alarm=alarm,
        alarm_tone=alarm_tone,
        live=live,
        tone=tone,
        clock=units.clock(now, seconds=False),
    )


def _alarm(waiting: Sequence[CardRow]) -> tuple[str, Tone]:
    """How many report cards call for a look, the worst verdict speaking, and the key that shows them."""
    counts = [(mark, sum(card.verdict == mark.word for card in waiting)) for mark in marks.VERDICT.values()]
    for mark, number in sorted(counts, key=lambda each: each[0].tone != "bad"):
        if number:
            return f"{mark.glyph} {number} {mark.word} · v", mark.tone
    return "", "bad"


def liveness(contact: Contact, now: float) -> tuple[str, Tone]:
    """How the stream is, in two words and a tone."""
    silent = contact.silent_for(now)
    if contact.state == "starting":
        return "○ starting", "muted"
    if contact.state == "lost":
        return f"{marks.LOST.both} {units.age(now - contact.since)}", marks.LOST.tone
    if contact.state == "ended":
        return "✗ ended", "bad"
    if silent:
        return f"{marks.STALE.both} {units.age(silent)}", marks.STALE.tone
    if contact.state == "tape":
        return "▶ tape", "accent"
    return marks.LIVE.both, marks.LIVE.tone


def header_line(view: HeaderView, width: int) -> Line:
    """The header: what is shown in the middle gives way to both ends."""
    left = line(("rwk", "strong"), (f" · {view.lab}", "plain"))
    if view.engines and width >= 100:
        left = (*left, Span(f" · {view.engines}", "muted"))
    right = line((view.live, view.tone), ("   " + view.clock, "plain"))
    if view.alarm:
        right = (Span(view.alarm, view.alarm_tone, "cards"), Span("   "), *right)
    room = width - width_of(left) - width_of(right) - 4
    middle: Line = ()
    if view.chapter and room >= 8:
        name = cut(view.chapter, room)
        middle = line((name, "accent"))
        rest = room - width_of(middle) - 3
        if rest >= 8:
            middle = (*middle, Span(" · ", "muted"), Span(cut(view.title, rest), "strong"))
    free = width - width_of(left) - width_of(middle) - width_of(right)
    before = max(2, (width - width_of(middle)) // 2 - width_of(left))
    before = min(before, max(1, free - 1))
    return (*left, Span(" " * before), *middle, Span(" " * max(1, free - before)), *right)


class StripView(msgspec.Struct, frozen=True):
    """The line above the footer: whatever needs the presenter's eye, "" when all is well.

    `shorter` are the same in fewer words, for where there is less room.
    """

    text: str = ""
    hint: str = ""
    tone: Tone = "bad"
    shorter: tuple[str, ...] = ()


def strip_view(board: Board, contact: Contact, now: float) -> StripView:
    """What is wrong, the worst first."""
    if contact.state == "ended":
        return StripView(f"✗ {clean(contact.reason)}", "a starts it again · q leaves")
    if contact.state == "lost":
        why = f": {clean(contact.reason)}" if contact.reason else ""
        return StripView(f"✗ the lab's daemon is lost{why}", "trying again · a starts it again · q leaves")
    if contact.state == "starting":
        return StripView("○ starting the lab…", "", "muted")
    silent = contact.silent_for(now)
    if silent:
        return StripView(f"‖ nothing heard for {units.age(silent)}: what you see is old", "", "warn")
    lab = board.get(LabRow, "lab")
    if lab is not None and lab.state in ("resetting", "ending"):
        text = {"resetting": "△ resetting the lab…", "ending": "▽ halting the lab…"}[lab.state]
        return StripView(text, "", "warn")
    return _fault_strip(board) or _install_strip(board)


def _fault_strip(board: Board) -> StripView | None:
    """The active faults, newest first, each with what a probe sees of it, or that it is being healed."""
    faults = sorted(board.rows(FaultRow), key=lambda row: -row.since)
    if not faults:
        return None
    if len(faults) == 1:
        return StripView(f"↯ 1 fault active: {_fault_words(faults[0], effect=True)}", "h heals")
    some = f"↯ {len(faults)} faults"
    told, newest, named = (
        ", ".join(_fault_words(row, effect=number < effects) for number, row in enumerate(faults))
        for effects in (len(faults), 1, 0)
    )
    shorter = (f"{some} active: {newest}", f"{some} active: {named}", f"{some}: {named}")
    return StripView(f"{some} active: {told}", "h heals · H heals all", shorter=shorter)


def _fault_words(row: FaultRow, *, effect: bool) -> str:
    what = f"{clean(row.fault)} {target_words(clean(row.target))}"
    if row.healing:
        return f"{what} (healing…)"
    return f"{what} ({clean(row.effect)})" if effect and row.effect else what


def _install_strip(board: Board) -> StripView:
    """How the install of engines goes, where nothing else needs to be said."""
    installs = install_views(board)
    if not installs:
        return StripView()
    first, mark = installs[0], marks.ENGINE[installs[0].state]
    if first.state == "installing":
        return StripView(f"{mark.both} {first.name} · {progress_words(first)}", "g breaks it off", "accent")
    why = f": {first.text}" if first.text else ""
    return StripView(f"{mark.glyph} {first.name} not installed{why}", "g tries again", "warn")


def strip_line(view: StripView, width: int) -> Line:
    """The strip: text at the left, what to press at the right."""
    hint = f"  {view.hint}" if view.hint else ""
    room = width - len(hint)
    if room < 24:
        return line((cut(view.text, width), view.tone))
    texts = (view.text, *view.shorter)
    text = cut(next((text for text in texts if cell_len(text) <= room), texts[-1]), room)
    return (Span(text, view.tone), Span(" " * (room - width_of(line(text)))), Span(hint, view.tone))
