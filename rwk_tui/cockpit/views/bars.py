"""The one-line bars at the edges: the header, and the strip that says what is wrong."""

from __future__ import annotations

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, LabRow
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.text import Line, Span, Tone, clean, cut, line, width_of
from rwk_tui.cockpit.views.engines import install_views, progress_words


class HeaderView(msgspec.Struct, frozen=True):
    """Lab, chapter, liveness and time of day."""

    lab: str = ""
    engines: str = ""
    chapter: str = ""
    title: str = ""
    live: str = ""
    tone: Tone = "muted"
    clock: str = ""


def header_view(board: Board, contact: Contact, now: float) -> HeaderView:
    """What the header shows."""
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
    return HeaderView(
        lab=f"{lab.backend} lab" if lab is not None else "lab",
        engines=lab.engines if lab is not None else "",
        chapter=chapter,
        title=title,
        live=live,
        tone=tone,
        clock=units.clock(now, seconds=False),
    )


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
    """The line above the footer: whatever needs the presenter's eye, "" when all is well."""

    text: str = ""
    hint: str = ""
    tone: Tone = "bad"


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
    faults = sorted(board.rows(FaultRow), key=lambda row: row.since)
    if faults:
        some = "1 fault active" if len(faults) == 1 else f"{len(faults)} faults active"
        what = ", ".join(f"{clean(row.fault)} {clean(row.target)}" for row in reversed(faults))
        hint = "h heals" if len(faults) == 1 else "h heals the newest · H heals all"
        return StripView(f"↯ {some}: {what}", hint)
    return _install_strip(board)


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
    text = cut(view.text, room)
    return (Span(text, view.tone), Span(" " * (room - width_of(line(text)))), Span(hint, view.tone))
