"""Plain values of a document as typed ones, with errors in a speaker's terms."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from rwk_tui.story.schema import MACHINES, Part
from rwk_tui.story.yaml_lines import Place

P = TypeVar("P", bound=Part)


class WrongError(Exception):
    """What is wrong, and at which place of the document."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place = place
        self.what = what


def part(given: Any, kind: type[P], place: Place) -> P:
    """What belongs to a verb; a bare value stands for its main field. Raises WrongError."""
    if given is None:
        given = {}
    elif not isinstance(given, dict):
        if not kind.SHORT:
            fields = ", ".join(kind.__struct_fields__)
            raise WrongError(place, f"needs its fields by name ({fields})")
        return convert({kind.SHORT: given}, kind, place, short=True)
    return convert(given, kind, place)


def convert(value: Any, kind: type[P], place: Place, *, short: bool = False) -> P:
    """A value of the document as a typed one. Raises WrongError."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner, what = _explain(str(error), kind)
        raise WrongError((*place, *(inner[1:] if short else inner)), what) from error


_AT = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_PIECE = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\.\.\.\]")
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}


def _explain(message: str, kind: type[Part]) -> tuple[Place, str]:
    """The place and the words of a msgspec error, in a speaker's terms."""
    place: list[str | int] = []
    at = _AT.search(message)
    if at:
        message = message[: at.start()]
        for word, number in _PIECE.findall(at["path"]):
            if word or number:
                place.append(word or int(number))
    if found := re.fullmatch(r"Object missing required field `(\w+)`", message):
        return tuple(place), f"{found[1]!r} is missing"
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        close = get_close_matches(found[1], kind.__struct_fields__, 1)
        hint = f", did you mean {close[0]!r}?" if close else f"; there are: {', '.join(kind.__struct_fields__)}"
        return (*place, found[1]), f"unknown field {found[1]!r}{hint}"
    if found := re.fullmatch(r"Invalid enum value (.*)", message):
        machine = "core" in found[1] or (place and place[-1] in ("on", "via", "member", "machines", "registry"))
        hint = f"; the machines are {', '.join(MACHINES)}" if machine else ""
        return tuple(place), f"{found[1]} can't stand here{hint}"
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        expected = " or ".join(_TYPES.get(word.strip(), word.strip()) for word in found[1].split("|"))
        return tuple(place), f"must be {expected}, not {_TYPES.get(found[2], found[2])}"
    return tuple(place), message[:1].lower() + message[1:]
