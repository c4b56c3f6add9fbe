"""What present mode says of a board, without a screen: the narration, the figures, and what counts as a change."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from support import cockpit_frames as frames
from support import cockpit_kube_frames as kube_frames
from support.cockpit_frames import NOW

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Output
from rwk_tui.cockpit.changes import FRESH, Changes
from rwk_tui.cockpit.facts import facts_of
from rwk_tui.cockpit.keymap import KeyMap
from rwk_tui.cockpit.text import plain, width_of
from rwk_tui.cockpit.views.figures import figure_views
from rwk_tui.cockpit.views.kube_figures import kube_figure_views
from rwk_tui.cockpit.views.notes import now_view
from rwk_tui.cockpit.views.present import narration_lines, narration_view


def board(scene: frames.Scene) -> Board:
    made = Board()
    made.apply(scene.frame())
    return made


def said(scene: frames.Scene, width: int = 120, height: int = 30) -> list[str]:
    lines = narration_lines(narration_view(board(scene), frozenset()), width, height)
    assert all(width_of(parts) <= width for parts in lines)
    return [plain(parts).strip() for parts in lines]


def test_the_narration_stands_in_the_middle_with_lines_apart_where_there_is_room() -> None:
    wide = said(frames.calm())
    first, last = (next(at for at, each in order if each) for order in (enumerate(wide), enumerate(wide[::-1])))
    assert last == 0
    assert abs(first - (30 - len(wide))) <= 1
    dense = said(frames.calm(), height=8)
    assert dense[0] == "✓ Two members are worse than one: passed in 7.42 s"
    assert len([each for each in wide if not each]) > len([each for each in dense if not each]) + first


def test_a_running_step_shows_the_command_that_runs() -> None:
    scene = frames.calm()
    steps = list(scene.story.steps)
    steps[3] = msgspec.structs.replace(steps[3], status="running")
    output = Output(at=NOW, step=steps[3].title, machine="core-01", stream="command", text="etcdctl member add x")
    story = msgspec.structs.replace(scene.story, steps=tuple(steps), busy="step 4/5: Add core-03 as a learner")
    lines = said(replace(scene, story=story, output=(*scene.output, output)))
    assert "$ etcdctl member add x" in lines
    assert "Add core-03 as a learner  ▶ running" in lines


def test_a_chapter_is_chosen_by_a_key_of_ones_own() -> None:
    closed = replace(frames.calm(), story=msgspec.structs.replace(frames.story(), chapter=""))
    own = KeyMap((("chapters", ("f5",)),))
    assert narration_view(board(closed), frozenset(), own).title == "Press F5 to choose a chapter"
    assert now_view(board(closed), own).hint == "No chapter is open: F5 on the screen chooses one."


def test_without_a_chapter_it_says_how_to_choose_one_and_at_the_end_that_it_is_told() -> None:
    closed = msgspec.structs.replace(frames.story(), chapter="")
    assert "Press c to choose a chapter" in said(replace(frames.calm(), story=closed))
    assert "✓ etcd clustering" in " ".join(said(replace(frames.calm(), story=frames.story(5))))


@pytest.mark.parametrize(
    ("scene", "figures"),
    [
        (frames.calm(), {"leader": "01", "term": "7", "quorum": "3/3", "gap": "0"}),
        (frames.partition(), {"leader": "02", "term": "8", "quorum": "2/3", "gap": "1.36"}),
        (frames.no_quorum(), {"leader": "-", "term": "7", "quorum": "1/3", "gap": "5.40"}),
        (frames.choose(), {"leader": "-", "term": "-", "quorum": "-", "gap": "-"}),
    ],
)
def test_figures(scene: frames.Scene, figures: dict[str, str]) -> None:
    views = figure_views(board(scene), frozenset())
    assert {name: view.digits for name, view in views.items()} == figures
    assert all(view.label for view in views.values())


@pytest.mark.parametrize(
    ("scene", "nodes", "pods"),
    [
        (kube_frames.healthy(), ("● nodes ready", "2/2"), ("● pods run, on kwok", "10/10")),
        (kube_frames.worker_lost(), ("! nodes ready", "1/2"), ("! pods run, on kwok", "8/10")),
        (kube_frames.unready(), ("! API unready", "2/2"), ("‖ pods, before", "10/10")),
        (kube_frames.stale_kube(), ("‖ stale: nodes ready", "2/2"), ("‖ stale: pods running", "10/10")),
        (frames.calm(), ("no Kubernetes yet", "-"), ("no pods yet", "-")),
    ],
)
def test_figures_of_kubernetes(scene: frames.Scene, nodes: tuple[str, str], pods: tuple[str, str]) -> None:
    views = kube_figure_views(board(scene), frozenset())
    assert (views["nodes"].label, views["nodes"].digits) == nodes
    assert (views["pods"].label, views["pods"].digits) == pods


def test_what_is_seen_for_the_first_time_is_no_change() -> None:
    changes = Changes()
    assert changes.look(facts_of(board(frames.calm())), NOW) == frozenset()
    assert {"leader", "term", "faults", "news"} <= changes.look(facts_of(board(frames.partition())), NOW + 1)
    assert changes.look(facts_of(board(frames.partition())), NOW + 1 + FRESH) == frozenset()
    changes.forget()
    assert changes.look(facts_of(board(frames.calm())), NOW + 9) == frozenset()


def test_a_story_that_stands_beyond_its_steps_is_told_to_its_end() -> None:
    lines = said(replace(frames.calm(), story=frames.story(9)))
    assert "✓ etcd clustering" in " ".join(lines)
    assert said(replace(frames.calm(), story=msgspec.structs.replace(frames.story(2), steps=())))
