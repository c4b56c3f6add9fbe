"""The lab's state in one line, in whatever room there is."""

from __future__ import annotations

import pytest
from support import cockpit_frames as frames
from support.cockpit_frames import Scene
from support.cockpit_kube_frames import worker_lost

from rwk_tui.board.board import Board
from rwk_tui.cockpit.text import plain, width_of
from rwk_tui.cockpit.views.state import state_line, state_view


def said(scene: Scene, width: int) -> str:
    board = Board()
    board.apply(scene.frame())
    parts = state_line(state_view(board), width)
    assert width_of(parts) <= width
    return plain(parts)


@pytest.mark.parametrize(
    ("scene", "width", "words"),
    [
        (frames.calm(), 78, "● quorum 3 of 3 · ★ core-01 term 7 · no fault"),
        (frames.choose(), 78, "no cluster yet · no fault"),
        (worker_lost(), 118, "! quorum 2 of 3 · ★ core-01 term 7 · ● API ready · 1 of 2 nodes ready · no fault"),
        (frames.no_quorum(), 78, "✗ no quorum: 1 of 3 · no leader · ↯ power-cut core-02, power-cut core-01"),
        (frames.faults_seen(), 58, "★ core-02 · ↯ partition core-01, delay core-02 (healing…)"),
        (frames.faults_seen(), 50, "★ core-02 · ↯ 2 faults, last partition core-01"),
    ],
)
def test_the_lab_in_one_line(scene: Scene, width: int, words: str) -> None:
    assert words in said(scene, width)
