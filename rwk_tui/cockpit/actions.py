"""The one registry of actions: keys, footer, command palette, help and mouse are all made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from rwk_tui.cockpit.action import Action, Deck, opening
from rwk_tui.cockpit.lab_actions import LAB
from rwk_tui.cockpit.replay_keys import REPLAY
from rwk_tui.cockpit.situation import Situation
from rwk_tui.cockpit.story_actions import STORY
from rwk_tui.tape.player import Player

PANES = ("machines", "etcd", "kubernetes", "availability", "story", "timeline")
"""The panes by the digit that focuses them, from 1."""


def _wind(move: Callable[[Player], None]) -> Callable[[Deck], None]:
    return lambda deck: deck.wind(move)


def _pane(name: str) -> Callable[[Deck], None]:
    return lambda deck: deck.show_pane(name)


ACTIONS: tuple[Action, ...] = (
    *(
        Action(key.id, key.keys, key.label, key.tooltip, "replay", _wind(key.move), lambda now: now.replay, key.footer)
        for key in REPLAY
    ),
    *STORY,
    *LAB,
    Action(
        "details",
        ("i",),
        "details",
        "All about the picked thing; Enter and a double click do it too",
        "screen",
        opening("details"),
        lambda now: now.machines,
        9,
    ),
    Action(
        "copy",
        ("y",),
        "copy",
        "Copy the commands of the shown step: to the clipboard, and into a file",
        "screen",
        lambda deck: deck.copy_commands(),
        lambda now: now.opened and not now.viewer,
        19,
    ),
    Action("events", ("e",), "events", "The timeline on the whole screen", "screen", opening("events"), footer=7),
    Action(
        "present",
        ("p",),
        "present",
        "Present mode: the narration large and alone; p or Esc leaves it",
        "screen",
        opening("present"),
        footer=8,
    ),
    *(
        Action(
            f"pane-{name}",
            (str(number),),
            name,
            f"{name if name == 'etcd' else name.capitalize()} alone, or all panes again",
            "screen",
            _pane(name),
        )
        for number, name in enumerate(PANES, 1)
    ),
    Action(
        "theme",
        ("t",),
        "theme",
        "Dark, light, high contrast, colour-blind safe",
        "screen",
        lambda deck: deck.next_theme(),
        footer=17,
    ),
    Action("palette", ("f2",), "commands", "Find a command by its name", "screen", lambda deck: deck.show_palette()),
    Action(
        "help",
        ("question_mark", "f1"),
        "help",
        "The pane in focus explained, all keys, what the glyphs mean",
        "screen",
        opening("help"),
        footer=8,
    ),
    Action(
        "quit",
        ("q", "ctrl+q", "ctrl+c"),
        "quit",
        "Halt the lab and leave (asks first)",
        "lab",
        opening("quit"),
        lambda now: not now.replay and not now.viewer,
        -1,
    ),
    Action(
        "leave",
        ("q", "ctrl+q", "ctrl+c"),
        "quit",
        "Leave the replay",
        "replay",
        lambda deck: deck.leave(None),
        lambda now: now.replay,
        -1,
    ),
    Action(
        "close",
        ("q", "ctrl+q", "ctrl+c"),
        "close",
        "Close this view; the lab and its screen go on",
        "view",
        lambda deck: deck.leave(None),
        lambda now: now.viewer,
        -1,
    ),
)

BY_ID = {action.id: action for action in ACTIONS}


PAST = Situation(
    ready=True, chapters=True, kinds=True, machines=True, units=True, cards=True, opened=True, faults=1, replay=True
)
"""A recording in which all there is can be seen: whatever makes no sense in it makes none in any."""
LOOKING = msgspec.structs.replace(PAST, replay=False, viewer=True)
"""The same for one who may only look."""


def actions_in(*, replay: bool, viewer: bool = False) -> Iterator[Action]:
    """The actions of a replay, of a view, or those of a lab; each of their keys means one thing there."""
    most = PAST if replay else LOOKING if viewer else None
    for action in ACTIONS:
        if action.valid(most) if most is not None else action.group not in ("replay", "view"):
            yield action


def valid_ids(now: Situation) -> frozenset[str]:
    """The actions that make sense now."""
    return frozenset(action.id for action in ACTIONS if action.valid(now))
