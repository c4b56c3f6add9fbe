"""What a key does in the speaker notes: what it drives comes from the registry, the timer is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from rwk_tui.cockpit.action import key_name
from rwk_tui.cockpit.actions import BY_ID
from rwk_tui.cockpit.keymap import KeyMap
from rwk_tui.cockpit.situation import Situation
from rwk_tui.daemon.protocol import AnyCommand, Back, Heal, Next


class NotesDeck(Protocol):
    """What an action of the notes may do. Their app is one."""

    def send(self, command: AnyCommand) -> None: ...

    def restart_timer(self) -> None: ...

    def pause_timer(self) -> None: ...

    def close_notes(self) -> None: ...


class NotesAction(msgspec.Struct, frozen=True):
    """One key of the notes; `drives` says that it changes the lab."""

    id: str
    keys: tuple[str, ...]
    label: str
    run: Callable[[NotesDeck], None]
    valid: Callable[[Situation], bool] = lambda now: True
    drives: bool = False


def _driving(id: str, key: str, command: AnyCommand) -> NotesAction:
    """An action of the cockpit that the notes have too, under the same name and as valid as there."""
    known = BY_ID[id]
    return NotesAction(id, (key,), known.label, lambda deck: deck.send(command), known.valid, drives=True)


NOTES_ACTIONS: tuple[NotesAction, ...] = (
    _driving("next", "n", Next()),
    _driving("back", "b", Back()),
    _driving("heal", "h", Heal()),
    NotesAction("timer", ("space",), "pause", lambda deck: deck.pause_timer()),
    NotesAction("restart", ("r",), "zero timer", lambda deck: deck.restart_timer()),
    NotesAction("close", ("q", "ctrl+q", "ctrl+c"), "close", lambda deck: deck.close_notes()),
)

NOTES_BY_ID = {action.id: action for action in NOTES_ACTIONS}
_ITS_OWN = frozenset(key for action in NOTES_ACTIONS if not action.drives for key in action.keys)


def notes_keys(id: str, keys: KeyMap) -> tuple[str, ...]:
    """The keys of an action: what drives has the user's own, where the notes need those for nothing else."""
    usual = NOTES_BY_ID[id].keys
    own = dict(keys.own).get(id, ()) if NOTES_BY_ID[id].drives else ()
    return tuple(key for key in own if key not in _ITS_OWN) or usual


def notes_key(id: str, keys: KeyMap) -> str:
    """The first of them, as people read it."""
    return key_name(notes_keys(id, keys)[0])


def notes_offered(*, read_only: bool) -> tuple[str, ...]:
    """The actions there are: those that drive only where the notes may."""
    return tuple(action.id for action in NOTES_ACTIONS if not (read_only and action.drives))


def notes_valid(now: Situation, *, read_only: bool) -> frozenset[str]:
    """Those of them that make sense now."""
    offered = notes_offered(read_only=read_only)
    return frozenset(id for id in offered if NOTES_BY_ID[id].valid(now))
