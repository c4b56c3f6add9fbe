"""What is set up where, as the machines' own units say; and how the presenter is let in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.story_fakes import StageLab

from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.cluster.kubernetes.api_server import api_server_spec
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import ADMIN_CONFIG, Site, etcdctl_profile
from rwk_tui.lab.protocol import LabError, MachineStatus
from rwk_tui.settings import Settings

SETTINGS = Settings(state=Path("/nowhere"), engine_cache=Path("/nowhere"))


@pytest.fixture
def lab() -> StageLab:
    return StageLab()


@pytest.fixture
def site(lab: StageLab, tmp_path: Path) -> Site:
    return Site(lab, Pki(tmp_path / "pki"), {"etcd": "3.7.3"})


def are_files(paths: Iterable[str]) -> bool:
    return all(Path(path).is_file() for path in paths)


async def member(lab: StageLab, name: str, *, secured: bool = True, engine: str = "") -> None:
    machine = lab.stage[name]
    await machine.unit("etcd").configure(member_spec(machine, SETTINGS, Static({}), style=Style(secured, engine)))


async def api(lab: StageLab, name: str, engine: str = "") -> None:
    machine = lab.stage[name]
    spec = api_server_spec(machine, SETTINGS, [machine], engine=engine)
    await machine.unit("kube-apiserver").configure(spec)


async def test_before_anything_is_configured_what_comes_next_counts(site: Site) -> None:
    await site.look()
    assert (site.secured, site.scheme, site.is_secured("core-01")) == (False, "http", False)
    site.secure_next = True
    assert (site.secured, site.scheme, site.is_secured("core-01")) == (True, "https", True)
    assert site.machines_with("etcd") == [] and not site.has_kubernetes
    assert site.spec("core-01", "etcd") is None and site.engine("core-01", "etcd") == ""


async def test_what_is_configured_counts_more_than_what_was_to_come(site: Site, lab: StageLab) -> None:
    site.secure_next = True
    await member(lab, "core-02", secured=False)
    await site.look()
    assert (site.secured, site.scheme) == (False, "http")
    await member(lab, "core-02", engine="etcd-3.6")
    await site.look()
    assert (site.secured, site.scheme, site.is_secured("core-02")) == (True, "https", True)
    assert site.engine("core-02", "etcd") == "etcd-3.6"


async def test_machines_are_named_in_their_order(site: Site, lab: StageLab) -> None:
    for name in ("core-03", "core-01"):
        await member(lab, name)
    await api(lab, "core-02")
    await site.look()
    assert [machine.name for machine in site.machines_with("etcd")] == ["core-01", "core-03"]
    assert [machine.name for machine in site.machines_with("kube-apiserver")] == ["core-02"]
    assert site.has_kubernetes


async def test_a_machine_that_can_not_be_asked_is_remembered_and_a_destroyed_one_is_not(
    site: Site, lab: StageLab
) -> None:
    await member(lab, "core-01")
    await api(lab, "core-02")
    await site.look()
    for name in ("core-01", "core-02"):
        lab.stage[name].units.clear()
        lab.stage[name].now = MachineStatus("off", 0.0, "", seen=False)
    await site.look()
    assert site.spec("core-01", "etcd") is not None and site.has_kubernetes
    lab.stage["core-02"].now = MachineStatus("gone", 0.0, "")
    await site.look()
    assert site.spec("core-01", "etcd") is not None and not site.has_kubernetes


async def test_a_disk_that_is_gone_has_no_units_even_if_they_are_still_told(site: Site, lab: StageLab) -> None:
    await member(lab, "core-01")
    lab.stage["core-01"].now = replace(lab.stage["core-01"].now, power="gone")
    await site.look()
    assert site.machines_with("etcd") == []


async def test_variables_follow_what_there_is_to_be_let_into(site: Site, lab: StageLab) -> None:
    assert site.variables() == {}
    assert site.etcd_access() is None and site.api_access() is None
    await member(lab, "core-01")
    await site.look()
    assert site.variables() == {}, "no authority yet: nobody was ever let in"
    site.pki.authority("etcd")
    assert set(site.variables()) == {"ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"}
    await api(lab, "core-01")
    await site.look()
    found = site.variables()
    assert set(found) == {"ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY", "KUBECONFIG"}
    assert are_files(found.values())
    access = site.api_access()
    assert access is not None and access.cert.read_bytes() != access.ca.read_bytes()
    await member(lab, "core-01", secured=False)
    await site.look()
    assert set(site.variables()) == {"KUBECONFIG"}


async def test_papers_that_went_are_made_anew(site: Site) -> None:
    site.pki.authority("kubernetes")
    access = site.api_access()
    assert access is not None and site.api_access() is access
    access.cert.unlink()
    again = site.api_access()
    assert again is not None and are_files(map(str, (again.ca, again.cert, again.key)))


async def test_the_admins_kubeconfig_names_the_front_and_is_private(site: Site) -> None:
    path = site.admin_config()
    assert (path.name, path.stat().st_mode & 0o777) == (ADMIN_CONFIG, 0o600)
    found = yaml.safe_load(path.read_bytes())
    assert found["clusters"][0]["cluster"]["server"] == "https://any:6443"
    user = found["users"][0]
    assert user["name"] == "kubernetes-admin"
    assert are_files(user["user"].values())
    before = path.stat().st_mtime_ns
    assert site.admin_config().stat().st_mtime_ns == before, "what is as it should be is left alone"
    path.write_text("something else")
    assert yaml.safe_load(site.admin_config().read_bytes()) == found


async def test_a_kubeconfig_that_can_not_be_written_is_one_line(site: Site) -> None:
    (site.pki.directory / ADMIN_CONFIG).mkdir(parents=True)
    with pytest.raises(LabError) as error:
        site.admin_config()
    assert ADMIN_CONFIG in str(error.value) and "\n" not in str(error.value)


def test_etcdctl_on_a_machine_shows_that_machines_files(lab: StageLab) -> None:
    assert etcdctl_profile(lab.stage["core-01"]) == {
        "ETCDCTL_CACERT": "/nowhere/pki/etcd/ca.crt",
        "ETCDCTL_CERT": "/nowhere/pki/etcd/client.crt",
        "ETCDCTL_KEY": "/nowhere/pki/etcd/client.key",
    }
