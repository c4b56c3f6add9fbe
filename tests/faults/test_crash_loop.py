"""A program that falls again and again: it is started and killed, left alone when stopped, and started for good."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from msgspec import structs
from support.faults_world import FaultsWorld

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow
from rwk_tui.faults import crash_loop, sights
from rwk_tui.lab.protocol import MachineDown, UnitStatus

TARGET = "core-01/etcd"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash_loop, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(crash_loop, "LIVES", 0.05)


def fell_at(board: Board) -> float:
    """Since when the unit is down, as its row says; 0 while it is not."""
    row = sights.unit(board, TARGET)
    return row.since if row is not None and row.state == "failed" else 0.0


def did(world: FaultsWorld) -> list[str]:
    return [line for line in world.journal if not line.startswith("record")]


@pytest.mark.usefixtures("quick")
async def test_it_is_started_and_killed_until_it_is_healed(world: FaultsWorld) -> None:
    row = await world.faults.inject("crash-loop", TARGET)
    assert row.text == "etcd on core-01 crashes again and again"
    await world.until(lambda _: len(did(world)) >= 5)
    assert did(world)[:5] == [f"{verb} {TARGET}" for verb in ("kill", "start", "kill", "start", "kill")]
    await world.faults.heal()
    assert did(world)[-1] == f"start {TARGET}"
    steps = len(did(world))
    await asyncio.sleep(0.2)
    assert len(did(world)) == steps
    assert world.lab.fakes["core-01"].units["etcd"].state == "running"


@pytest.mark.usefixtures("quick")
async def test_two_falls_are_needed_to_see_it(world: FaultsWorld) -> None:
    # Each state of a pretended unit begins at 0; a real one says since when.
    case = world.case(TARGET)
    looking = asyncio.create_task(crash_loop.CrashLoop().shows(case))
    unit = world.lab.fakes["core-01"].units
    for since in (100.0, 101.5):
        assert not looking.done()
        unit["etcd"] = UnitStatus("failed", since=since, exit="killed by SIGKILL")
        await world.until(lambda board, since=since: fell_at(board) == since)  # type: ignore[misc]
    sight = await looking
    assert sight is not None and sight.words == "etcd failed twice within 1.5 s"


@pytest.mark.usefixtures("quick")
async def test_one_that_was_stopped_on_purpose_is_left_alone_and_over(world: FaultsWorld) -> None:
    await world.faults.inject("crash-loop", TARGET)
    await world.until(lambda _: len(did(world)) >= 3)
    unit = world.lab.fakes["core-01"].units
    unit["etcd"] = UnitStatus("stopped", exit="ended when asked to")
    await world.until(lambda board: not board.rows(FaultRow))
    assert unit["etcd"].state == "stopped"
    assert world.told("heal") == ["no longer so: etcd on core-01 crashes again and again"]


@pytest.mark.usefixtures("quick")
async def test_a_glimpse_of_it_between_life_and_death_does_not_end_it(world: FaultsWorld) -> None:
    await world.faults.inject("crash-loop", TARGET)
    kind, board = crash_loop.CrashLoop(), world.hub.board
    row = sights.unit(board, TARGET)
    assert row is not None
    glimpse = structs.replace(row, state="stopped", exit="", seen_at=world.hub.now() + 1)
    world.hub.publish(glimpse)
    assert not kind.is_over(board, TARGET, 0.0)
    world.hub.publish(structs.replace(glimpse, exit="ended when asked to"))
    assert kind.is_over(board, TARGET, 0.0)


@pytest.mark.usefixtures("quick")
async def test_a_machine_that_is_off_meanwhile_does_not_end_it(
    world: FaultsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = world.lab.fakes["core-01"]
    await world.faults.inject("crash-loop", TARGET)
    unit = machine.unit("etcd")

    async def down() -> None:
        raise MachineDown("core-01 is off, nothing runs there")

    with monkeypatch.context() as patch:
        patch.setattr(type(unit), "start", lambda self: down())
        patch.setattr(type(unit), "kill", lambda self: down())
        machine.now = replace(machine.now, power="off")
        await asyncio.sleep(0.2)
    machine.now = replace(machine.now, power="up")
    steps = len(did(world))
    await world.until(lambda _: len(did(world)) > steps)
    assert len(world.faults.active) == 1
