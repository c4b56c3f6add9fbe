"""The lone survivor: forced for one start only, believed once it leads alone, and as it was afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.story_fakes import StageLab

from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.ops import Op, Stream, commands_of
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.cluster.survivor import FORCE, LeadsAloneOp, alone, read_leader
from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))
OWN, OTHER = 17, 18


def status(leader: int) -> tuple[int, str]:
    return 0, json.dumps([{"Endpoint": "e", "Status": {"header": {"member_id": OWN}, "leader": leader}}])


def members(*names: str) -> tuple[int, str]:
    return 0, json.dumps({"members": [{"ID": number, "name": name} for number, name in enumerate(names, OWN)]})


@pytest.fixture
def lab() -> StageLab:
    return StageLab()


async def site_of(lab: StageLab, directory: Path, *, secured: bool = False) -> Site:
    """A site on which core-03 has a member."""
    machine = lab.stage["core-03"]
    peers = Static({name: f"http://{name}" for name in lab.stage})
    await machine.unit("etcd").configure(member_spec(machine, SETTINGS, peers, style=Style(secured)))
    site = Site(lab, Pki(directory / "pki"))
    await site.look()
    return site


def spec(lab: StageLab) -> UnitSpec:
    found = lab.stage["core-03"].units["etcd"].spec
    assert found is not None
    return found


class Ear(list[tuple[Stream, str]]):
    def __call__(self, stream: Stream, text: str) -> None:
        self.append((stream, text))


async def do(*ops: Op) -> Ear:
    ear = Ear()
    for op in ops:
        await op.resolve()
        await op.run(ear)
    return ear


@pytest.mark.parametrize("secured", [False, True])
async def test_the_flag_is_there_for_one_start_only(lab: StageLab, tmp_path: Path, secured: bool) -> None:
    site = await site_of(lab, tmp_path, secured=secured)
    before, machine = spec(lab), lab.stage["core-03"]
    machine.exactly = {"endpoint status": status(OWN), "-w json": members("core-03"), "-w table": (0, "one line")}
    started: list[UnitSpec] = []
    restart = type(machine.unit("etcd")).restart

    async def note(unit: object) -> None:
        started.append(spec(lab))
        await restart(unit)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(machine.unit("etcd")), "restart", note)
        forced, leads, unforced = alone(machine, site)
        scheme = "https" if secured else "http"
        assert commands_of(leads) == (f"etcdctl --endpoints={scheme}://10.0.0.3:2379 member list -w table",)
        await do(forced)
        assert (FORCE, "true") in started[0].environment
        assert spec(lab) == before, "whatever starts it next must not throw anybody out"
        assert ("out", "one line") in await do(leads)
        await do(unforced)
    assert [FORCE in dict(one.environment) for one in started] == [True, False]
    assert spec(lab) == before
    assert machine.done == ["restart core-03/etcd", "restart core-03/etcd"]


async def test_the_flag_goes_even_if_the_restart_fails(lab: StageLab, tmp_path: Path) -> None:
    site = await site_of(lab, tmp_path)
    before = spec(lab)
    lab.stage["core-03"].fails = "no such program"
    with pytest.raises(LabError, match="no such program"):
        await do(alone(lab.stage["core-03"], site)[0])
    assert spec(lab) == before


async def test_a_flag_that_an_earlier_run_left_goes_as_well(lab: StageLab, tmp_path: Path) -> None:
    site = await site_of(lab, tmp_path)
    before = spec(lab)
    left = UnitSpec("etcd", before.argv, (*before.environment, (FORCE, "true")), before.listens)
    await lab.stage["core-03"].unit("etcd").configure(left)
    await do(alone(lab.stage["core-03"], site)[2])
    assert spec(lab) == before


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"endpoint status": (1, "noise\nconnection refused")}, "connection refused"),
        ({"endpoint status": status(0)}, "it knows no leader"),
        ({"endpoint status": status(OTHER)}, "it does not lead"),
        ({"endpoint status": (0, "{}")}, "etcdctl endpoint status printed something unexpected"),
        ({"endpoint status": (0, "[]")}, "told of 0 members instead of one"),
        ({"endpoint status": status(OWN), "member list": (1, "no quorum")}, "no quorum"),
        ({"endpoint status": status(OWN), "member list": members("core-03", "core-01")}, "still core-03, core-01"),
    ],
)
async def test_what_is_amiss_is_said_once_the_deadline_is_over(
    lab: StageLab, tmp_path: Path, answers: dict[str, tuple[int, str]], why: str
) -> None:
    site = await site_of(lab, tmp_path)
    lab.stage["core-03"].exactly = answers
    with pytest.raises(LabError, match=r"core-03 does not lead alone within 0.01 s: .*") as error:
        await do(LeadsAloneOp(lab.stage["core-03"], site, within=0.01))
    assert why in str(error.value)


async def test_where_there_is_no_member_none_goes_on(lab: StageLab, tmp_path: Path) -> None:
    site = await site_of(lab, tmp_path)
    with pytest.raises(LabError, match="core-01 has no member that could be restarted"):
        await do(alone(lab.stage["core-01"], site)[0])
    assert lab.stage["core-01"].units == {}


def test_leader_and_member_are_told_apart() -> None:
    assert read_leader(status(OTHER)[1]) == (OTHER, OWN)
    assert read_leader('[{"Status":{"header":{}}}]') == (0, 0)
