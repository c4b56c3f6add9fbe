"""`rwk-tui report`: what a state directory remembers, in a process as a user starts it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from support.cards import card, violated
from support.programs import one_line, rwk_tui

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.report import NO_CARDS
from rwk_tui.daemon.places import cards_file
from rwk_tui.daemon.report import TITLE
from rwk_tui.faults.book import Book
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process


def book(state: Path, *cards: CardRow) -> Path:
    """The file that a lab in that state directory would have left."""
    path = cards_file(Settings(state=state, engine_cache=state))
    kept = Book(path, pytest.fail)
    for one in cards:
        kept.add(one)
    return path


def test_no_cards_is_said_plainly_and_no_failure(tmp_path: Path) -> None:
    finished = rwk_tui("report", "--state", "none", home=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, f"{NO_CARDS}\n", "")
    finished = rwk_tui("report", "--json", "--state", "none", home=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", f"{NO_CARDS}\n")
    assert not (tmp_path / "none").exists()


def test_markdown_and_json_lines(tmp_path: Path) -> None:
    book(tmp_path / "lab", card(1), violated(2))
    finished = rwk_tui("report", "--state", "lab", home=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith(f"# {TITLE}\n\n2 faults: 1 violated, 1 holds\n")
    assert "## ✗ 2. Corrupt a value: etcd on core-02, violated" in finished.stdout
    finished = rwk_tui("report", "--json", "--state", "lab", home=tmp_path)
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(line["card"]["number"], line["card"]["verdict"]) for line in lines] == [(1, "holds"), (2, "violated")]
    assert lines[1]["card"]["invariants"][0]["evidence"] == list(violated().invariants[0].evidence)


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    book(tmp_path / "lab", card(1))
    (tmp_path / "report.md").write_text("before " * 1000)
    finished = rwk_tui("report", "--output", "report.md", "--state", "lab", home=tmp_path)
    assert (finished.returncode, finished.stdout) == (0, "report.md: 1 fault: 1 holds\n")
    assert (tmp_path / "report.md").read_text("utf-8").startswith(f"# {TITLE}\n")
    assert "before" not in (tmp_path / "report.md").read_text("utf-8")


def test_damaged_lines_are_left_out_with_one_warning(tmp_path: Path) -> None:
    path = book(tmp_path / "lab", card(1))
    with path.open("ab") as file:
        file.write(msgspec.json.encode(card(2))[:50] + b"\n\xff\xfe\n" + msgspec.json.encode(card(3)) + b"\n")
    finished = rwk_tui("report", "--json", "--state", "lab", home=tmp_path)
    assert finished.returncode == 0
    assert one_line(finished).endswith("cards.jsonl: 2 lines can't be read and left out")
    assert [json.loads(line)["card"]["number"] for line in finished.stdout.splitlines()] == [1, 3]


@pytest.mark.parametrize("command", [("report", "--output"), ("play", "01-hosts", "--report")], ids=lambda c: c[0])
@pytest.mark.parametrize(("place", "why"), [("none/x.md", "No such file"), (".", "Is a directory")])
def test_a_bad_place_is_one_line_and_exit_2_before_anything_starts(
    tmp_path: Path, command: tuple[str, ...], place: str, why: str
) -> None:
    finished = rwk_tui(*command, place, "--state", "lab", home=tmp_path)
    assert finished.returncode == 2
    assert why in one_line(finished) and f"{command[-1]} {place}: " in finished.stderr
    assert finished.stdout == ""
    assert not (tmp_path / "lab").exists()


def test_a_book_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    cards_file(Settings(state=tmp_path / "lab", engine_cache=tmp_path)).mkdir(parents=True)
    finished = rwk_tui("report", "--state", "lab", home=tmp_path)
    assert finished.returncode == 1
    assert "cards.jsonl: Is a directory" in one_line(finished)
