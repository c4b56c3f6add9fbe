"""The footer: the keys that matter, as many as fit; what makes no sense now is greyed and not underlined."""

from __future__ import annotations

import msgspec
from rich.cells import cell_len

from rwk_tui.cockpit.action import Action
from rwk_tui.cockpit.actions import ACTIONS, PANES, actions_in
from rwk_tui.cockpit.keymap import USUAL, KeyMap
from rwk_tui.cockpit.text import Line, Span

_ENDS = {"help": 1, "quit": 2, "leave": 2, "close": 2}


class FooterView(msgspec.Struct, frozen=True):
    """The actions that are valid now, of a lab, of a replay or of a view, and the keys that they have."""

    valid: frozenset[str] = frozenset()
    keys: KeyMap = USUAL
    replay: bool = False
    viewer: bool = False


def footer_line(view: FooterView, width: int) -> Line:
    """Actions by importance until the width is used up, shown in the order of the registry; help and quit always."""
    known = actions_in(replay=view.replay, viewer=view.viewer)
    shown = sorted((action for action in known if action.footer), key=lambda action: _weight(action, view))
    chosen: list[Action] = []
    used = 1
    for action in shown:
        size = cell_len(view.keys.key(action.id)) + 1 + len(action.label) + 2
        if used + size <= width:
            chosen.append(action)
            used += size
    chosen.sort(key=lambda action: _place(action))
    spans: list[Span] = [Span(" ")]
    for action in chosen:
        on = action.id in view.valid
        spans.append(Span(view.keys.key(action.id), "key" if on else "muted", action.id if on else ""))
        spans.append(Span(f" {action.label}", "plain" if on else "muted", action.id if on else ""))
        spans.append(Span("  "))
    return tuple(spans[:-1])


def _weight(action: Action, view: FooterView) -> tuple[bool, bool, int]:
    """Help and quit first, then those of the design, then what is possible now."""
    always = action.id in _ENDS
    return (not always, action.footer > 8 and action.id not in view.valid, action.footer)


def _place(action: Action) -> tuple[bool, int]:
    return action.id in _ENDS, _ENDS.get(action.id, [a.id for a in ACTIONS].index(action.id))


class TabsView(msgspec.Struct, frozen=True):
    """The tabs of small screens: the pane in sight, and those that show something that is not well."""

    active: str = "story"
    troubled: frozenset[str] = frozenset()
    keys: KeyMap = USUAL


TAB_NAMES = {
    "machines": "Machines",
    "etcd": "etcd",
    "kubernetes": "K8s",
    "availability": "Writes",
    "story": "Story",
    "timeline": "Timeline",
}


def tabs_line(view: TabsView, width: int) -> Line:
    """The tabs; the active one stands in brackets, a troubled one carries a mark."""
    spans: list[Span] = []
    for name in PANES:
        active, act = name == view.active, f"pane-{name}"
        mark = "!" if name in view.troubled else " "
        left, right = ("[", "]") if active else (" ", " ")
        spans.append(Span(left, "accent", act))
        spans.append(Span(f"{view.keys.key(act)} ", "key", act))
        spans.append(Span(TAB_NAMES[name], "strong" if active else "plain", act))
        spans.append(Span(mark, "bad", act))
        spans.append(Span(right, "accent", act))
    return tuple(spans)
