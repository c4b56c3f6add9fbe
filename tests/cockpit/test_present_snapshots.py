"""Pictures of present mode; `pytest --snapshot-update` takes them anew, and whoever does so looks at them."""

from __future__ import annotations

from typing import Any

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_frames import Scene
from support.cockpit_kube_frames import worker_lost
from support.cockpit_pictures import SNAP, same_everywhere, still

from rwk_tui.cockpit.panes.lines import Lines

pytestmark = pytest.mark.usefixtures(same_everywhere.__name__)


def take(
    snap_compare: SNAP,
    scene: Scene,
    *keys: str,
    then: Scene | None = None,
    size: tuple[int, int] = (120, 40),
    theme: str = "dark",
) -> bool:
    """Turn present mode on, press keys, and let something happen."""
    source = FakeSource(scene.frame())
    app = cockpit(source=source, theme=theme)

    async def run(pilot: Any) -> None:
        await still(app, "p")(pilot)
        parts = ("#narration", "#writes", "#news", "#echo")
        await wait_for(pilot, lambda: all(app.screen.query_one(part, Lines).shown for part in parts))
        if then is not None:
            source.say(then.frame(seq=2))
            await wait_for(pilot, lambda: bool(app.screen.query(".figure.-changed")))
        await still(app, *keys)(pilot)

    return snap_compare(app, terminal_size=size, run_before=run)


def test_present(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm())


def test_present_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.faults_seen(), size=(80, 24))


def test_present_without_quorum_light(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.no_quorum(), theme="light")


def test_present_kubernetes(snap_compare: SNAP) -> None:
    assert take(snap_compare, worker_lost())


def test_present_kubernetes_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, worker_lost(), size=(80, 24))


def test_the_leader_changes(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.calm(), then=frames.partition())


def test_a_dialog_over_present_mode(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.partition(), "c")
