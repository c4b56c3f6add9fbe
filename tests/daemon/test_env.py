"""The shell lines for the user's own tools."""

from __future__ import annotations

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow, UnitRow
from rwk_tui.daemon.client import DaemonError
from rwk_tui.daemon.up import env_lines


def board(*running: str) -> Board:
    lab = LabRow(
        seen_at=1.0,
        backend="local",
        engines="etcd 3.7.3",
        state="ready",
        reach=(("core-01", "127.1.8.101:2379"), ("core-02", "127.1.8.102:2379")),
        path=("/opt/my engines",),
    )
    made = Board()
    units = tuple(UnitRow(seen_at=1.0, machine=name, unit="etcd", state="running") for name in running)
    stopped = UnitRow(seen_at=1.0, machine="core-02", unit="etcd", state="stopped")
    made.apply(Frame(seq=1, at=1.0, full=True, rows=(lab, stopped, *units)))
    return made


def test_only_members_that_run_are_endpoints_and_paths_are_quoted() -> None:
    assert env_lines(board("core-01")) == [
        "export ETCDCTL_ENDPOINTS=127.1.8.101:2379",
        "export PATH='/opt/my engines':\"$PATH\"",
    ]
    assert env_lines(board("core-01", "core-02"))[0].endswith("127.1.8.101:2379,127.1.8.102:2379")


def test_without_etcd_there_is_a_clear_line() -> None:
    with pytest.raises(DaemonError, match="no etcd runs"):
        env_lines(board())
