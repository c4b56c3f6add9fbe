"""The one-line bars at the edges: the header, and the strip that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow
from rwk_tui.board.rows import FaultRow, LabRow, MachineRow
from rwk_tui.board.targets import target_words
from rwk_tui.cockpit import marks, units
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.keymap import USUAL, KeyMap
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


def header_view(
    board: Board, contact: Contact, now: float, waiting: Sequence[CardRow] = (), keys: KeyMap = USUAL
) -> HeaderView:
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
    alarm, alarm_tone = _alarm(waiting, keys)
    return HeaderView(
        lab=_lab_words(lab, contact),
        engines=lab.engines if lab is not None else "",
        chapter=chapter,
        title=title,
        alarm=alarm,
        alarm_tone=alarm_tone,
        live=live,
        tone=tone,
        clock=units.clock(now, seconds=False),
    )


def _lab_words(lab: LabRow | None, contact: Contact) -> str:
    name = f"{lab.backend} lab" if lab is not None else "lab"
    return f"{name} · read only" if contact.viewer else name


def _alarm(waiting: Sequence[CardRow], keys: KeyMap) -> tuple[str, Tone]:
    """How many report cards call for a look, the worst verdict speaking, and the key that shows them."""
    counts = [(mark, sum(card.verdict == mark.word for card in waiting)) for mark in marks.VERDICT.values()]
    for mark, number in sorted(counts, key=lambda each: each[0].tone != "bad"):
        if number:
            return f"{mark.glyph} {number} {mark.word} · {keys.key('cards')}", mark.tone
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
        return " REPLAY ", "replay"
    live = f"VIEW {marks.LIVE.both}" if contact.state == "viewing" else marks.LIVE.both
    return live, marks.LIVE.tone


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


WAY_OUT = ("again", "quit")
"""The actions that a lost lab leaves."""


class StripView(msgspec.Struct, frozen=True):
    """The line above the footer: whatever needs the presenter's eye, "" when all is well.

    `shorter` are the same in fewer words, for where there is less room; `acts` are the actions that the last parts of
    the hint name, so that a click does the same as the key.
    """

    text: str = ""
    hint: str = ""
    tone: Tone = "bad"
    shorter: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()


def strip_view(board: Board, contact: Contact, now: float, keys: KeyMap = USUAL, *, greets: bool = False) -> StripView:
    """What is wrong, the worst first; where nothing is, `greets` says how to begin; of a recording, what was."""
    if contact.viewer and contact.state in ("starting", "lost", "ended"):
        return _waiting(contact)
    view = _strip(board, contact, now, keys, greets)
    if contact.viewer:
        return _looking(view, keys)
    return _past(view, now) if contact.state == "tape" else view


def _strip(board: Board, contact: Contact, now: float, keys: KeyMap, greets: bool) -> StripView:
    way_out = f"{keys.key('again')} starts it again · {keys.key('quit')} leaves"
    if contact.state == "ended":
        return StripView(f"✗ {clean(contact.reason)}", way_out, acts=WAY_OUT)
    if contact.state == "lost":
        why = f": {clean(contact.reason)}" if contact.reason else ""
        return StripView(f"✗ the lab's daemon is lost{why}", f"trying again · {way_out}", acts=WAY_OUT)
    if contact.state == "starting":
        return StripView("○ starting the lab…", "", "muted")
    silent = contact.silent_for(now)
    if silent:
        return StripView(f"‖ nothing heard for {units.age(silent)}: what you see is old", "", "warn")
    lab = board.get(LabRow, "lab")
    if lab is not None and lab.state in ("resetting", "ending"):
        ending = "▽ leaving the lab…" if lab.outlives else "▽ halting the lab…"
        text = {"resetting": "△ resetting the lab…", "ending": ending}[lab.state]
        return StripView(_with_doing(text, lab), "", "warn")
    if lab is not None and lab.state == "starting" and lab.doing:
        return StripView(_with_doing("△ starting the lab…", lab), "", "warn")
    strip = _fault_strip(board, keys) or _start_strip(board, lab) or _install_strip(board, keys)
    return _greeting(keys) if greets and not strip.text else strip


def _start_strip(board: Board, lab: LabRow | None) -> StripView | None:
    """What a slow backend says of a machine that it switches on."""
    if lab is None or not lab.doing:
        return None
    machine = lab.doing.partition(":")[0]
    row = board.get(MachineRow, f"machine/{machine}")
    return StripView(f"△ {clean(lab.doing)}", "", "muted") if row is not None and row.power == "starting" else None


def _past(view: StripView, now: float) -> StripView:
    """The same without the keys that would help, or else that this is a recording, and of when."""
    if view.text:
        return msgspec.structs.replace(view, hint="REPLAY", acts=())
    recorded = f"▶ recorded on {units.day(now)} at {units.clock(now)}: nothing can be done in it"
    return StripView(recorded, "REPLAY", "muted")


def _waiting(contact: Contact) -> StripView:
    """What a view without a lab says: it can't start one, but it notices one."""
    if contact.state == "starting":
        return StripView("○ looking for the lab…", "VIEW", "muted")
    why = clean(contact.reason) or "the lab's daemon is lost"
    return StripView(f"✗ {why}; waiting for a lab", "VIEW")


def _looking(view: StripView, keys: KeyMap) -> StripView:
    """The same without the keys that would change something, or else that nothing can be changed here."""
    if view.text:
        return msgspec.structs.replace(view, hint="VIEW, read only", acts=())
    return StripView(f"a view of the lab: no key changes it, {keys.key('close')} closes only this", "VIEW", "muted")


def _greeting(keys: KeyMap) -> StripView:
    """What somebody needs to know who has never seen this."""
    chapters, explains, leaves = (keys.key(action) for action in ("chapters", "help", "quit"))
    return StripView(
        f"First time here? {chapters} chooses a chapter, {explains} explains what you see",
        f"{leaves} leaves",
        "accent",
        acts=("quit",),
    )


def _with_doing(text: str, lab: LabRow) -> str:
    """The same with what a slow backend said last."""
    return f"{text} {clean(lab.doing)}" if lab.doing else text


def _fault_strip(board: Board, keys: KeyMap) -> StripView | None:
    """The active faults, newest first, each with what a probe sees of it, or that it is being healed."""
    faults = sorted(board.rows(FaultRow), key=lambda row: -row.since)
    if not faults:
        return None
    heals = f"{keys.key('heal')} heals"
    if len(faults) == 1:
        return StripView(f"↯ 1 fault active: {_fault_words(faults[0], effect=True)}", heals, acts=("heal",))
    some = f"↯ {len(faults)} faults"
    told, newest, named = (
        ", ".join(_fault_words(row, effect=number < effects) for number, row in enumerate(faults))
        for effects in (len(faults), 1, 0)
    )
    shorter = (f"{some} active: {newest}", f"{some} active: {named}", f"{some}: {named}")
    hint = f"{heals} · {keys.key('heal-all')} heals all"
    return StripView(f"{some} active: {told}", hint, shorter=shorter, acts=("heal", "heal-all"))


def _fault_words(row: FaultRow, *, effect: bool) -> str:
    what = f"{clean(row.fault)} {target_words(clean(row.target))}"
    if row.healing:
        return f"{what} (healing…)"
    return f"{what} ({clean(row.effect)})" if effect and row.effect else what


def _install_strip(board: Board, keys: KeyMap) -> StripView:
    """How the install of engines goes, where nothing else needs to be said."""
    installs = install_views(board)
    if not installs:
        return StripView()
    first, mark = installs[0], marks.ENGINE[installs[0].state]
    key, acts = keys.key("install"), ("install",)
    if first.state == "installing":
        told = f"{mark.both} {first.name} · {progress_words(first)}"
        return StripView(told, f"{key} breaks it off", "accent", acts=acts)
    why = f": {first.text}" if first.text else ""
    return StripView(f"{mark.glyph} {first.name} not installed{why}", f"{key} tries again", "warn", acts=acts)


def strip_line(view: StripView, width: int) -> Line:
    """The strip: text at the left, what to press at the right."""
    hint = _hint(view)
    room = width - width_of(hint)
    if room < 24:
        return line((cut(view.text, width), view.tone))
    texts = (view.text, *view.shorter)
    text = cut(next((text for text in texts if cell_len(text) <= room), texts[-1]), room)
    return (Span(text, view.tone), Span(" " * (room - width_of(line(text)))), *hint)


def _hint(view: StripView) -> Line:
    """What to press, each part with the action that a click on it starts."""
    if not view.hint:
        return (Span("", view.tone),)
    parts = view.hint.split(" · ")
    acts = ("",) * (len(parts) - len(view.acts)) + view.acts
    spans = [Span("  ", view.tone)]
    for number, (part, act) in enumerate(zip(parts, acts, strict=True)):
        spans += [Span(" · ", view.tone)] if number else []
        spans.append(Span(part, view.tone, act))
    return tuple(spans)
