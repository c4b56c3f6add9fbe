"""What each pane shows of a board, worked out without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest
from support import cockpit_frames as frames
from support.cockpit_frames import NOW, Scene

from rwk_tui.board.board import Board
from rwk_tui.board.card_row import Verdict
from rwk_tui.board.card_words import VERDICTS
from rwk_tui.board.frames import Check, Event, Output, Step, StepStatus, Story
from rwk_tui.board.rows import LinkRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.text import Line, plain, width_of
from rwk_tui.cockpit.views import availability, bars, etcd, footer, kube_lines, kubernetes, machines, timeline
from rwk_tui.cockpit.views.links import slow_words
from rwk_tui.cockpit.views.log import from_column, log_line
from rwk_tui.cockpit.views.spark import share, sparkline
from rwk_tui.cockpit.views.story import output_lines, story_lines, story_view


def board_of(scene: Scene) -> Board:
    board = Board()
    board.apply(scene.frame())
    return board


def text(lines: Sequence[Line]) -> str:
    return "\n".join(plain(each).rstrip() for each in lines)


def machines_text(scene: Scene, width: int = 24) -> str:
    return text(machines.machines_lines(machines.machines_view(board_of(scene), NOW), width))


def etcd_text(scene: Scene, width: int = 86) -> str:
    view = etcd.etcd_view(board_of(scene), NOW)
    return view.title + "\n" + text(etcd.etcd_lines(view, width))


def story_text(scene: Scene, width: int = 58) -> str:
    return text(story_lines(story_view(board_of(scene), NOW), width)[0])


def test_equal_boards_make_equal_views() -> None:
    once, again = board_of(frames.no_quorum()), board_of(frames.no_quorum())
    for view in (
        machines.machines_view,
        etcd.etcd_view,
        kubernetes.kubernetes_view,
        availability.availability_view,
        timeline.timeline_view,
        story_view,
    ):
        assert view(once, NOW) == view(again, NOW)
        assert view(once, NOW) == view(again, NOW + 0.4)


@pytest.mark.parametrize(
    ("power", "words"),
    [("up", "▲ up"), ("halted", "✗ halted 4 s"), ("off", "↯ power cut 4 s"), ("gone", "∅ gone 4 s")],
)
def test_power_is_a_glyph_a_word_and_an_age(power: str, words: str) -> None:
    scene = frames.calm().changed("machine/core-02", power=power, since=NOW - 4)
    assert f"core-02 {words}" in machines_text(scene)


def test_units_say_what_is_wrong_with_them() -> None:
    scene = frames.calm().changed("unit/core-02/etcd", state="paused")
    scene = scene.changed("unit/core-03/etcd", state="failed", exit="exit code 1")
    shown = machines_text(scene)
    assert "★ etcd" in shown
    assert "‖ etcd paused" in shown
    assert "✗ etcd exit code 1" in shown


def test_a_machine_without_any_link_is_cut_off_and_nobody_else_is() -> None:
    view = machines.machines_view(board_of(frames.partition()), NOW)
    assert [machine.alone for machine in view.machines] == [True, False, False]
    assert "≠ cut off" in machines_text(frames.partition())
    assert "cut from" not in machines_text(frames.partition())


def test_a_single_cut_link_names_both_ends() -> None:
    link = LinkRow(seen_at=NOW, source="core-01", target="core-02", state="cut")
    shown = machines_text(frames.calm().with_rows(link), 30)
    assert "≠ cut from core-02" in shown
    assert "≠ cut from core-01" in shown


def link(source: str, target: str, **values: Any) -> LinkRow:
    return LinkRow(seen_at=NOW, source=source, target=target, state="open", **values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"delay_ms": 200.0}, "200 ms"),
        ({"delay_ms": 200.0, "jitter_ms": 50.0}, "200±50 ms"),
        ({"jitter_ms": 5.0}, "±5 ms"),
        ({"loss": 0.2}, "20 % lost"),
        ({"delay_ms": 12.5, "loss": 0.005}, "12.5 ms, 0.5 % lost"),
        ({}, ""),
    ],
)
def test_links_that_are_slow_or_lossy_say_so(values: dict[str, float], words: str) -> None:
    assert slow_words(link("core-01", "core-02", **values)) == words
    shown = machines_text(frames.calm().with_rows(link("core-01", "core-02", **values)), 44)
    assert ("≈" in shown) == bool(words)
    assert shown.count(f"≈ {words} to core-02") == (1 if words else 0)


def test_a_machine_all_of_whose_links_are_slow_says_it_for_all() -> None:
    slow = [
        link(*ends, delay_ms=200.0)
        for other in ("core-02", "core-03")
        for ends in (("core-01", other), (other, "core-01"))
    ]
    view = machines.machines_view(board_of(frames.calm().with_rows(*slow)), NOW)
    assert [machine.slow for machine in view.machines] == [("200 ms to all",), (), ()]
    assert view.troubled
    one_way = machines.machines_view(board_of(frames.calm().with_rows(*slow[::2])), NOW)
    assert [machine.slow for machine in one_way.machines] == [("200 ms to all",), (), ()]
    back = machines.machines_view(board_of(frames.calm().with_rows(*slow[1::2])), NOW)
    assert [machine.slow for machine in back.machines] == [(), ("200 ms to core-01",), ("200 ms to core-01",)]


def test_the_strip_says_what_a_probe_sees_of_each_fault_as_far_as_there_is_room() -> None:
    def strip(width: int, scene: Scene) -> str:
        return plain(bars.strip_line(bars.strip_view(board_of(scene), Contact("live", NOW, NOW), NOW), width))

    both = frames.faults_seen()
    assert "partition core-01 (all links of core-01 are cut), delay core-02 (healing…)" in strip(118, both)
    assert "2 faults: partition core-01, delay core-02 (healing…)" in strip(80, both)
    one = frames.partition().changed("fault/f1", effect="all links of core-01 are cut", target="core-01>core-02")
    assert "1 fault active: partition core-01 → core-02 (all links of core-01 are cut)" in strip(118, one)
    assert "(healing…)" in strip(118, one.changed("fault/f1", healing=True))


@pytest.mark.parametrize(
    ("state", "width", "words"),
    [
        ("flowing", 130, "● flowing · last gap 12.3 s · restore lost 188 of 500"),
        ("flowing", 116, "● gap 12.3 s · restore lost 188 of 500"),
        ("flowing", 60, "● gap 12.3 s · restore lost 188 of 500"),
        ("failing", 116, "✗ failing · no writes for 12.3 s"),
        ("failing", 132, "✗ failing · no writes for 12.3 s · restore lost 188 of 500"),
    ],
)
def test_what_a_restore_lost_is_told_and_is_no_violation(state: str, width: int, words: str) -> None:
    view = availability.availability_view(board_of(frames.restored().changed("canary/etcd", state=state)), NOW)
    assert text(availability.availability_lines(view, width)).endswith(words)
    assert not view.violated and "0 of 312 acknowledged writes lost" in view.title


def test_what_a_restore_lost_comes_before_a_gap_that_is_over() -> None:
    scene = frames.restored().changed("canary/etcd", gap_ms=125_000.0, gone=1188, gone_of=12_500)
    lines = availability.availability_lines(availability.availability_view(board_of(scene), NOW), 116)
    assert text(lines).endswith("▇  ● restore lost 1 188 of 12 500")


def test_etcd_title_and_leader() -> None:
    shown = etcd_text(frames.calm())
    assert shown.startswith("etcd · quorum 3 of 3 · term 7\n")
    assert "core-01   ★ leader" in " ".join(shown.split(" ")) or "★ leader" in shown
    assert shown.count("★") == 1


def test_without_quorum_it_says_how_many_are_reachable() -> None:
    shown = etcd_text(frames.no_quorum())
    assert "✗ no quorum: 1 of 3 voters reachable" in shown
    assert "✗ down 9 s" in shown
    assert "? no leader" in shown
    assert "★" not in shown
    assert "deadline" not in shown


def test_stale_members_keep_their_values_with_word_and_age() -> None:
    row = next(each for each in etcd_text(frames.stale()).splitlines() if "core-03" in each)
    assert "‖ stale 4 s" in row
    assert "1204" in row
    assert "ms" not in row  # A latency is of now or of nothing.


def test_a_cut_leader_that_claims_to_lead_has_no_star() -> None:
    scene = frames.partition()
    scene = scene.changed(frames.member("core-01").key, role="leader", health="healthy")
    rows = etcd_text(scene).splitlines()
    assert "★" not in next(row for row in rows if row.startswith("core-01"))
    assert "★ leader" in next(row for row in rows if row.startswith("core-02"))


def test_alarms_and_a_learner_are_told() -> None:
    scene = frames.calm().changed(frames.member("core-03").key, role="learner", alarms=("NOSPACE",))
    shown = etcd_text(scene.with_rows(frames.quorum(voters=2, learners=1, reachable=2)))
    assert "1 learner" in shown
    assert "! core-03: alarm NOSPACE" in shown


@pytest.mark.parametrize("width", [40, 56, 74, 86, 120, 180])
def test_no_line_is_wider_than_its_pane(width: int) -> None:
    for make in frames.SCENES.values():
        board = board_of(make())
        lines = [
            *etcd.etcd_lines(etcd.etcd_view(board, NOW), width),
            *availability.availability_lines(availability.availability_view(board, NOW), width + 20),
            *timeline.timeline_lines(timeline.timeline_view(board, NOW), width),
            *story_lines(story_view(board, NOW), width)[0],
            footer.footer_line(footer.FooterView(frozenset({"next"})), width),
            bars.header_line(bars.header_view(board, Contact("live", NOW, NOW), NOW), max(60, width)),
            bars.strip_line(bars.strip_view(board, Contact("live", NOW, NOW), NOW), width),
        ]
        for each in lines:
            assert width_of(each) <= max(60, width) + 20, plain(each)
        for each in (
            *etcd.etcd_lines(etcd.etcd_view(board, NOW), width),
            *story_lines(story_view(board, NOW), width)[0],
        ):
            assert width_of(each) <= width or "no quorum" in plain(each), plain(each)


def test_kubernetes_says_what_it_waits_for_in_one_line() -> None:
    for make in frames.SCENES.values():
        lines = kube_lines.kubernetes_lines(kubernetes.kubernetes_view(board_of(make()), NOW), 80)
        assert len(lines) == 1
        assert "waits for" in plain(lines[0])


def test_availability_bar_gap_and_verdict() -> None:
    view = availability.availability_view(board_of(frames.no_quorum()), NOW)
    assert view.title == "Availability · last 60 s · 0 of 1 812 acknowledged writes lost"
    shown = text(availability.availability_lines(view, 116))
    assert "▇" * 54 + "▁" * 6 in shown
    assert "✗ failing · no writes for 5.40 s" in shown
    assert view.troubled


def test_a_lost_write_is_loud() -> None:
    view = availability.availability_view(board_of(frames.calm().with_rows(frames.canary(lost=3))), NOW)
    assert "✗ 3 of 1 812 acknowledged writes lost" in view.title
    assert view.troubled


BUG = "known of etcd 3.5.1: etcd#13766"


def test_a_loss_that_the_engine_is_known_for_is_said_and_not_loud() -> None:
    lost = frames.canary(lost=3, known=BUG)
    view = availability.availability_view(board_of(frames.calm().with_rows(lost)), NOW)
    assert view.title.endswith(f"· † 3 of 1 812 acknowledged writes lost, {BUG}")
    assert view.titles[-1] == f"† 3 of 1 812 acknowledged writes lost, {BUG}"
    assert not view.violated and not view.troubled
    both = frames.calm().with_rows(lost, frames.canary(name="api", lost=1))
    view = availability.availability_view(board_of(both), NOW)
    assert "✗ 4 of 3 624 acknowledged writes lost" in view.title and BUG not in view.title
    assert view.violated, "what no bug explains is as loud as ever"


def test_a_step_that_is_known_says_what_was_seen_and_of_what_it_is_known() -> None:
    scene = frames.calm()
    check = Check(expect="no loss", status="known", saw=f"1 of 9 acknowledged writes lost; {BUG}")
    step = Step(title="Look", status="known", commands=("etcdctl",), checks=(check,))
    told = msgspec.structs.replace(scene.story, steps=(step,), step=1, error="")
    view = story_view(board_of(replace(scene, story=told)), NOW)
    lines, _ = story_lines(view, 90)
    said = text(lines)
    assert " 1  Look  † known" in said
    assert f"  † no loss · saw 1 of 9 acknowledged writes lost; {BUG}" in said
    assert "$ etcdctl" not in said, "nothing of it is still to come"
    spans = [span for each in lines for span in each if "known" in span.text or span.text.startswith("  †")]
    assert {span.tone for span in spans} == {"warn"}
    assert not view.troubled


def test_every_state_of_a_step_and_of_a_card_has_a_glyph_and_a_word_of_its_own() -> None:
    for table, states in ((marks.STEP, StepStatus), (marks.VERDICT, Verdict)):
        assert set(table) == set(get_args(states))
        assert len({mark.glyph for mark in table.values()}) == len({mark.word for mark in table.values()}) == len(table)
    assert {name: mark.glyph for name, mark in marks.VERDICT.items()} == VERDICTS


def test_an_old_gap_stays_on_record() -> None:
    view = availability.availability_view(board_of(frames.partition()), NOW)
    assert "● flowing · last gap 1.36 s" in text(availability.availability_lines(view, 116))


def test_small_pictures() -> None:
    assert sparkline((0.0, 0.5, 1.0), 2) == "▅█"
    assert sparkline((), 5) == ""
    assert (share(5, 0), share(0, 3), share(1, 0)) == ("▇", "▁", "▇")
    assert share(1, 4) < share(4, 1) < "▇"


def test_timeline_is_newest_first_and_says_who_and_how_long() -> None:
    view = timeline.timeline_view(board_of(frames.calm()), NOW)
    lines = text(timeline.timeline_lines(view, 60)).splitlines()
    assert lines[0].endswith("▃ etcd writes stopped for 1.36 s")
    assert lines[1].endswith("★ core-01 was elected in term 7, 1.36 s")
    assert lines[2].endswith("↯ core-02's etcd was killed (you)")


def test_timeline_says_nothing_twice() -> None:
    event = Event(
        id=1, at=NOW, kind="fault", level="bad", text="cut for 1.36 s (you)", by_presenter=True, duration_ms=1362
    )
    assert timeline.event_text(event) == "cut for 1.36 s (you)"


def test_timeline_wraps_below_the_words() -> None:
    event = Event(id=1, at=NOW, kind="unit", level="bad", text="core-02's etcd ended: exit code 2, panic: tocommit")
    lines = timeline.event_lines(event, 40)
    assert len(lines) == 2
    assert plain(lines[1]).startswith(" " * timeline.INDENT + "code")


def test_story_shows_commands_before_they_run() -> None:
    shown = story_text(frames.calm())
    assert " 4  Add core-03 as a learner  ○ next" in shown
    assert "○ $ sudo systemctl start etcd" in shown
    assert "A learner receives the log but has no vote." in shown
    assert "Promote it" not in shown  # What comes later stays a surprise.


def test_story_shows_a_command_once_while_it_runs() -> None:
    story = frames.story()
    step = Step(title="Add", status="running", commands=("one --x", "two"))
    scene = replace(frames.calm(), story=Story(chapter="c", title="t", steps=(step,), busy="step 1/1"))
    output = (
        Output(at=NOW, step="Add", machine="core-01", stream="command", text="one --x"),
        Output(at=NOW, step="Add", machine="core-01", stream="out", text="[red]x[/red]"),
        Output(at=NOW, step="Add (background)", machine="core-01", stream="out", text="\x1b[31mcolour\x1b[0m"),
    )
    shown = story_text(replace(scene, output=output))
    assert story.step == 3
    assert shown.count("one --x") == 1
    assert "core-01 $ one --x" in shown
    assert "[red]x[/red]" in shown
    assert "    colour" in shown
    assert "○ $ two" in shown


def test_story_shows_checks_with_what_was_seen_and_when() -> None:
    shown = story_text(frames.calm(), 90)
    assert "✓ a serializable read answers · saw colour = blue · 20 ms" in shown


def test_story_without_a_chapter_says_what_to_press() -> None:
    scene = replace(frames.calm(), story=Story())
    assert "Press c to choose one of 3 chapters." in story_text(scene)


def test_story_says_when_it_is_told() -> None:
    scene = replace(frames.calm(), story=frames.story(5))
    assert "✓ the chapter is told" in story_text(scene)


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (Contact("live", NOW, NOW), "● live"),
        (Contact("live", NOW - 60, NOW - 5), "‖ stale 5 s"),
        (Contact("lost", NOW - 4, NOW - 4), "✗ lost 4 s"),
        (Contact("ended", NOW, NOW, "halted"), "✗ ended"),
        (Contact("tape", NOW, NOW - 500), " REPLAY "),
        (Contact(), "○ starting"),
    ],
)
def test_header_never_calls_old_things_live(contact: Contact, words: str) -> None:
    view = bars.header_view(board_of(frames.calm()), contact, NOW)
    assert view.live == words
    assert words in plain(bars.header_line(view, 120))


def test_header_tells_chapter_step_and_title() -> None:
    line = plain(bars.header_line(bars.header_view(board_of(frames.calm()), Contact("live", NOW, NOW), NOW), 120))
    assert "rwk · local lab" in line
    assert "03-etcd-clustering 4/5 · Add core-03 as a learner" in line
    assert len(line) == 120


def test_strip_shows_the_worst_first() -> None:
    board, live = board_of(frames.partition()), Contact("live", NOW, NOW)
    assert bars.strip_view(board, live, NOW).text == "↯ 1 fault active: partition core-01"
    assert bars.strip_view(board, Contact("live", NOW, NOW - 9), NOW).text.startswith("‖ nothing heard for 9 s")
    assert "lost: socket closed" in bars.strip_view(board, Contact("lost", NOW, NOW, "socket closed"), NOW).text
    assert bars.strip_view(board_of(frames.calm()), live, NOW).text == ""
    waiting = frames.calm().changed("lab", doing="core-02: Booting VM...").changed("machine/core-02", power="starting")
    assert bars.strip_view(board_of(waiting), live, NOW).text == "△ core-02: Booting VM..."
    arrived = waiting.changed("machine/core-02", power="up")
    assert bars.strip_view(board_of(arrived), live, NOW).text == "", "what was said last is old then"
    past = bars.strip_view(board, Contact("tape", NOW, NOW), NOW)
    assert (past.text, past.hint) == ("↯ 1 fault active: partition core-01", "REPLAY"), "no key heals what is past"
    assert "recorded on" in bars.strip_view(board_of(frames.calm()), Contact("tape", NOW, NOW), NOW).text
    several = bars.strip_view(board_of(frames.no_quorum()), live, NOW)
    assert several.text == "↯ 2 faults active: power-cut core-02, power-cut core-01"
    assert "H heals all" in several.hint


def test_footer_always_has_help_and_quit() -> None:
    for width in (60, 80, 120):
        shown = plain(footer.footer_line(footer.FooterView(frozenset()), width))
        assert shown.endswith("? help  q quit")
        assert len(shown) <= width
    wanted = "n next  b back  c chapters  f fault  h heal  l logs  e events  ? help  q quit"
    assert plain(footer.footer_line(footer.FooterView(frozenset()), 80)).strip() == wanted


def test_tabs_mark_the_active_and_the_troubled_one() -> None:
    shown = plain(footer.tabs_line(footer.TabsView("etcd", frozenset({"machines"})), 80))
    assert "[2 etcd ]" in shown
    assert "1 Machines!" in shown


def test_structured_log_lines_begin_with_what_matters() -> None:
    text = '{"level":"warn","ts":"2026-11-23T21:32:52.4+00:00","caller":"raft.go:1","msg":"lost [b]x[/b]","to":["a",1]}'
    words = plain(log_line(text))
    assert words[8:] == ' warn  lost [b]x[/b]  caller=raft.go:1  to=["a",1]'
    assert plain(from_column(log_line(text), 15)).startswith("lost")


@pytest.mark.parametrize(
    "text", ["plain", "{not json", '{"level":"info"}', "{}", "[1]", '{"level":1,"ts":"x","msg":2}']
)
def test_other_log_lines_stay_as_they_are(text: str) -> None:
    assert plain(log_line(text)) == text


def test_an_error_that_only_repeats_the_health_is_left_out() -> None:
    scene = frames.no_quorum().changed(frames.member("core-03").key, errors=("etcdserver: no leader", "disk is slow"))
    shown = etcd_text(scene)
    assert "etcdserver: no leader" not in shown
    assert "! core-03: disk is slow" in shown


def test_a_command_of_several_lines_stays_one_that_can_be_typed() -> None:
    text = "# first\nETCD_NAME=core-01 \\\n  etcd &\nls"
    told = output_lines(Output(at=NOW, step="s", machine="", stream="command", text=text), 60)
    lines = [plain(shown) for shown in told]
    assert lines == ["    $ # first", "    $ ETCD_NAME=core-01 \\", "      etcd &", "    $ ls"]
