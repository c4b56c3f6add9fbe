"""Report cards on the screen: the list, one in full, and how loud a bad one is until it was looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support import cockpit_frames as frames
from support.cards import BUG, LOST, card, known, not_well, violated
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_frames import NOW, Scene, event

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import CardRow, Invariant
from rwk_tui.board.frames import Frame
from rwk_tui.cockpit.alarm import Alarm
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.screens.cards import CardsScreen
from rwk_tui.cockpit.text import Line, plain, width_of
from rwk_tui.cockpit.views import availability, bars, timeline
from rwk_tui.cockpit.views.cards import card_items, card_lines

SIZE = (120, 40)


def board_of(scene: Scene) -> Board:
    board = Board()
    board.apply(scene.frame())
    return board


def came(seq: int, *cards: CardRow) -> Frame:
    return Frame(seq=seq, at=NOW + seq, rows=cards)


def text(lines: list[Line]) -> list[str]:
    return [plain(each).rstrip() for each in lines]


def header(app: Cockpit) -> str:
    return plain(app.query_one("#header").shown[0])  # type: ignore[attr-defined]


async def shown(pilot: Any, app: Cockpit) -> None:
    await wait_for(pilot, lambda: app.board.at > 0 and bool(app.query_one("#header").shown))  # type: ignore[attr-defined]


def test_the_list_is_newest_first_with_glyph_and_word() -> None:
    items = card_items(board_of(frames.calm().with_rows(card(9), not_well(10), violated(11))))
    assert [item.label.split("  ")[-1].strip() for item in items] == [
        "Corrupt a value: etcd on core-02",
        "Cut links: core-01 → core-02, core-03",
        "Cut the power: core-01",
    ]
    assert [word in item.label for word, item in zip(("✗ violated", "! not well", "✓ holds"), items, strict=True)]
    assert [item.tone for item in items] == ["bad", "warn", "plain"]


def test_a_card_in_full() -> None:
    open_end = Invariant(name="each lease has one holder", holds=None, saw="no lease is there")
    lines = text(card_lines(card(4, invariants=(*card().invariants, open_end), pods_replaced=5), 90))
    assert lines[0] == "✓ holds  4. Cut the power: core-01"
    assert lines[1].startswith("core-01 lost its power, ") and lines[1].endswith(" after 23.0 s")
    for line in (
        "seen        core-01 is off, after 0.21 s",
        "outage      no etcd writes for 1.36 s ± 50 ms",
        "elected     core-02 after 1.30 s ± 50 ms",
        "pods        5 pods replaced",
        "well        all well 3.21 s after its healing",
        "writes      1 812 acknowledged",
        "✓ every acknowledged write is there: 0 of 1812 acknowledged writes lost",
        "○ each lease has one holder: no lease is there",
    ):
        assert line in lines, lines


def test_a_violated_card_shows_its_evidence_and_hides_nothing_it_says() -> None:
    lines = text(card_lines(violated(5, title="\x1b[31mred"), 90))
    assert lines[0] == "✗ violated  5. red: etcd on core-02"
    at = lines.index("✗ every acknowledged write is there: 2 of 1812 acknowledged writes lost")
    assert lines[at + 1] == f"  › {LOST.evidence[0]}"
    assert lines[-2:] == ["Seen of the fault", "  › /colour on core-02: red, elsewhere blue"]
    assert "! NOT well again after its healing" in " ".join(text(card_lines(not_well(), 90)))
    for width in (40, 60, 74, 110):
        assert all(width_of(each) <= width for each in card_lines(not_well(), width) + card_lines(violated(), width))


def test_a_card_of_what_is_known_names_the_bug_and_calls_nobody() -> None:
    board = board_of(frames.calm().with_rows(card(1), known(2)))
    item, _ = card_items(board)
    assert "† known" in item.label and item.tone == "warn"
    lines = card_lines(known(2), 110)
    said = text(lines)
    assert said[0] == "† known  2. Cut the power: core-01"
    at = said.index(f"† all members store the same: hashkv DIFFERS on 3 members; {BUG}")
    assert {span.tone for span in lines[at]} == {"warn"}
    alarm = Alarm()
    assert list(alarm.hear(board)) == []
    board.apply(came(2, known(3)))
    assert list(alarm.hear(board)) == [] and alarm.waiting == ()


def test_a_canary_that_is_concerned_turns_its_pane_red() -> None:
    board = board_of(frames.calm())
    backward = Invariant(name="revisions only grow", holds=False, saw="2 went back")
    view = availability.availability_view(board, NOW, (violated(1, invariants=(backward,)),))
    assert view.violated and view.troubled
    assert view.title.endswith("0 of 1 812 acknowledged writes lost · ✗ violated: revisions only grow")
    assert view.titles[-1] == "✗ violated: revisions only grow"
    differs = violated(2, invariants=(violated().invariants[2],))
    assert not availability.availability_view(board, NOW, (differs,)).violated, (
        "members that differ are not the canary's"
    )
    assert availability.availability_view(board_of(frames.reported()), NOW).violated


def test_the_header_counts_the_worst() -> None:
    board = board_of(frames.calm())
    for waiting, words in (
        ((), ""),
        ((not_well(1),), "! 1 not well · v"),
        ((violated(2), violated(3), not_well(1)), "✗ 2 violated · v"),
    ):
        view = bars.header_view(board, frames_live(), NOW, waiting)
        assert view.alarm == words
        for width in (60, 80, 120):
            line = bars.header_line(view, width)
            assert words in plain(line) and width_of(line) == width
    assert timeline.timeline_view(board, NOW, (violated(1),)).troubled
    assert not timeline.timeline_view(board, NOW, (not_well(1),)).troubled


def frames_live() -> Any:
    from rwk_tui.cockpit.contact import Contact

    return Contact("live", NOW, NOW)


def test_cards_of_earlier_labs_call_nobody_and_those_of_this_one_do() -> None:
    scene = frames.calm().with_rows(violated(1), violated(2), card(3))
    scene = replace(scene, events=(event(1, 5, "card", "bad", "2. VIOLATED", subject="card/2"),))
    alarm = Alarm()
    assert list(alarm.hear(Board())) == [], "an empty board is not yet the first"
    board = board_of(scene)
    assert list(alarm.hear(board)) == []
    assert [one.number for one in alarm.waiting] == [2]
    board.apply(came(2, card(4), not_well(5), violated(6)))
    assert [one.number for one in alarm.hear(board)] == [5, 6]
    assert [one.number for one in alarm.waiting] == [6, 2, 5], "the worst first, then the newest"
    assert list(alarm.hear(board)) == []
    assert alarm.looked(violated(6)) and not alarm.looked(violated(6)) and not alarm.looked(card(4))
    board.apply(replace_full(board))
    assert list(alarm.hear(board)) == [], "a stream that was cut off says it all once more"
    assert [one.number for one in alarm.waiting] == [2, 5]
    board.drop(violated(2).key)
    assert list(alarm.hear(board)) == []
    assert [one.number for one in alarm.waiting] == [5], "a tape was wound back: what is not there calls nobody"
    board.put(violated(2))
    assert list(alarm.hear(board)) == []
    assert [one.number for one in alarm.waiting] == [2, 5], "it was on again, or a daemon came back"


def replace_full(board: Board) -> Frame:
    return board.snapshot(9, NOW + 9)


async def test_a_violation_is_loud_until_it_is_looked_at() -> None:
    source = FakeSource()
    app = cockpit(frames.calm().with_rows(card(1)), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await shown(pilot, app)
        assert "violated" not in header(app)
        source.say(came(2, violated(2)))
        await wait_for(pilot, lambda: "✗ 1 violated · v" in header(app))
        (note,) = app._notifications
        assert (note.severity, note.title) == ("error", "✗ Violated: 2. Corrupt a value, etcd on core-02")
        assert "Must hold: every acknowledged write is there. Seen: 2 of 1812" in note.message
        assert note.time_left > 60
        assert app.query_one("#availability").has_class("-violated")
        source.refuse = "busy: step 1/9"
        await pilot.press("n")
        await wait_for(pilot, lambda: len(app._notifications) == 2)
        source.refuse = ""
        source.say(came(3, card(3)))
        await wait_for(pilot, lambda: len(app.board.rows(CardRow)) == 3)
        assert "✗ 1 violated · v" in header(app)
        await pilot.press("v")
        await wait_for(pilot, lambda: isinstance(app.screen, CardsScreen))
        await wait_for(pilot, lambda: "violated" not in header_of_main(app))
        assert card_shown(app)[0].startswith("✗ violated  2. "), "it begins where there is most to see"
        assert [note.title for note in app._notifications if note.title != "Not done"] == []
        await pilot.press("v")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        assert not app.query_one("#availability").has_class("-violated")


def header_of_main(app: Cockpit) -> str:
    return plain(app.main.query_one("#header").shown[0])  # type: ignore[attr-defined]


def card_shown(app: Cockpit) -> list[str]:
    return [plain(each) for each in app.screen.query_one("#card").shown]  # type: ignore[attr-defined]


async def test_one_that_is_not_well_is_a_warning_of_the_same_kind() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await shown(pilot, app)
        source.say(came(2, not_well(1)))
        await wait_for(pilot, lambda: "! 1 not well · v" in header(app))
        (note,) = app._notifications
        assert (note.severity, note.title) == ("warning", "! Not well: 1. Cut links, core-01 → core-02, core-03")
        await pilot.click("#header", offset=(header(app).index("! 1 not") + 2, 0))
        await wait_for(pilot, lambda: isinstance(app.screen, CardsScreen))


async def test_each_card_that_calls_must_be_looked_at() -> None:
    source = FakeSource()
    app = cockpit(frames.calm(), source=source)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, app)
        source.say(came(2, violated(1), card(2), violated(3)))
        await wait_for(pilot, lambda: "✗ 2 violated · v" in header(app))
        await pilot.press("v")
        await wait_for(pilot, lambda: "✗ 1 violated · v" in header_of_main(app))
        await pilot.press("down")
        await wait_for(pilot, lambda: card_shown(app)[0].startswith("✓ holds  2. "))
        assert "✗ 1 violated · v" in header_of_main(app)
        source.say(came(3, card(4)))
        await wait_for(pilot, lambda: len(app.screen.query_one("#cards").shown) == 4)  # type: ignore[attr-defined]
        assert card_shown(app)[0].startswith("✓ holds  2. "), "what is read stays"
        await pilot.press("down")
        await wait_for(pilot, lambda: "violated" not in header_of_main(app))


async def test_a_long_card_is_read_without_leaving_the_list() -> None:
    app = cockpit(frames.calm().with_rows(violated(1, evidence=tuple(f"line {number}" for number in range(60)))))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press("v")
        await wait_for(pilot, lambda: isinstance(app.screen, CardsScreen) and bool(card_shown(app)))
        sheet = app.screen.query_one("#card")
        await pilot.press("right")
        await wait_for(pilot, lambda: sheet.scroll_y > 0)
        await pilot.press("left")
        await wait_for(pilot, lambda: sheet.scroll_y == 0)
