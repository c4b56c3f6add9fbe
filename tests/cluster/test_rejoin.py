"""Joining anew: what is done in which order, for whom, and what is left out where it is not needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from support.story_fakes import StageLab, StageMachine

from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.members import Member
from rwk_tui.cluster.ops import Op, commands_of
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.rejoin import StrikeOffOp, join_anew, rejoin
from rwk_tui.cluster.reshape import Knowledge
from rwk_tui.cluster.site import Site
from rwk_tui.cluster.spec_changes import with_variable, without_variables
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
NAMES = ("core-01", "core-02", "core-03")


class World:
    """Three members, of which core-03's is to join anew with the help of core-01's; `listed` is the living list."""

    def __init__(self, tmp_path: Path, scheme: str = "http") -> None:
        self.lab, self.scheme = StageLab(), scheme
        self.site = Site(self.lab, Pki(tmp_path / "pki"))
        self.listed = [Member(f"{n}{n}", name, (f"{scheme}://10.0.0.{n}:2380",)) for n, name in enumerate(NAMES, 1)]

    async def configure(self, engine: str = "", *names: str) -> None:
        peers = Static({name: f"{self.scheme}://{name}" for name in NAMES})
        for name in names or NAMES:
            machine = self.lab.stage[name]
            style = Style(self.scheme == "https", engine)
            await machine.unit("etcd").configure(member_spec(machine, SETTINGS, peers, style=style))
        await self.site.look()

    def known(self) -> Knowledge:
        async def live(via: Machine) -> Sequence[Member]:
            assert via.name == "core-01"
            return self.listed

        def peers() -> Mapping[str, str]:
            return {one.name: one.peer_urls[0] for one in self.listed}

        return Knowledge(lambda name: "guess", peers, live)

    @property
    def machine(self) -> StageMachine:
        return self.lab.stage["core-03"]

    @property
    def via(self) -> StageMachine:
        return self.lab.stage["core-01"]


async def do(ops: Sequence[Op]) -> list[str]:
    shown: list[str] = []
    for op in ops:
        await op.resolve()
        shown += commands_of(op)
        result = await op.run(lambda _stream, _text: None)
        if result.exit_code:
            raise LabError(result.stderr)
    return shown


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_it_is_stopped_removed_emptied_added_started_and_promoted(tmp_path: Path, scheme: str) -> None:
    world = World(tmp_path, scheme)
    await world.configure()
    machine = world.machine
    await machine.unit("etcd").configure(
        with_variable("ETCD_QUOTA_BACKEND_BYTES", "7")(machine.units["etcd"].spec or UnitSpec("etcd", ()))
    )
    await world.site.look()
    ops = rejoin(machine, world.via, world.site, SETTINGS, world.known())
    etcdctl = f"etcdctl --endpoints={scheme}://10.0.0.1:2379 member"
    assert await do(ops) == [
        "stop etcd",
        f"{etcdctl} remove 33",
        "rm -rf /nowhere/etcd",
        f"{etcdctl} add core-03 --peer-urls={scheme}://10.0.0.3:2380 --learner",
        "start etcd",
        f"{etcdctl} promote 33",
    ]
    assert machine.done == ["stop core-03/etcd", "start core-03/etcd"]
    spec = machine.units["etcd"].spec
    assert spec is not None
    environment = dict(spec.environment)
    assert environment["ETCD_INITIAL_CLUSTER_STATE"] == "existing"
    assert "ETCD_QUOTA_BACKEND_BYTES" not in environment
    assert ("ETCD_CERT_FILE" in environment) is (scheme == "https")


async def test_on_a_slow_lab_every_member_is_asked_patiently(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lab.slack = 4.0
    await world.configure()
    shown = await do(rejoin(world.machine, world.via, world.site, SETTINGS, world.known()))
    asked = [line for line in shown if line.startswith("etcdctl")]
    assert [line.split()[1] for line in asked] == ["--command-timeout=20s"] * 3


async def test_whoever_is_not_on_the_list_is_not_removed(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.configure()
    world.listed = world.listed[:2]
    op = StrikeOffOp(world.machine, world.via, world.known(), 1.0, Style())
    assert await do([op]) == []
    assert world.via.ran == []


async def test_one_that_never_started_is_found_by_its_url(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.configure()
    world.listed[2] = Member("33", "", ("http://10.0.0.3:2380",), (), True)
    op = StrikeOffOp(world.machine, world.via, world.known(), 1.0, Style())
    (command,) = await do([op])
    assert command.endswith("member remove 33")


async def test_a_removal_that_etcd_is_not_ready_for_is_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.configure()
    world.via.exactly["member remove"] = (1, "Error: etcdserver: unhealthy cluster")
    op = StrikeOffOp(world.machine, world.via, world.known(), 0.0, Style())
    with pytest.raises(LabError, match="unhealthy cluster"):
        await do([op])
    world.via.exactly["member remove"] = (1, "Error: etcdserver: member not found")
    with pytest.raises(LabError, match="not found"):
        await do([op])


async def test_a_fresh_machine_is_not_stopped_and_runs_the_engine_of_who_helps_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.configure("etcd-3.6", "core-01", "core-02")
    world.listed = world.listed[:2]
    shown = await do(join_anew(world.machine, world.via, world.site, SETTINGS, world.known())[:4])
    assert [line.split()[0] for line in shown] == ["rm", "etcdctl", "start"]
    spec = world.machine.units["etcd"].spec
    assert spec is not None and spec.argv == ("etcd-3.6/etcd",)


async def test_a_member_keeps_its_own_engine(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.configure("etcd-3.6", "core-01", "core-02")
    await world.configure("etcd-3.7", "core-03")
    await do(rejoin(world.machine, world.via, world.site, SETTINGS, world.known())[:5])
    spec = world.machine.units["etcd"].spec
    assert spec is not None and spec.argv == ("etcd-3.7/etcd",)


def test_a_variable_is_set_once_and_left_out_again() -> None:
    spec = UnitSpec("etcd", ("etcd",), (("A", "1"), ("B", "2")))
    twice = with_variable("B", "4")(with_variable("B", "3")(spec))
    assert twice.environment == (("A", "1"), ("B", "4"))
    assert without_variables("B", "C")(twice).environment == (("A", "1"),)
    assert twice.argv == spec.argv
