"""Pictures of the speaker notes; `pytest --snapshot-update` takes them anew, and whoever does so looks at them."""

from __future__ import annotations

from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, wait_for
from support.cockpit_frames import Scene
from support.cockpit_pictures import SNAP, same_everywhere
from support.notes_app import noted, notes_app

from rwk_tui.cockpit.panes.pane import Pane

pytestmark = pytest.mark.usefixtures(same_everywhere.__name__)


def take(snap_compare: SNAP, scene: Scene, size: tuple[int, int] = (80, 24), *, read_only: bool = False) -> bool:
    app = notes_app(FakeSource(scene.frame()), read_only=read_only)

    async def run(pilot: Any) -> None:
        await wait_for(pilot, lambda: app.board.at > 0 and bool(app.screen.query_one("#now", Pane).shown))
        await pilot.pause()

    return snap_compare(app, terminal_size=size, run_before=run)


def test_notes_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, noted())


def test_notes_with_faults_60x20(snap_compare: SNAP) -> None:
    assert take(snap_compare, noted(frames.faults_seen()), (60, 20))


def test_notes_read_only_without_quorum_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, noted(frames.no_quorum()), read_only=True)
