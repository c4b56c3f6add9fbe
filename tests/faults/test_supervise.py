"""Who ended by himself is started again once what made him end is healed, and nobody else."""

from __future__ import annotations

from support.faults_kube import KCM, NOW, SCHEDULER, Stage
from support.faults_world import FaultsWorld

from rwk_tui.board.rows import FaultRow, MachineRow
from rwk_tui.faults import supervise
from rwk_tui.lab.protocol import UnitStatus


def test_who_ended_himself_is_started_again_and_nobody_else(stage: Stage) -> None:
    assert supervise.fallen(stage.board) == []
    stage.unit("core-01", KCM, "failed", "exit code 1")
    stage.unit("core-02", SCHEDULER, "failed", "killed by SIGKILL")
    stage.unit("core-03", "etcd", "failed", "exit code 2")
    assert supervise.fallen(stage.board) == [("core-01", KCM)]
    fault = FaultRow(seen_at=NOW, id="f1", fault="partition", target="core-01", since=NOW, text="")
    stage.hub.publish(fault)
    assert supervise.fallen(stage.board) == [], "what makes it end still lasts"
    stage.hub.retract(fault.key)
    stage.hub.publish(MachineRow(seen_at=NOW, name="core-01", power="off", address="", since=0.0))
    assert supervise.fallen(stage.board) == []


async def test_the_supervisor_works_as_long_as_it_is_asked_to(world: FaultsWorld) -> None:
    machine = world.lab.fakes["core-01"]
    machine.units[KCM] = UnitStatus("failed", exit="exit code 1")
    await world.until(lambda board: supervise.fallen(board) == [("core-01", KCM)])
    async with supervise.supervised(world.ground):
        await world.until(lambda board: supervise.fallen(board) == [])
    assert f"start core-01/{KCM}" in world.journal
    assert ("core-01", "command", f"start {KCM}") in [
        (line.machine, line.stream, line.text) for line in world.hub.board.output
    ]
    machine.units[KCM] = UnitStatus("failed", exit="exit code 1")
    await world.until(lambda board: supervise.fallen(board) == [("core-01", KCM)])
    assert world.journal.count(f"start core-01/{KCM}") == 1
