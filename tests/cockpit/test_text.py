"""Foreign text is made harmless; lines are cut and wrapped to the cell."""

from __future__ import annotations

import pytest

from rwk_tui.board import wording
from rwk_tui.cockpit import units
from rwk_tui.cockpit.markdown import markdown_lines
from rwk_tui.cockpit.text import Span, cell, clean, cut, fit, line, plain, spread, width_of, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r50%\r100%", "100%"),
        ("line\r\n", "line"),
        ("a\tb", "a       b"),
        ("bell\x07, null\x00", "bell, null"),
        ("\u202eevil", "evil"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("ünïcödé", "ünïcödé"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_cut_and_cell_count_cells() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert cut("日本語", 4) == "日…"
    assert cell("ab", 4) == "ab  "
    assert cell("ab", 4, right=True) == "  ab"


def test_fit_marks_what_it_cuts_off() -> None:
    parts = line("abc", ("def", "bad"), "ghi")
    assert fit(parts, 9) == parts
    assert plain(fit(parts, 6)) == "abcde…"
    assert fit(parts, 5)[1] == Span("d…", "bad")


def test_spread_keeps_the_right_end() -> None:
    parts = spread(line("a very long left side"), line("right"), 16)
    assert width_of(parts) == 16
    assert plain(parts) == "a very lo… right"


@pytest.mark.parametrize("width", [10, 12, 17, 30, 80])
def test_wrap_loses_no_word_and_stays_within(width: int) -> None:
    parts = line(("$ ", "accent"), ("etcdctl member add core-03 --peer-urls=http://127.0.8.103:2380", "code"))
    lines = wrap(parts, width, 2)
    assert max(width_of(each) for each in lines) <= width
    assert "".join(plain(each).replace(" ", "") for each in lines) == plain(parts).replace(" ", "")
    assert all(plain(each).startswith("  ") for each in lines[1:])


@pytest.mark.parametrize("width", [-1, 0, 1, 2, 3, 5, 9, 10, 11, 40])
@pytest.mark.parametrize(
    "text",
    [
        "kubectl get 日本語日本語日本語",
        "日本語, 日本語日本語日本語日本語",
        "a日b本c語" * 9,
        "e\u0301日" * 20,
        "short",
        "",
    ],
)
def test_wrap_loses_no_wide_character_and_comes_to_an_end_at_any_width(text: str, width: int) -> None:
    lines = wrap(line(("$ ", "accent"), text), width, 2)
    assert "".join(plain(each).replace(" ", "") for each in lines) == f"${text}".replace(" ", "")
    assert max(width_of(each) for each in lines) <= max(2, width)  # A wide character can't be made any narrower.


def test_markdown_is_shown_without_its_signs() -> None:
    said = [plain(each) for each in markdown_lines("A **bold** `code`.\n\n- one\n- two\n\n```\n$ x  y\n```", 40)]
    assert said == ["A bold code.", "", "• one", "• two", "", "  $ x  y"]


def test_markdown_passes_foreign_markup_through() -> None:
    assert plain(markdown_lines("see [red]x[/red]", 40)[0]) == "see [red]x[/red]"


def test_durations_ages_sizes() -> None:
    assert [wording.seconds(ms) for ms in (80, 1362, 12_300, 125_000)] == ["80 ms", "1.36 s", "12.3 s", "2 min 5 s"]
    assert [units.age(seconds) for seconds in (-1, 4.9, 99, 180, 7200)] == ["0 s", "4 s", "99 s", "3 min", "2 h"]
    assert [units.size(count) for count in (640, 20_000, 2_100_000)] == ["640 B", "20 kB", "2.1 MB"]
    assert [units.latency(ms) for ms in (0.42, 12.4, 1200)] == ["0.4 ms", "12 ms", "1.2 s"]
    assert units.number(1812) == "1 812"
