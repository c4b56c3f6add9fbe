"""How the user's own tools get in: what is said of it changes with the lab, and the desk has the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from support.daemon_fake import FakeWorld, serving

from rwk_tui.board.board import Board
from rwk_tui.board.rows import LabRow, MachineRow
from rwk_tui.daemon import ways
from rwk_tui.daemon.service import Service
from rwk_tui.lab.protocol import LabError
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "PAUSE", 0.01)


@asynccontextmanager
async def ready(settings: Settings, world: FakeWorld) -> AsyncIterator[Service]:
    async with serving(settings, world) as (service, _):
        assert await service.hub.wait(lambda board: lab(board).state == "ready", 5)
        yield service


def lab(board: Board) -> LabRow:
    row = board.get(LabRow, "lab")
    assert row is not None
    return row


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the fakes tell nobody
            await asyncio.sleep(0.005)


async def look_once(world: FakeWorld) -> None:
    """Have the lab looked at, and what was seen told."""
    looked = world.looked
    world.moved()
    await until(lambda: world.looked > looked)
    await asyncio.sleep(0.02)


def machine(since: float) -> MachineRow:
    return MachineRow(seen_at=since, name="core-01", power="up", address="x", since=since)


async def test_a_chapter_that_sets_up_certificates_is_seen_in_the_row_and_at_the_desk(settings: Settings) -> None:
    world = FakeWorld()
    async with ready(settings, world) as service:
        row = lab(service.hub.board)
        assert row.reach == tuple((f"core-0{n}", f"core-0{n}.test:2379") for n in (1, 2, 3))
        assert (row.variables, row.engines, row.path) == ((), "etcd 0.0.0", ("/engines",))
        world.secured, world.own = {"core-01", "core-02"}, {"KUBECONFIG": "/k", "ETCDCTL_CERT": "/c"}
        world.moved()
        await until(lambda: lab(service.hub.board).variables != ())
        row = lab(service.hub.board)
        assert dict(row.reach) == {
            "core-01": "https://core-01.test:2379",
            "core-02": "https://core-02.test:2379",
            "core-03": "core-03.test:2379",
        }
        assert row.variables == (("ETCDCTL_CERT", "/c"), ("KUBECONFIG", "/k"))
        await until(lambda: world.profiles[-1:] == [{"KUBECONFIG": "/k", "ETCDCTL_CERT": "/c"}])


async def test_nothing_is_written_twice_but_a_reset_desk_gets_it_again(settings: Settings) -> None:
    world = FakeWorld(own={"KUBECONFIG": "/k"})
    async with ready(settings, world) as service:
        await until(lambda: len(world.profiles) == 1)
        before = lab(service.hub.board)
        for _ in range(3):
            await look_once(world)
        assert lab(service.hub.board) is before
        assert len(world.profiles) == 1
        service.hub.publish(machine(2.0))
        await look_once(world)
        assert world.profiles == [{"KUBECONFIG": "/k"}] * 2


async def test_papers_that_are_damaged_are_said_once_and_looked_at_again(settings: Settings) -> None:
    world = FakeWorld()
    async with ready(settings, world) as service:
        world.own = LabError("/pki/ca.crt is damaged")
        for _ in range(3):
            await look_once(world)
        told = [event.text for event in service.hub.board.events if "damaged" in event.text]
        assert told == ["your own tools may not get into the lab: /pki/ca.crt is damaged"]
        world.own = {"KUBECONFIG": "/k"}
        world.moved()
        await until(lambda: lab(service.hub.board).variables == (("KUBECONFIG", "/k"),))


async def test_a_lab_left_behind_is_looked_at_but_not_written_to(settings: Settings) -> None:
    world = FakeWorld(left="core-01 halted", own={"KUBECONFIG": "/k"}, secured={"core-01"})
    async with serving(settings, world) as (service, _):
        assert await service.hub.wait(lambda board: lab(board).state == "choose", 5)
        assert lab(service.hub.board).reach[0] == ("core-01", "https://core-01.test:2379")
        world.moved()
        await asyncio.sleep(0.05)
        assert world.profiles == []


async def test_engines_that_come_later_are_in_the_row(settings: Settings) -> None:
    world = FakeWorld()
    async with ready(settings, world) as service:
        world.engines.more("etcd 0.0.0, Kubernetes 1.0.0")
        assert lab(service.hub.board).engines == "etcd 0.0.0, Kubernetes 1.0.0"
    assert world.engines.closed
