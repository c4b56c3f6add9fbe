"""What `up` says of the lab, and when it has been seen."""

from __future__ import annotations

from typing import Any

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, NodeRow
from rwk_tui.board.rows import LabRow, MachineRow, MemberRow, UnitRow
from rwk_tui.daemon.up import seen, show

LAB = LabRow(seen_at=1.0, backend="local", engines="etcd 3.7.3, Kubernetes 1.37.2", state="ready", directory="/lab")
MACHINES = [MachineRow(seen_at=1.0, name=f"core-0{n}", power="up", address=f"127.0.8.10{n}", since=1.0) for n in (1, 2)]
MEMBER = MemberRow(seen_at=1.0, id="1", name="core-01", machine="core-01", role="leader", health="healthy", since=1.0)
SERVER = ApiServerRow(seen_at=1.0, machine="core-01", state="ready", since=1.0)
NODE = NodeRow(seen_at=1.0, name="core-02", machine="core-02", state="ready", since=1.0)


def unit(machine: str, name: str) -> UnitRow:
    return UnitRow(seen_at=1.0, machine=machine, unit=name, state="running")


UNITS = [unit("core-01", "etcd"), unit("core-01", "kube-apiserver"), unit("core-02", "kubelet")]


def kube(state: Any = "ready", **values: Any) -> KubeRow:
    return KubeRow(seen_at=1.0, state=state, version="1.37.2", **values)


def board(*rows: Any) -> Board:
    made = Board()
    made.apply(Frame(seq=1, at=1.0, full=True, rows=(LAB, *rows)))
    return made


def test_it_waits_for_every_member_server_and_node_that_runs() -> None:
    assert not seen(board())
    assert seen(board(*MACHINES))
    assert not seen(board(*MACHINES, UNITS[0]))
    assert seen(board(*MACHINES, UNITS[0], MEMBER))
    assert not seen(board(*MACHINES, *UNITS, MEMBER))
    for row in (kube("none"), kube("starting"), kube(fresh=False)):
        assert not seen(board(*MACHINES, *UNITS, MEMBER, SERVER, NODE, row))
    assert not seen(board(*MACHINES, *UNITS, MEMBER, SERVER, kube()))
    assert not seen(board(*MACHINES, *UNITS, MEMBER, NODE, kube()))
    assert seen(board(*MACHINES, *UNITS, MEMBER, SERVER, NODE, kube()))
    assert seen(board(*MACHINES, *UNITS, MEMBER, SERVER, kube("unready", fresh=False))), "a chapter may want it so"


def test_it_says_what_runs_where() -> None:
    rows = (*MACHINES, *UNITS, MEMBER, SERVER, NODE)
    assert show(board(*rows, kube("unready", fresh=False, why="etcd does not answer"))).splitlines() == [
        "lab local with etcd 3.7.3, Kubernetes 1.37.2 in /lab",
        "  core-01 127.0.8.101 up, etcd leader healthy, API server ready",
        "  core-02 127.0.8.102 up, node ready",
        "  Kubernetes 1.37.2 is unready: etcd does not answer",
    ]
    assert "Kubernetes" not in show(board(*MACHINES, MEMBER)).partition("\n")[2]
