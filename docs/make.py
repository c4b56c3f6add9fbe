"""Writes chapter-reference.md from the code that reads chapters: `make docs`."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from rwk_tui.story.parts import MachineName, Part
from rwk_tui.story.schema import ACTIONS, CHECKS, Check, Starts, Step

TARGET = Path(__file__).with_name("chapter-reference.md")
HEAD = """# Chapter reference

Made by `make docs` from the code that reads chapters; [how to write one](writing-chapters.md) explains it by example.

Where a part can be given by a bare value, that is the value of the field in bold: `serving: core-01` is
`serving: {on: core-01}`.
A *machine* is `core-01`, `core-02` or `core-03`.
"""
HIDDEN = frozenset({"verb", "what", "text"})
"""Fields that the reader of files fills in itself."""


def reference() -> str:
    """The whole page."""
    parts = [
        HEAD,
        "## A chapter\n\n`title`, `goal`, `starts` and `steps`; its name is that of the file, without `.yaml`.\n",
        "### starts\n\n" + described(Starts),
        "### steps\n\n" + described(Step),
        "## What `do` and `undo` know\n",
        *(section(verb, part) for verb, part in ACTIONS.items()),
        "## What `expect` and `until` know\n\n"
        "Each check may also have `within`, the seconds (times the backend's slack) that it may take to hold.\n",
        *(section(verb, part) for verb, part in CHECKS.items()),
    ]
    return "\n".join(parts).rstrip() + "\n"


def section(verb: str, part: type[Part]) -> str:
    """One verb."""
    return f"### {verb}\n\n{described(part)}"


def described(part: type[Part]) -> str:
    """What a part means, and its fields."""
    text = " ".join((part.__doc__ or "").split())
    hints = typing.get_type_hints(part)
    rows = []
    for field in msgspec.structs.fields(part):
        if field.encode_name not in HIDDEN:
            name = f"**`{field.encode_name}`**" if field.name == part.SHORT else f"`{field.encode_name}`"
            rows.append(f"| {name} | {kind(hints[field.name])} | {default(field)} |")
    table = "\n".join(["| field | value | unless given |", "| --- | --- | --- |", *rows]) + "\n" if rows else ""
    return f"{text}\n\n{table}"


def kind(hint: Any) -> str:
    """A type in words."""
    if hint == MachineName:
        return "machine"
    if hint is Any or hint is Check:
        return "a check"
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " \\| ".join(f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in inside)
    if origin in (typing.Union, types.UnionType):
        return ", or ".join(kind(each) for each in inside if each not in (type(None), msgspec.UnsetType))
    if origin is tuple:
        return f"list of {plural(kind(inside[0]))}"
    if origin is dict:
        return f"map of {plural(kind(inside[0]))} to {plural(kind(inside[1]))}"
    names = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}
    return names.get(hint, getattr(hint, "__name__", str(hint)).lower())


def plural(words: str) -> str:
    """The same, several of it."""
    known = {
        "machine": "machines",
        "text": "texts",
        "whole number": "whole numbers",
        "action": "actions",
        "a check": "checks",
    }
    return known.get(words, f"{words}s" if words.isalpha() else words)


def default(field: msgspec.structs.FieldInfo) -> str:
    """What stands there if the file says nothing."""
    if field.required:
        return "must be given"
    if field.default_factory is not msgspec.NODEFAULT or field.default in (None, (), "", msgspec.UNSET):
        return ""
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if isinstance(field.default, tuple):
        return ", ".join(f"`{each}`" for each in field.default)
    return f"`{field.default}`"


if __name__ == "__main__":
    TARGET.write_text(reference(), "utf-8")
