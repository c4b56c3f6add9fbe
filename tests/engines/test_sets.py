"""All engines at once: the newest by default, older minors by name, and why something can't be had."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.engines_fake import fake_install, fake_program, says
from support.programs import script

from rwk_tui.engines.ask import EngineError, ask_version
from rwk_tui.engines.find import EngineMissing
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.engines.upstreams import ETCD_PROGRAMS, UPSTREAMS
from rwk_tui.engines.verdict import bad_pair, too_old
from rwk_tui.settings import Settings

KUBERNETES = (*UPSTREAMS["kubernetes"].programs, *UPSTREAMS["kubernetes"].extra)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with an empty cache and a PATH that has no engines but those a test puts into `path`."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return Settings(state=tmp_path, engine_cache=tmp_path / "cache")


def install_all(settings: Settings) -> None:
    for upstream, version in (
        ("etcd", "3.7.3"),
        ("etcd", "3.6.16"),
        ("kubernetes", "1.37.2"),
        ("kubernetes", "1.36.3"),
        ("kwok", "0.8.0"),
    ):
        fake_install(settings, upstream, version)


@pytest.mark.process
def test_the_newest_have_plain_names_and_each_minor_has_its_own(here: Settings) -> None:
    install_all(here)
    found = find_set(here)
    assert found.missing == {} and found.verdicts == {}
    assert found.versions == {
        "etcd": "3.7.3",
        "kubernetes": "1.37.2",
        "kwok": "0.8.0",
        "etcd-3.7": "3.7.3",
        "etcd-3.6": "3.6.16",
        "kubernetes-1.37": "1.37.2",
        "kubernetes-1.36": "1.36.3",
        "kwok-0.8": "0.8.0",
    }
    plain = (*ETCD_PROGRAMS, *KUBERNETES, "kwok")
    assert {name for name in found.programs if "/" not in name} == set(plain)
    assert found.programs["kubectl"] == here.engine_cache / "kubernetes-1.37.2" / "kubectl"
    assert found.programs["kubernetes-1.36/kubelet"] == here.engine_cache / "kubernetes-1.36.3" / "kubelet"
    assert found.programs["etcd-3.6/etcdutl"] == here.engine_cache / "etcd-3.6.16" / "etcdutl"


@pytest.mark.process
def test_etcd_alone_is_enough_and_what_is_missing_says_how_to_get_it(here: Settings) -> None:
    found = find_set(here)
    assert found.versions == {"etcd": "3.5.1"}
    assert "can lose consistency" in found.verdicts["etcd"]
    for name in ("kubernetes", "kwok", "etcd-3.7", "etcd-3.6", "kubernetes-1.37", "kubernetes-1.36", "kwok-0.8"):
        assert f"`rwk-tui engines install {name}` gets it" in found.missing[name]
    assert found.missing["kubernetes-1.36"].startswith("Kubernetes 1.36 is not installed")


def test_without_etcd_there_is_no_set(here: Settings, tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="has no etcd"):
        find_set(replace(here, engines=tmp_path))


@pytest.mark.process
def test_kubernetes_that_the_etcd_at_hand_is_too_old_for_is_missing_in_one_line(here: Settings) -> None:
    fake_install(here, "kubernetes", "1.37.2")
    found = find_set(here)
    assert found.versions["etcd"] == "3.5.1"
    assert "kube-apiserver" not in found.programs
    assert found.missing["kubernetes"].startswith("Kubernetes 1.37.2 needs etcd 3.6 or newer, but 3.5.1 is used; ")
    assert "rwk-tui engines install etcd" in found.missing["kubernetes"]
    assert "kubernetes-1.37/kube-apiserver" in found.programs  # with an etcd of its own choice it is fine


@pytest.mark.process
def test_an_older_kubernetes_that_goes_with_this_etcd_is_taken_instead(here: Settings) -> None:
    fake_install(here, "etcd", "3.5.24")
    fake_install(here, "kubernetes", "1.37.2")
    fake_install(here, "kubernetes", "1.33.4")
    assert find_set(here).versions["kubernetes"] == "1.33.4"


@pytest.mark.parametrize(
    ("etcd", "kubernetes", "needed"),
    [
        ("3.5.24", "1.31.0", ""),
        ("3.5.23", "1.33.4", "3.5.24"),
        ("3.5.99", "1.34.0", "3.6"),
        ("3.6.0", "1.34.0", ""),
        ("3.7.3", "1.37.2", ""),
        ("3.6.16", "1.37.2", ""),
        ("3.7.3", "1.31.0", ""),
    ],
)
def test_pairs(etcd: str, kubernetes: str, needed: str) -> None:
    found = bad_pair(etcd, kubernetes)
    assert bool(found) == bool(needed)
    assert not needed or f"needs etcd {needed} or newer, but {etcd} is used" in found


@pytest.mark.process
def test_too_old_ones_are_missing_and_say_so(here: Settings) -> None:
    fake_install(here, "etcd", "3.7.3")
    fake_install(here, "kwok", "0.5.2")
    fake_install(here, "kubernetes", "1.30.9")
    found = find_set(here)
    assert found.missing["kwok"].startswith("kwok 0.5.2 is too old: chapters need 0.6 or newer")
    assert found.missing["kubernetes"].startswith("Kubernetes 1.30.9 is too old")
    assert too_old("kwok", "0.6.0") == ""


@pytest.mark.process
def test_programs_of_one_engine_come_from_one_place_and_have_one_version(here: Settings, tmp_path: Path) -> None:
    fake_install(here, "etcd", "3.7.3")
    fake_program(tmp_path / "path" / "kubectl", "1.36.3")
    assert find_set(here).missing["kubernetes"].startswith("Kubernetes is not installed")
    for name in KUBERNETES:
        if name != "kubectl":
            fake_program(tmp_path / "path" / name, "1.37.2")
    assert "they must be the same" in find_set(here).missing["kubernetes"]
    fake_program(tmp_path / "path" / "kubectl", "1.37.2")
    found = find_set(here)
    assert found.programs["kubectl"] == tmp_path / "path" / "kubectl"
    (tmp_path / "path" / "kube-scheduler").unlink()
    assert "has no kube-scheduler, which belongs to Kubernetes" in find_set(here).missing["kubernetes"]


@pytest.mark.process
def test_kubelet_may_be_lacking_as_it_is_for_linux_only(here: Settings) -> None:
    fake_install(here, "etcd", "3.7.3")
    fake_install(here, "kubernetes", "1.37.2", without=("kubelet",))
    found = find_set(here)
    assert found.versions["kubernetes"] == "1.37.2"
    assert "kubelet" not in found.programs


@pytest.mark.process
def test_a_changed_program_in_the_cache_makes_its_engine_missing_not_the_lab(here: Settings) -> None:
    install_all(here)
    fake_program(here.engine_cache / "kubernetes-1.37.2" / "kube-scheduler", "1.37.2 ")
    found = find_set(here)
    assert found.versions["kubernetes"] == "1.36.3"
    assert "kube-scheduler: is not what was installed" in found.missing["kubernetes-1.37"]
    assert "rwk-tui engines install kubernetes --force" in found.missing["kubernetes-1.37"]


@pytest.mark.process
def test_a_given_directory_may_be_flat_or_have_one_for_each_minor(here: Settings, tmp_path: Path) -> None:
    given = tmp_path / "given"
    for name in (*ETCD_PROGRAMS, "kwok"):
        fake_program(given / name, "3.7.3" if name != "kwok" else "0.8.0")
    found = find_set(replace(here, engines=given))
    assert found.programs["etcd-3.7/etcd"] == given / "etcd"
    assert "that directory was given" in found.missing["kubernetes"]
    for minor, version in (("1.37", "1.37.2"), ("1.36", "1.36.3")):
        for name in KUBERNETES:
            fake_program(given / f"kubernetes-{minor}" / name, version)
    found = find_set(replace(here, engines=given))
    assert found.programs["kube-apiserver"] == given / "kubernetes-1.37" / "kube-apiserver"
    assert found.programs["kubernetes-1.36/kubectl"] == given / "kubernetes-1.36" / "kubectl"
    install_all(here)
    assert find_set(replace(here, engines=here.engine_cache)).missing == {}


@pytest.mark.process
@pytest.mark.parametrize("program", [*ETCD_PROGRAMS, *KUBERNETES, "kwok"])
def test_each_program_tells_its_version_in_its_own_words(tmp_path: Path, program: str) -> None:
    assert ask_version(program, fake_program(tmp_path / program, "1.2.3")) == "1.2.3"
    other = "etcd" if program != "etcd" else "kwok"
    script(tmp_path / program, f"echo '{says(other, '1.2.3')}'")
    with pytest.raises(EngineError, match=f"is no {program} that works here"):
        ask_version(program, tmp_path / program)


@pytest.mark.process
def test_each_binary_is_asked_the_first_time_only(here: Settings) -> None:
    install_all(here)
    find_set(here)
    for path in here.engine_cache.rglob("kube*"):
        if path.is_file():
            stat = path.stat()
            body = path.read_bytes()
            path.write_bytes(b"exit 1  ".ljust(len(body)))  # would fail if it were asked
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert find_set(here).missing == {}


@pytest.mark.real
@pytest.mark.kubernetes
def test_the_engines_of_this_run_are_whole_and_go_together(kube_engines: EngineSet) -> None:
    for minor in ("1.37", "1.36"):
        for name in UPSTREAMS["kubernetes"].programs:
            path = kube_engines.programs[f"kubernetes-{minor}/{name}"]
            assert ask_version(name, path, deadline=30.0) == kube_engines.versions[f"kubernetes-{minor}"]
    assert bad_pair(kube_engines.versions["etcd"], kube_engines.versions["kubernetes"]) == ""
    assert bad_pair(kube_engines.versions["etcd-3.6"], kube_engines.versions["kubernetes-1.36"]) == ""
