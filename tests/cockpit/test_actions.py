"""The registry: every key once, and every action only when it makes sense."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_frames import NOW, Scene

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Story
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.cockpit.actions import ACTIONS, actions_in, valid_ids
from rwk_tui.cockpit.contact import Contact
from rwk_tui.cockpit.situation import situation_of

LIVE = Contact("live", NOW, NOW)


def valid(scene: Scene, contact: Contact = LIVE) -> frozenset[str]:
    board = Board()
    board.apply(scene.frame())
    return valid_ids(situation_of(board, contact))


@pytest.mark.parametrize("replay", [False, True])
def test_no_key_means_two_things(replay: bool) -> None:
    keys = Counter(key for action in actions_in(replay=replay) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_every_action_is_explained() -> None:
    assert [action.id for action in ACTIONS if not action.tooltip or not action.label] == []


def test_a_calm_lab_offers_the_story_and_faults_but_nothing_to_heal() -> None:
    ids = valid(frames.calm())
    assert {"next", "back", "repeat", "skip", "chapters", "faults", "machines", "logs", "reset", "detach"} <= ids
    assert not {"heal", "heal-all", "cancel", "again"} & ids


def test_a_fault_can_be_healed_even_while_the_story_is_busy() -> None:
    scene = frames.partition()
    busy = replace(scene, story=replace_busy(scene))
    assert {"heal", "heal-all", "cancel"} <= valid(busy)
    assert not {"next", "back", "repeat", "skip"} & valid(busy)


def replace_busy(scene: Scene) -> Story:
    import msgspec

    return msgspec.structs.replace(scene.story, busy="step 4/5")


@pytest.mark.parametrize("state", ["lost", "ended"])
def test_without_a_daemon_nothing_is_offered_that_needs_one(state: str) -> None:
    ids = valid(frames.partition(), Contact(state, NOW, NOW))  # type: ignore[arg-type]
    assert ids >= {"again", "quit", "help", "events", "theme"}
    assert not {"next", "heal", "faults", "machines", "reset", "detach", "logs"} & ids


def test_in_a_replay_the_tape_is_wound_and_nothing_is_done_to_the_lab() -> None:
    ids = valid(frames.partition(), Contact("tape", NOW, NOW))
    assert ids == {action.id for action in actions_in(replay=True)} - {"cards"}, "this scene has no card"
    assert {action.group for action in ACTIONS if action.id in ids} == {"replay", "screen"}
    assert {"pause", "event-before", "event-after", "faster", "details", "events", "leave", "help"} <= ids


def test_of_a_lab_nothing_is_wound() -> None:
    wound = {action.id for action in ACTIONS if action.group == "replay"}
    assert not wound & valid(frames.partition())
    assert not wound & {action.id for action in actions_in(replay=False)}


def test_before_the_first_frame_only_the_screen_itself_works() -> None:
    ids = valid_ids(situation_of(Board(), Contact()))
    assert {"quit", "help", "theme", "events"} <= ids
    assert not {"next", "chapters", "faults", "machines", "logs", "reset", "again"} & ids


def test_a_lab_that_waits_for_a_decision_takes_no_steps() -> None:
    assert not {"next", "chapters", "faults", "machines"} & valid(frames.choose())


def test_the_last_step_has_no_next() -> None:
    ids = valid(replace(frames.calm(), story=frames.story(5)))
    assert "next" not in ids
    assert {"back", "repeat"} <= ids


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("starting", set()),
        ("resetting", set()),
        ("ending", set()),
        ("choose", {"logs", "install", "reset"}),
        ("ready", {"logs", "install", "reset", "shell", "machines"}),
    ],
)
def test_what_the_daemon_would_refuse_in_a_phase_is_not_offered_in_it(state: Any, offered: set[str]) -> None:
    missing = EngineRow(seen_at=NOW, name="kubernetes-1.37", version="1.37.0", state="missing")
    scene = frames.calm().with_rows(frames.lab(state), missing)
    assert valid(scene) & {"logs", "install", "reset", "shell", "machines"} == offered
    assert {"detach", "quit", "help"} <= valid(scene)
    watching = valid(scene, Contact("viewing", NOW, NOW, viewer=True))
    assert ("logs" in watching) == ("logs" in offered)
