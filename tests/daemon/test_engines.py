"""What can be run, as rows and as words."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines_fake import fake_install

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.daemon.engines import Engines, beside, called, in_words, places
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = Settings(state=tmp_path / "state", engine_cache=tmp_path / "cache")
    fake_install(found, "etcd", "3.7.3")
    return found


def rows(hub: Hub) -> dict[str, EngineRow]:
    return {row.name: row for row in hub.board.rows(EngineRow)}


@pytest.mark.process
def test_there_is_a_row_for_every_pin_which_says_what_to_do(settings: Settings) -> None:
    hub = Hub()
    engines = Engines(settings, hub, find_set(settings))
    found = rows(hub)
    assert sorted(found) == ["etcd-3.6", "etcd-3.7", "kubernetes-1.36", "kubernetes-1.37", "kwok-0.8"]
    assert (found["etcd-3.7"].state, found["etcd-3.7"].version, found["etcd-3.7"].text) == ("ready", "3.7.3", "")
    missing = found["kubernetes-1.37"]
    assert (missing.state, missing.size) == ("missing", 460_000_000)
    assert missing.left_s is not None
    assert missing.left_s > 60
    assert missing.text.startswith("building kubernetes-1.37, where it can't be downloaded, takes ")
    assert missing.text.endswith(" GB of disk for a while")
    assert engines.words == "etcd 3.7.3"
    assert engines.path == (str(settings.engine_cache / "etcd-3.7.3"),)


@pytest.mark.process
def test_what_is_there_but_no_good_is_said_as_it_is(settings: Settings) -> None:
    directory = fake_install(settings, "kwok", "0.8.0")
    (directory / "kwok").write_text("#!/bin/sh\necho tampered\n")
    hub = Hub()
    Engines(settings, hub, find_set(settings))
    row = rows(hub)["kwok-0.8"]
    assert row.state == "missing"
    assert "is not what was installed; `rwk-tui engines install kwok --force` mends it" in row.text


@pytest.mark.process
async def test_what_came_meanwhile_is_found_and_told(settings: Settings) -> None:
    hub = Hub()
    engines = Engines(settings, hub, find_set(settings))
    heard: list[str] = []
    engines.subscribe(lambda: heard.append(engines.words))
    fake_install(settings, "kubernetes", "1.37.2")
    await engines.look()
    assert heard == ["etcd 3.7.3, Kubernetes 1.37.2"]
    engines.publish(but=["kubernetes-1.37"])
    assert rows(hub)["kubernetes-1.37"].state == "missing", "somebody else speaks for it"
    engines.publish()
    assert rows(hub)["kubernetes-1.37"].state == "ready"
    assert len(engines.path) == 2


def test_words() -> None:
    versions = {"etcd": "3.5.1", "kubernetes": "1.31.0", "kwok": "0.8.0", "etcd-3.6": "3.6.1"}
    found = EngineSet({}, versions, {}, {"etcd": "too old", "etcd-3.6": "odd"})
    assert in_words(found) == "etcd 3.5.1 (too old), Kubernetes 1.31.0"
    assert [called(name) for name in ("kubernetes-1.37", "etcd", "other-2")] == ["Kubernetes 1.37", "etcd", "other 2"]


def test_a_directory_that_hides_others_programs_comes_last(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one / "etcd", one / "kubectl", two / "kubectl"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    programs = {"etcd": one / "etcd", "kubectl": two / "kubectl", "kubernetes-1.36/kubectl": tmp_path / "x" / "kubectl"}
    assert places(programs) == (str(two), str(one))


def test_what_runs_keeps_its_plain_names_beside_what_was_found() -> None:
    wheel, new, older, api = Path("/wheel/etcd"), Path("/new/etcd"), Path("/old/etcd"), Path("/new/kube-apiserver")
    found = {"etcd": new, "etcd-3.7/etcd": new, "etcd-3.6/etcd": older, "kube-apiserver": api}
    assert beside({"etcd": wheel, "etcd-3.5/etcd": wheel}, found) == {
        "etcd": wheel,
        "etcd-3.7/etcd": new,
        "etcd-3.6/etcd": older,
        "kube-apiserver": api,
    }
