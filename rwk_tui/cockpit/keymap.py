"""Which keys do what: those of the registry, with the user's own in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.keys import _character_to_key

from rwk_tui.cockpit.action import key_name
from rwk_tui.cockpit.actions import BY_ID, actions_in
from rwk_tui.settings import OwnKeys
from rwk_tui.tomlfile import BadInput

ALWAYS: dict[str, tuple[str, ...]] = dict.fromkeys(("quit", "leave", "close"), ("ctrl+q", "ctrl+c"))
"""Keys that an action keeps whatever the user says: there must be a way out that everybody knows."""
KEPT = frozenset({"tab", "enter", "escape", "backspace", "delete", "insert"}) | frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown"}
)
"""Keys that the screen needs itself."""
# To a terminal, Ctrl-I is Tab, Ctrl-H Backspace, and so on; Ctrl-P opens the palette, and Ctrl-Z belongs to the shell.
_KEPT_LETTERS = frozenset("hijmpqcz")


class KeyMap(msgspec.Struct, frozen=True):
    """The user's own keys by action, as textual names them; all other actions have those of the registry."""

    own: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def keys(self, action: str) -> tuple[str, ...]:
        """All keys of an action."""
        return next((keys for name, keys in self.own if name == action), BY_ID[action].keys)

    def key(self, action: str) -> str:
        """The first of them, as people read it."""
        return key_name(self.keys(action)[0])


USUAL = KeyMap()
"""The keys of the registry."""


def key_map(own: tuple[OwnKeys, ...]) -> KeyMap:
    """The keys with the user's own. Raises BadInput, with the place, for what can't be a key or is one already."""
    found: dict[str, tuple[str, ...]] = {}
    for each in own:
        if each.action not in BY_ID:
            raise BadInput(f"{each.place}: there is no such action; there are {', '.join(BY_ID)}")
        keys = tuple(_key(text, each.place) for text in each.keys)
        found[each.action] = (*dict.fromkeys(keys), *ALWAYS.get(each.action, ()))
    wanted = KeyMap(tuple(found.items()))
    for each in own:
        for key in found[each.action]:
            other = _other(each.action, key, wanted)
            if other is not None:
                raise BadInput(f"{each.place}: {key_name(key)} is the key of {other!r} already; give that another one")
    return wanted


def bind(app: App[Any], bindings: Iterable[Binding]) -> None:
    """Give an app that is not running yet those keys, in place of what textual itself would do on them.

    Its own keymaps won't do: one that moves an action takes the old key away from every other action on it.
    """
    app._bindings.key_to_bindings.update(BindingsMap(bindings).key_to_bindings)


def _other(action: str, key: str, wanted: KeyMap) -> str | None:
    """Another action with that key, in the lab, in a replay or in a view, each of which has keys of its own."""
    for replay, viewer in ((False, False), (True, False), (False, True)):
        together = [each.id for each in actions_in(replay=replay, viewer=viewer)]
        others = (each for each in together if each != action and key in wanted.keys(each))
        if action in together and (other := next(others, None)) is not None:
            return other
    return None


def _key(text: str, place: str) -> str:
    """A key as textual names it."""
    name = text.lower().replace("ctrl-", "ctrl+") if len(text) > 1 else text
    letter = re.fullmatch(r"ctrl\+([a-z])", name)
    if name in KEPT or name.startswith("shift+") or (letter and letter[1] in _KEPT_LETTERS):
        raise BadInput(f"{place}: the screen needs {text} itself")
    if len(name) == 1 and name.isprintable() and not name.isspace():
        return _character_to_key(name)
    if letter or name == "space" or re.fullmatch(r"f([1-9]|1[0-2])", name):
        return name
    raise BadInput(f"{place}: there is no key {text!r}; there are single characters, space, f1 to f12, and ctrl+a")
