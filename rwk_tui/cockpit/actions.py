"""The one registry of actions: keys, footer, command palette, help and mouse are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from rwk_tui.cockpit.situation import Situation
from rwk_tui.daemon.protocol import AnyCommand, Back, Cancel, Detach, Heal, Next, Repeat, Skip

Screen = Literal[
    "chapters", "faults", "cards", "machines", "logs", "events", "details", "install", "help", "reset", "quit"
]  # Those that an action opens by name.
Group = Literal["story", "faults", "lab", "screen"]

PANES = ("machines", "etcd", "kubernetes", "availability", "story", "timeline")
"""The panes by the digit that focuses them, from 1."""


class Deck(Protocol):
    """What actions may do: send a command, open a screen, turn the page. The app is one."""

    def send(self, command: AnyCommand) -> None: ...

    def open_screen(self, name: Screen) -> None: ...

    def show_pane(self, name: str) -> None: ...

    def next_theme(self) -> None: ...

    def show_palette(self) -> None: ...

    def reconnect(self) -> None: ...

    def leave(self, command: AnyCommand | None) -> None: ...


class Action(msgspec.Struct, frozen=True):
    """One thing the presenter can do. `valid`: whether it makes sense now; `footer`: its rank there, 0 for none."""

    id: str
    keys: tuple[str, ...]
    label: str
    tooltip: str
    group: Group
    run: Callable[[Deck], None]
    valid: Callable[[Situation], bool] = lambda now: True
    footer: int = 0

    @property
    def key(self) -> str:
        """The first key, as people read it."""
        return key_name(self.keys[0])


def key_name(key: str) -> str:
    """A key as people read it."""
    names = {"question_mark": "?", "space": "Space", "escape": "Esc"}
    if key in names:
        return names[key]
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    return key.upper() if len(key) > 1 else key


def _send(command: AnyCommand) -> Callable[[Deck], None]:
    return lambda deck: deck.send(command)


def _open(name: Screen) -> Callable[[Deck], None]:
    return lambda deck: deck.open_screen(name)


def _pane(name: str) -> Callable[[Deck], None]:
    return lambda deck: deck.show_pane(name)


def _idle(now: Situation) -> bool:
    return now.talks and now.ready and not now.busy


def _ready(now: Situation) -> bool:
    return now.talks and now.ready


def _step_ahead(now: Situation) -> bool:
    return _idle(now) and now.opened and now.step < now.steps


ACTIONS: tuple[Action, ...] = (
    Action("next", ("n", "space"), "next", "Run the shown step", "story", _send(Next()), _step_ahead, 1),
    Action(
        "back",
        ("b",),
        "back",
        "Bring the lab to the step before the shown one",
        "story",
        _send(Back()),
        lambda now: _idle(now) and now.opened and now.step > 0,
        2,
    ),
    Action(
        "repeat",
        ("r",),
        "repeat",
        "Run the last step once more",
        "story",
        _send(Repeat()),
        lambda now: _idle(now) and now.opened and now.step > 0,
        9,
    ),
    Action("skip", ("s",), "skip", "Pass over the shown step", "story", _send(Skip()), _step_ahead, 11),
    Action(
        "cancel",
        ("x",),
        "cancel",
        "Stop what the story does now",
        "story",
        _send(Cancel()),
        lambda now: now.talks and now.busy,
        10,
    ),
    Action(
        "chapters",
        ("c",),
        "chapters",
        "Choose a chapter, or a step in it, and bring the lab there",
        "story",
        _open("chapters"),
        lambda now: _ready(now) and now.chapters,
        5,
    ),
    Action(
        "faults",
        ("f",),
        "fault",
        "Choose a fault and where it strikes",
        "faults",
        _open("faults"),
        lambda now: _ready(now) and now.kinds,
        3,
    ),
    Action(
        "heal",
        ("h",),
        "heal",
        "Heal the newest fault",
        "faults",
        _send(Heal()),
        lambda now: now.talks and now.faults > 0,
        4,
    ),
    Action(
        "heal-all",
        ("H",),
        "heal all",
        "Heal every active fault",
        "faults",
        _send(Heal(fault="all")),
        lambda now: now.talks and now.faults > 0,
        12,
    ),
    Action(
        "cards",
        ("v",),
        "verdicts",
        "Report cards: what each fault did, and whether what must hold did hold",
        "faults",
        _open("cards"),
        lambda now: now.cards,
        10,
    ),
    Action(
        "machines",
        ("m",),
        "machines",
        "Switch a machine on or off by hand, cut its power, destroy it",
        "lab",
        _open("machines"),
        lambda now: _ready(now) and now.machines,
        13,
    ),
    Action(
        "logs",
        ("l",),
        "logs",
        "Follow what a unit writes",
        "lab",
        _open("logs"),
        lambda now: now.talks and now.units,
        6,
    ),
    Action(
        "install",
        ("g",),
        "get engines",
        "Get the engines that are missing (asks first), or break off their install",
        "lab",
        _open("install"),
        lambda now: now.talks and now.engines,
        18,
    ),
    Action(
        "reset",
        ("R",),
        "reset",
        "Begin anew with three empty machines (asks first)",
        "lab",
        _open("reset"),
        lambda now: now.talks,
        15,
    ),
    Action(
        "again",
        ("a",),
        "start again",
        "Start the lab again after it was lost",
        "lab",
        lambda deck: deck.reconnect(),
        lambda now: now.down,
        16,
    ),
    Action(
        "detach",
        ("d",),
        "detach",
        "Leave, and let the lab run on",
        "lab",
        lambda deck: deck.leave(Detach()),
        lambda now: now.talks,
        14,
    ),
    Action(
        "details",
        ("i",),
        "details",
        "All about the picked thing; Enter and a double click do it too",
        "screen",
        _open("details"),
        lambda now: now.machines,
        9,
    ),
    Action("events", ("e",), "events", "The timeline on the whole screen", "screen", _open("events"), footer=7),
    *(
        Action(
            f"pane-{name}",
            (str(number),),
            name,
            f"{name.capitalize()} alone, or all panes again",
            "screen",
            _pane(name),
        )
        for number, name in enumerate(PANES, 1)
    ),
    Action("theme", ("t",), "theme", "Dark, light, high contrast", "screen", lambda deck: deck.next_theme(), footer=17),
    Action("palette", ("f2",), "commands", "Find a command by its name", "screen", lambda deck: deck.show_palette()),
    Action("help", ("question_mark", "f1"), "help", "Keys and what the glyphs mean", "screen", _open("help"), footer=8),
    Action(
        "quit",
        ("q", "ctrl+q", "ctrl+c"),
        "quit",
        "Halt the lab and leave (asks first)",
        "lab",
        _open("quit"),
        footer=-1,
    ),
)

BY_ID = {action.id: action for action in ACTIONS}


def valid_ids(now: Situation) -> frozenset[str]:
    """The actions that make sense now."""
    return frozenset(action.id for action in ACTIONS if action.valid(now))
