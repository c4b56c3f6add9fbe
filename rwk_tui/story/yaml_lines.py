"""YAML as plain values that remember their lines: a small, strict subset of YAML 1.2, safe against hostile files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

DEEPEST = 12
"""Levels of nesting that a chapter may have; real ones have six."""

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Place = tuple[str | int, ...]

# YAML 1.1 would read `on:` as true; these are the scalars of YAML 1.2's core schema.
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class YamlError(Exception):
    """What is wrong, and on which line (counted from 1)."""

    def __init__(self, line: int, what: str, place: Place = ()) -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.place = place


@dataclass(slots=True)
class Document:
    """A document's value, and the line of each place in it."""

    value: Value
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse(text: str) -> Document:
    """Read one document. Raises YamlError for syntax, tabs, anchors, aliases, tags, duplicate keys, deep nesting."""
    for number, row in enumerate(text.splitlines(), 1):
        if "\t" in row[: len(row) - len(row.lstrip())]:
            raise YamlError(number, "a tab in the indentation: use spaces")
    document = Document(None)
    try:
        _Builder(document, yaml.parse(text, Loader=yaml.SafeLoader)).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}") from error
    except (OverflowError, ValueError) as error:
        # PyYAML turns escapes such as "\\U…" into characters without asking whether there is one.
        raise YamlError(_last_line(document), "not YAML: an escape that stands for no character") from error
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        at = position if isinstance(position, int) else 0
        raise YamlError(text.count("\n", 0, at) + 1, f"not YAML: {str(error).splitlines()[0]}") from error
    return document


class _Builder:
    def __init__(self, document: Document, events: Iterator[yaml.Event]) -> None:
        self._document = document
        self._events = events

    def build(self) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError(_line(event), "a second document: a file holds one chapter")
                self._document.value = self._value(next(self._events), ())
        if documents == 0:
            raise YamlError(1, "the file is empty")

    def _value(self, event: yaml.Event, place: Place) -> Value:
        line = _line(event)
        self._document.lines.setdefault(place, line)
        if len(place) > DEEPEST:
            raise YamlError(line, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            raise YamlError(line, f"an alias (*{getattr(event, 'anchor', '')}): write the value out", place)
        if anchor := getattr(event, "anchor", None):
            raise YamlError(line, f"an anchor (&{anchor}): write the value out where it is needed", place)
        tag = getattr(event, "tag", None)
        if tag:
            raise YamlError(line, f"a tag ({tag}): plain values only", place)
        if isinstance(event, yaml.ScalarEvent):
            if any("\ud800" <= char <= "\udfff" for char in event.value):
                raise YamlError(line, "an escape that stands for no character", place)
            return _scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(place)
        return self._mapping(place)

    def _list(self, place: Place) -> list[Value]:
        values: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*place, len(values))))
        return values

    def _mapping(self, place: Place) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                raise YamlError(line, "a key must be a plain word", place)
            key = event.value
            if not key.isprintable():
                raise YamlError(line, "a key must be a plain word", place)
            if key in values:
                raise YamlError(line, f"{key!r} is given twice", place)
            self._document.lines[(*place, key)] = line
            values[key] = self._value(next(self._events), (*place, key))
        return values


def _last_line(document: Document) -> int:
    """The last line on which something was read."""
    return max(document.lines.values(), default=1)


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 1


def _scalar(event: yaml.ScalarEvent) -> Value:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text) and len(text) < 19:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
