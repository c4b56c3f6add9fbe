"""What tests of real chapters with Kubernetes share: engines of one minor, a chapter of one's own, a look at it all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.remote_lab import BUSY
from support.story_real import Rig

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import ApiServerRow, KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import MemberRow, UnitRow
from rwk_tui.cluster.ops import OpResult, RunOp, Stream
from rwk_tui.engines.sets import EngineSet
from rwk_tui.lab.protocol import Place
from rwk_tui.story.director import Director
from rwk_tui.story.load import load_chapter

ONE_KUBERNETES = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.kubernetes,
    pytest.mark.one_lab,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]
"""Marks of a module whose tests stand on one lab."""


def only(found: EngineSet, minor: str) -> EngineSet:
    """The same engines, as if of Kubernetes there were nothing but that minor ("kubernetes-1.36")."""
    others = [name for name in found.versions if name.startswith("kubernetes-") and name != minor]
    plain = {name.partition("/")[2]: path for name, path in found.programs.items() if name.startswith(f"{minor}/")}
    kept = {name: path for name, path in found.programs.items() if name.partition("/")[0] not in others}
    programs = {name: path for name, path in kept.items() if "/" in name or not name.startswith("kube")} | plain
    versions = {name: version for name, version in found.versions.items() if name not in others}
    return EngineSet(programs, versions | {"kubernetes": found.versions[minor]}, {}, {})


def report(stage: Rig) -> str:
    """What there is to know when a test fails: steps, output, rows, events."""
    board = stage.context.hub.board
    steps = [f"{step.status:8} {step.seconds:6.2f} s {step.title} {step.checks}" for step in stage.story.steps]
    output = [f"{line.machine} {line.stream} {line.text}" for line in board.output]
    kinds = (KubeRow, ApiServerRow, NodeRow, LeaseRow, MemberRow)
    rows = [str(row) for kind in kinds for row in board.rows(kind)]
    units = [f"{row.machine}/{row.unit} {row.state} {row.exit}" for row in board.rows(UnitRow)]
    events = [f"{event.at:.2f} {event.kind}: {event.text}" for event in board.events]
    return "\n".join([stage.story.error, *steps, *output[-60:], *rows, *units, *events[-40:]])


async def until(stage: Rig, holds: Callable[[Board], bool], seconds: float = 30.0) -> float:
    """Wait until the board says so, and say how long that took (s); AssertionError with what was seen last."""
    began = time.monotonic()
    assert await stage.context.hub.wait(holds, seconds * BUSY), f"not within {seconds * BUSY:g} s\n{report(stage)}"
    return time.monotonic() - began


async def opened(stage: Rig, chapter: str, step: int = 0) -> None:
    """Open one of our chapters, and have the board in step with what there is then."""
    await stage.director.open(chapter, step)
    await stage.director.settled()
    assert stage.story.error == "", report(stage)
    if stage.context.site.has_kubernetes:
        await until(stage, serves)


def own_director(stage: Rig, directory: Path, text: str) -> Director:
    """A director on the same lab that tells one chapter, "own", of that text."""
    path = directory / "own.yaml"
    path.write_text(text)
    return Director(stage.context, [load_chapter(path)], lambda _chapter, _step: None)


async def run(place: Place, *argv: str) -> OpResult:
    """What a command says there."""

    def quiet(_stream: Stream, _text: str) -> None:
        return None

    return await RunOp(place, argv).run(quiet)


def serves(board: Board) -> bool:
    """Whether Kubernetes is ready and every watch is in step."""
    row = board.get(KubeRow, "kube")
    return row is not None and row.state == "ready" and row.fresh


def unit_is(machine: str, unit: str, state: str) -> Callable[[Board], bool]:
    return lambda board: (row := board.get(UnitRow, f"unit/{machine}/{unit}")) is not None and row.state == state


def api_is(machine: str, state: str) -> Callable[[Board], bool]:
    return lambda board: (row := board.get(ApiServerRow, f"api-server/{machine}")) is not None and row.state == state


def node_is(name: str, *states: str) -> Callable[[Board], bool]:
    return lambda board: (row := board.get(NodeRow, f"node/{name}")) is not None and row.state in states


def pods_run(number: int) -> Callable[[Board], bool]:
    return lambda board: [row.state for row in board.rows(PodRow) if row.owner == "web"].count("running") == number
