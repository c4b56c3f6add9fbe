"""What a browser may say, and how much of it."""

from __future__ import annotations

import json

import pytest
from textual.geometry import Size

from rwk_tui.cockpit.browser import HIGHEST, WIDEST, within
from rwk_tui.web.messages import (
    BURST,
    RATE,
    Allowance,
    Focus,
    Message,
    NotUnderstood,
    Ping,
    Resized,
    Typed,
    read,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["stdin", "n"], Typed(b"n")),
        (["stdin", "ä\x1b[A"], Typed("ä\x1b[A".encode())),
        (["ping", "1700000000000"], Ping("1700000000000")),
        (["ping", "x" * 5000], Ping("x" * 32)),
        (["resize", {"width": 120, "height": 40}], Resized(120, 40)),
        (["resize", {"width": 120, "height": 40, "more": "x"}], Resized(120, 40)),
        (["focus"], Focus(True)),
        (["blur"], Focus(False)),
    ],
)
def test_what_the_page_says_is_understood(said: object, meant: Message) -> None:
    assert read(json.dumps(said)) == meant


def test_half_a_character_does_no_harm() -> None:
    try:
        read('["stdin", "\\ud800"]')
    except NotUnderstood:
        pass


@pytest.mark.parametrize(
    "text",
    [
        *("", "n", "{}", "[]", "null", "[1]", '["stdin"]', '["stdin", 1]', '["stdin", null]', '["stdin", "a", "b"]'),
        *(
            '["resize"]',
            '["resize", [80, 24]]',
            '["resize", {"width": 80}]',
            '["resize", {"width": "80", "height": 24}]',
        ),
        *('["resize", {"width": 1e400, "height": 24}]', '["resize", {"width": 80.5, "height": 24}]', '["dance"]'),
        *('["deliver_chunk_request", {"key": "x"}]', '["quit"]', '["focus", 1]', '["open_url", {"url": "x"}]'),
        *(
            '{"do": "quit"}',
            '[["stdin", "n"]]',
            "[" * 50_000,
            '["stdin", "n"',
            '["resize", {"width": true, "height": 1}]',
        ),
    ],
)
def test_all_else_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read(text)


def test_typing_is_allowed_and_floods_are_not() -> None:
    allowance = Allowance(0.0)
    assert all(allowance.takes(100, at / 10) for at in range(100))
    assert not Allowance(0.0).takes(BURST + 1, 0.0)
    spent = Allowance(0.0)
    assert spent.takes(BURST, 0.0)
    assert spent.takes(RATE, 1.0)
    assert not spent.takes(1, 1.0)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (120, 40, Size(120, 40)),
        (10**9, 10**9, Size(WIDEST, HIGHEST)),
        (0, -5, Size(1, 1)),
        ("wide", None, Size(80, 24)),
        (True, 2.5, Size(80, 24)),
    ],
)
def test_a_view_has_a_size_that_can_be_painted(width: object, height: object, size: Size) -> None:
    assert within(width, height) == size
