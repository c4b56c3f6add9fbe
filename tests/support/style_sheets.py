"""Style sheets that are parsed once for all apps of a run: each app parses the same ones, in the same few themes."""

from __future__ import annotations

from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

Rules = dict[tuple[Any, ...], list[RuleSet]]
Parsed = dict[frozenset[tuple[str, str]], Rules]
"""By the variables of a theme: the rules, by the text and where it stands."""


def share_style_sheets(monkeypatch: pytest.MonkeyPatch, parsed: Parsed) -> None:
    """Take rules from `parsed` that another app has parsed from the same text, with the same variables."""
    parse = Stylesheet._parse_rules

    def parse_once(sheet: Stylesheet, css: str, *args: Any, **kwargs: Any) -> list[RuleSet]:
        known, key = _known(sheet, parsed), (css, args, tuple(kwargs.items()))
        if key not in known:
            known[key] = parse(sheet, css, *args, **kwargs)
        return known[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)


def _known(sheet: Any, parsed: Parsed) -> Rules:
    """The rules for the sheet's variables, looked up once for each set of them."""
    variables, known = getattr(sheet, "_known_to_tests", (None, {}))
    if variables is not sheet._variables:
        known = parsed.setdefault(frozenset(sheet._variables.items()), {})
        sheet._known_to_tests = sheet._variables, known
    rules: Rules = known
    return rules
