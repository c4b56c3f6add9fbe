"""What an action is: its keys, what it does with the cockpit, and when it makes sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
from textual.keys import format_key

from rwk_tui.cockpit.situation import Situation
from rwk_tui.daemon.protocol import AnyCommand
from rwk_tui.tape.player import Player

Screen = Literal[
    "chapters",
    "faults",
    "cards",
    "machines",
    "logs",
    "shell",
    "events",
    "details",
    "install",
    "present",
    "help",
    "reset",
    "quit",
]  # Those that an action opens by name.
Group = Literal["replay", "view", "story", "faults", "lab", "screen"]


class Deck(Protocol):
    """What actions may do: send a command, open a screen, turn the page. The app is one."""

    def send(self, command: AnyCommand) -> None: ...

    def open_screen(self, name: Screen) -> None: ...

    def show_pane(self, name: str) -> None: ...

    def next_theme(self) -> None: ...

    def show_palette(self) -> None: ...

    def copy_commands(self) -> None: ...

    def reconnect(self) -> None: ...

    def wind(self, move: Callable[[Player], None]) -> None: ...

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


def key_name(key: str) -> str:
    """A key as people read it."""
    names = {"space": "Space", "escape": "Esc", "left": "←", "right": "→", "home": "Home", "end": "End"}
    if key in names:
        return names[key]
    if key.startswith("shift+"):
        return f"Shift+{key_name(key[6:])}"
    if key.startswith("ctrl+"):
        return f"Ctrl-{key[5:].upper()}"
    shown = format_key(key)
    return shown if len(shown) == 1 else shown.upper()


def sending(command: AnyCommand) -> Callable[[Deck], None]:
    """Send that command."""
    return lambda deck: deck.send(command)


def opening(name: Screen) -> Callable[[Deck], None]:
    """Open that screen."""
    return lambda deck: deck.open_screen(name)


def idle(now: Situation) -> bool:
    """The lab is there and nothing is under way."""
    return now.talks and now.ready and not now.busy


def ready(now: Situation) -> bool:
    """The lab is there."""
    return now.talks and now.ready


def looks(now: Situation) -> bool:
    """Somebody who may only look sees a lab."""
    return now.viewer and not now.down


def step_ahead(now: Situation) -> bool:
    """There is a step that can be run."""
    return idle(now) and now.opened and now.step < now.steps
