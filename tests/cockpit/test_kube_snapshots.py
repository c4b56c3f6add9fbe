"""Pictures of the cockpit over Kubernetes; whoever takes them anew with `--snapshot-update` looks at them."""

from __future__ import annotations

import pytest
from support import cockpit_kube_frames as frames
from support.cockpit_pictures import SNAP, same_everywhere, take

pytestmark = pytest.mark.usefixtures(same_everywhere.__name__)


def test_worker_lost(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.worker_lost())


def test_worker_lost_projector(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.worker_lost(), size=(170, 54))


def test_worker_lost_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.worker_lost(), "3", size=(80, 24))


def test_stale(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.stale_kube())


def test_unready_light(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.unready(), theme="light")


def test_crowd(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.crowd(), "3")


def test_no_color(snap_compare: SNAP, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert take(snap_compare, frames.worker_lost(), "tab", "tab", "tab", "tab", "end")


def test_high_contrast(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.skew(), theme="high-contrast")


NODE = ("tab", "tab", "tab", "tab", "end", "enter")
"""From the story round to the Kubernetes pane, down to its last node, into the drawer."""


def test_drawer_of_a_node(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.worker_lost(), *NODE)


def test_drawer_of_a_pod_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.silent_worker(), "3", "end", "enter", "down", "enter", size=(80, 24))


def test_install_offer(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.not_installed(), "c", "end", "enter")


def test_install_progress(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.installing())


def test_help_80x24(snap_compare: SNAP) -> None:
    assert take(snap_compare, frames.healthy(), "question_mark", "end", size=(80, 24))
