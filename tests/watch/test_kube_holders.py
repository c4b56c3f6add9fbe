"""Who holds a lease where all machines call themselves alike: the logs of the units tell."""

from __future__ import annotations

import asyncio

from support.watch_lab import FakeLab

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import LeaseRow
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.watch.kube.holders import Holders
from rwk_tui.watch.kube.to_rows import lease_row
from rwk_tui.watch.kube.wire import Lease, LeaseSpec, Meta

WON = 'I1124 {at}.000001 7 leaderelection.go:272] "Successfully acquired lease" lock="kube-system/kube-scheduler"'


def lab(**won: str) -> FakeLab:
    """A lab whose schedulers all run, and say in their logs when they acquired the lease."""
    made = FakeLab()
    for name, machine in made.fakes.items():
        machine.units["kube-scheduler"] = UnitStatus("running", pid=7)
        at = won.get(name.replace("-", "_"))
        machine.logs["kube-scheduler"] = [
            "I1124 08:00:00.5 7 server.go:1] starting",
            *([WON.format(at=at)] if at else []),
        ]
    return made


async def found(world: FakeLab, row: LeaseRow) -> dict[str, str]:
    hub = Hub()
    hub.publish(row)
    holders = Holders(world, hub)
    task = asyncio.create_task(holders.run())
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    return holders.known


def row(machine: str = "") -> LeaseRow:
    return LeaseRow(seen_at=1.0, name="kube-scheduler", holder="laptop_1", machine=machine, since=1.0)


async def test_the_one_that_acquired_it_last_holds_it() -> None:
    world = lab(core_01="08:10:00", core_02="08:15:09")
    assert await found(world, row()) == {"laptop_1": "core-02"}


async def test_one_that_ended_meanwhile_does_not() -> None:
    world = lab(core_01="08:10:00", core_02="08:15:09")
    world.fakes["core-02"].units["kube-scheduler"] = UnitStatus("failed", exit="killed by SIGKILL")
    assert await found(world, row()) == {"laptop_1": "core-01"}


async def test_where_nobody_says_so_nothing_is_claimed() -> None:
    assert await found(lab(), row()) == {}


async def test_what_the_identity_says_needs_no_look() -> None:
    assert await found(lab(core_01="08:10:00"), row("core-03")) == {}


def test_a_row_takes_what_was_found_out() -> None:
    lease = Lease(metadata=Meta(name="kube-scheduler"), spec=LeaseSpec(holder_identity="laptop_1"))
    assert lease_row(lease, ("core-01",), 1.0).machine == ""
    assert lease_row(lease, ("core-01",), 1.0, {"laptop_1": "core-02"}).machine == "core-02"
