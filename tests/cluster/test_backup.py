"""Backups and restores: commands as they are shown, which tools they use, and where files go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.ops import quiet
from support.story_fakes import StageLab

from rwk_tui.cluster.backup import BUMP, EngineOp, backup, read_revision, read_storage, restore, upgrade
from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.ops import commands_of
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.lab.protocol import LabError, UnitSpec
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))


@pytest.fixture
def lab(tmp_path: Path) -> StageLab:
    made = StageLab()
    made.backups = str(tmp_path)
    return made


@pytest.fixture
def site(lab: StageLab, tmp_path: Path) -> Site:
    return Site(lab, Pki(tmp_path / "pki"), {"etcd": "3.7.3"}, secure_next=True)


async def member(lab: StageLab, site: Site, name: str, engine: str = "", *, secured: bool = True) -> None:
    spec = member_spec(lab.stage[name], SETTINGS, Static({}), style=Style(secured, engine))
    await lab.stage[name].unit("etcd").configure(spec)
    await site.look()


async def test_a_backup_is_one_members_in_the_presenters_keeping(lab: StageLab, site: Site, tmp_path: Path) -> None:
    await member(lab, site, "core-02")
    ops = backup(lab.stage["core-02"], site, "before")
    assert [op.command() for op in ops] == [
        f"etcdctl --endpoints=https://10.0.0.2:2379 snapshot save {tmp_path}/before.db",
        f"etcdutl snapshot status {tmp_path}/before.db -w table",
    ]
    assert {op.machine for op in ops} == {"presenter"}


async def test_whoever_asks_hears_up_to_which_revision_a_backup_goes(lab: StageLab, site: Site) -> None:
    await member(lab, site, "core-02")
    lab.stage_desk.exactly = {"-w json": (0, '{"hash":7,"revision":120,"totalKey":9}'), "-w table": (0, "HASH")}
    heard: list[int] = []
    save, status = backup(lab.stage["core-02"], site, "before", heard.append)
    await save.run(quiet)
    assert heard == []
    assert (await status.run(quiet)).stdout == "HASH"
    assert heard == [120]
    lab.stage_desk.exactly = {"-w": (1, "no such file")}
    assert (await status.run(quiet)).exit_code == 1
    assert heard == [120]
    with pytest.raises(LabError, match="printed something unexpected"):
        read_revision("HASH")


async def test_a_backup_is_made_with_the_members_own_tools(lab: StageLab, site: Site) -> None:
    await member(lab, site, "core-01", "etcd-3.6", secured=False)
    shown = [op.command() for op in backup(lab.stage["core-01"], site, "b")]
    assert shown[0].startswith("etcd-3.6/etcdctl --endpoints=http://10.0.0.1:2379 snapshot save ")
    assert shown[1].startswith("etcd-3.6/etcdutl snapshot status ")


async def test_a_restore_makes_each_members_data_anew_before_any_starts(
    lab: StageLab, site: Site, tmp_path: Path
) -> None:
    for name in ("core-01", "core-02"):
        await member(lab, site, name)
    (tmp_path / "before.db").write_bytes(b"a snapshot")
    ops = restore([lab.stage["core-01"], lab.stage["core-02"]], site, SETTINGS, "before", under_api=True)
    cluster = "core-01=https://10.0.0.1:2380,core-02=https://10.0.0.2:2380"
    assert [command for op in ops for command in commands_of(op)] == [
        "# core-01 gets the snapshot before.db",
        "# core-02 gets the snapshot before.db",
        *(
            f"etcdutl snapshot restore /nowhere/restore/before.db --name={name} --initial-cluster={cluster} "
            f"--initial-cluster-token=rwk-before --initial-advertise-peer-urls=https://10.0.0.{name[-1]}:2380 "
            f"--data-dir=/nowhere/etcd --bump-revision={BUMP} --mark-compacted"
            for name in ("core-01", "core-02")
        ),
        "start etcd",
        "start etcd",
    ]
    for op in ops:
        await op.resolve()
        assert (await op.run(quiet)).exit_code == 0
    for name in ("core-01", "core-02"):
        assert lab.stage[name].files == {"restore/before.db": (b"a snapshot", 0o600)}
        assert lab.stage[name].done == [f"put {name}/restore/before.db", f"start {name}/etcd"]
        assert lab.stage[name].ran[0][:3] == ("etcdutl", "snapshot", "restore")


async def test_without_an_api_server_revisions_go_on_as_they_were(lab: StageLab, site: Site) -> None:
    await member(lab, site, "core-01", "etcd-3.6")
    shown = restore([lab.stage["core-01"]], site, SETTINGS, "b", under_api=False)[1].command()
    assert shown.startswith("etcd-3.6/etcdutl snapshot restore ")
    assert "--bump-revision" not in shown and "--mark-compacted" not in shown


async def test_a_fresh_machine_gets_a_member_of_its_own(lab: StageLab, site: Site, tmp_path: Path) -> None:
    site.secure_next, site.engines_next = False, {"etcd": "etcd-3.6"}
    await site.look()
    (tmp_path / "before.db").write_bytes(b"a snapshot")
    machine = lab.stage["core-01"]
    ops = restore([machine], site, SETTINGS, "before", under_api=False)
    assert ops[1].command().startswith("etcd-3.6/etcdutl snapshot restore ")
    for op in ops:
        await op.run(quiet)
    spec = machine.units["etcd"].spec
    peers = Static({"core-01": "http://10.0.0.1:2380"}, "rwk-before")
    assert spec == member_spec(machine, SETTINGS, peers, style=Style(False, "etcd-3.6"))
    assert machine.done[-1] == "start core-01/etcd"


async def test_a_backup_that_was_never_made_is_one_line(lab: StageLab, site: Site, tmp_path: Path) -> None:
    await member(lab, site, "core-01")
    put = restore([lab.stage["core-01"]], site, SETTINGS, "never", under_api=False)[0]
    with pytest.raises(LabError) as error:
        await put.run(quiet)
    assert str(error.value) == f"{tmp_path}/never.db: No such file or directory"


async def test_a_member_gets_another_engine_and_stays_as_it_is(lab: StageLab, site: Site) -> None:
    await member(lab, site, "core-01", "etcd-3.6")
    before = lab.stage["core-01"].units["etcd"].spec
    op = upgrade(lab.stage["core-01"], site, "etcd-3.7")
    await op.resolve()
    assert (op.machine, op.command()) == ("core-01", "restart etcd")
    await op.run(quiet)
    after = lab.stage["core-01"].units["etcd"].spec
    assert before is not None and after is not None
    assert (after.argv, after.environment, after.listens) == (("etcd-3.7/etcd",), before.environment, before.listens)
    assert lab.stage["core-01"].done == ["restart core-01/etcd"]


async def test_where_there_is_no_member_none_is_upgraded(lab: StageLab, site: Site) -> None:
    op = upgrade(lab.stage["core-03"], site, "etcd-3.7")
    await op.resolve()
    assert op.command() == "restart etcd"
    with pytest.raises(LabError, match="core-03 has no member that could be restarted"):
        await op.run(quiet)
    assert lab.stage["core-03"].done == []


def test_the_storage_of_a_member_is_read_from_its_status() -> None:
    assert read_storage('[{"Endpoint": "x", "Status": {"version": "3.7.3", "storageVersion": "3.7.0"}}]') == (3, 7)
    assert read_storage('[{"Status": {"version": "3.5.1"}}]') == read_storage("no") == read_storage("[]") == (0, 0)


async def test_an_older_engine_waits_for_the_storage_it_can_read(lab: StageLab, site: Site) -> None:
    machine = lab.stage["core-01"]
    await machine.unit("etcd").configure(UnitSpec("etcd", ("etcd",)))
    await site.look()
    machine.answers["etcdctl"] = (0, '[{"Status": {"storageVersion": "3.7.0"}}]')
    op = upgrade(machine, site, "etcd-3.6")
    assert isinstance(op, EngineOp)
    with pytest.raises(LabError, match="still of version 3.7"):
        await replace(op, within=0.1).run(lambda _stream, _text: None)
    assert not any(done.startswith("restart") for done in machine.done)
    machine.answers["etcdctl"] = (0, '[{"Status": {"storageVersion": "3.6.0"}}]')
    await op.run(lambda _stream, _text: None)
    assert any(done.startswith("restart") for done in machine.done)
