"""Installing is all or nothing. The Go here is a script, the rest is real; `make test` has built for real before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.engines_fake import Notes, publish, serving
from support.programs import environment, group_is_gone, script

from rwk_tui.engines.alone import alone
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.build import GO_CACHES, GoSource
from rwk_tui.engines.cache import MANIFEST
from rwk_tui.engines.find import find_engines
from rwk_tui.engines.go import go_on_path, needed_version
from rwk_tui.engines.install import install
from rwk_tui.engines.pins import choose_pins, engine_pins, go_pin
from rwk_tui.settings import BadInput, Mirrors, Settings

# Does what `go list` and `go build -o DIR/ PACKAGE…` would: a program a package, called after it, that has a version.
GO = """
case $1 in
    version) echo "go version go{release} linux/amd64"; exit;;
    env) echo {log}.cache; exit;;
    list) echo 'go: downloading a.example/one v1.0.0' >&2; echo one; echo two; exit;;
esac
echo "$@" > {log}
env > {log}.env
while [ "$1" != -o ]; do shift; done
out=$2; shift 2
{extra}
for package in "$@"; do
    name=$(basename "$package"); case $name in v3) name=$(basename "$(dirname "$package")");; esac
    case $name in server) said="etcd Version:";; kubectl) said="Client Version: v";; kube*) said="Kubernetes v";;
        kwok) said="kwok version v";; *) said="$name version:";; esac
    echo "$package"
    printf '#!/bin/sh\\necho "%s {version}"\\n' "$said" | sed 's/v /v/' > "$out$name"
done
"""

MakeGo = Callable[..., Path]


@pytest.fixture
def make_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeGo:
    def make(version: str = "3.7.3", release: str = "1.99.0", extra: str = "") -> Path:
        monkeypatch.setenv("PATH", f"{tmp_path / 'gobin'}:/usr/bin:/bin")
        body = GO.format(version=version, release=release, extra=extra, log=tmp_path / "go.log")
        return script(tmp_path / "gobin" / "go", body)

    return make


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, engine_cache=tmp_path / "cache")


def build(settings: Settings, *names: str, notes: Notes | None = None, force: bool = False) -> Path:
    """Install from Go, and return the directory of the first."""
    done = install(names, settings, notes or Notes(), origin="go", force=force)
    return next(iter(done.values()))


def leftovers(settings: Settings) -> list[str]:
    return sorted(p.name for p in settings.engine_cache.iterdir() if p.name not in (".install.lock", "known.json"))


@pytest.mark.process
def test_it_builds_verifies_and_writes_a_manifest(here: Settings, make_go: MakeGo, tmp_path: Path) -> None:
    make_go()
    notes = Notes()
    directory = build(here, "etcd", notes=notes)
    assert leftovers(here) == ["etcd-3.7.3"]
    assert here.engine_cache.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((directory / MANIFEST).read_text())
    assert sorted(manifest["files"]) == ["etcd", "etcdctl", "etcdutl"]
    found = find_engines(("etcd", "etcdctl", "etcdutl"), here)
    assert {(engine.version, engine.source) for engine in found.values()} == {("3.7.3", "cache")}
    assert "takes about 1 min on two busy cores" in notes.said[0]
    assert "MB of disk" in notes.said[0]
    assert notes.states("etcd-3.7") == ["installing", "ready"]
    assert "-trimpath" in (tmp_path / "go.log").read_text()
    given = (tmp_path / "go.log.env").read_text().splitlines()
    assert {"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", "GOWORK=off"} <= set(given)


@pytest.mark.process
def test_what_is_there_and_sound_is_kept_and_what_is_not_is_built_again(
    here: Settings, make_go: MakeGo, tmp_path: Path
) -> None:
    make_go()
    directory = build(here, "etcd")
    (tmp_path / "go.log").unlink()
    notes = Notes()
    build(here, "etcd", notes=notes)
    assert notes.said == []
    assert [progress.text for progress in notes.shown] == [f"3.7.3 is already in {directory}"]
    assert not (tmp_path / "go.log").exists()
    (directory / "etcdctl").write_text("broken")
    build(here, "etcd")
    assert find_engines(("etcd", "etcdctl"), here)["etcdctl"].version == "3.7.3"
    assert leftovers(here) == ["etcd-3.7.3"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("version", "extra", "words"),
    [
        ("3.7.2", "", "was made but says that it is 3.7.2, not 3.7.3"),
        ("3.7.3", "echo working; echo 'x.go:1: error: no luck' >&2; exit 1", "go build failed: x.go:1: error: no luck"),
        ("3.7.3", "exit 0", "go build wrote no server"),
        ("3.7.3", "exit 7", "go build failed: exit code 7"),
    ],
)
def test_a_failed_build_leaves_nothing_and_keeps_what_was(
    here: Settings, make_go: MakeGo, version: str, extra: str, words: str
) -> None:
    make_go()
    directory = build(here, "etcd")
    before = (directory / MANIFEST).read_text()
    make_go(version=version, extra=extra)
    with pytest.raises(EngineError, match=words) as caught:
        build(here, "etcd", force=True)
    assert "\n" not in str(caught.value)
    assert leftovers(here) == ["etcd-3.7.3"]
    assert (directory / MANIFEST).read_text() == before


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_and_ends_the_build(
    here: Settings, make_go: MakeGo, tmp_path: Path, number: signal.Signals
) -> None:
    make_go(extra=f"echo $$ > {tmp_path / 'pid'}; sleep 60 & wait")
    process = subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", "engines", "install", "etcd", "--from", "go"],
        env=environment(tmp_path, PATH=os.environ["PATH"], RWK_ENGINE_CACHE=str(here.engine_cache)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 20
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=20)
    assert process.returncode == 130
    assert complaint == ""
    assert leftovers(here) == []
    assert group_is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.process
def test_what_a_killed_install_left_goes_with_the_next(here: Settings, make_go: MakeGo) -> None:
    make_go()
    (here.engine_cache / ".build-dead" / "programs").mkdir(parents=True)
    build(here, "etcd")
    assert leftovers(here) == ["etcd-3.7.3"]


def test_a_second_install_at_once_is_refused(here: Settings, make_go: MakeGo) -> None:
    make_go()
    here.engine_cache.mkdir()
    with (
        alone(here.engine_cache),
        pytest.raises(EngineError, match="another install is at work"),
    ):
        build(here, "etcd")


@pytest.mark.process
def test_too_little_room_is_said_before_it_starts(
    here: Settings, make_go: MakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_go()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(EngineError, match="5 MB are free, but building etcd-3.7 takes"):
        build(here, "etcd")
    assert not (tmp_path / "go.log").exists()


def test_a_cache_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="can't be the engine cache.*RWK_ENGINE_CACHE"):
        build(Settings(state=tmp_path, engine_cache=tmp_path / "file" / "cache"), "etcd")


def test_an_unknown_engine_names_those_that_are_known(here: Settings) -> None:
    with pytest.raises(BadInput, match="no recipe for 'zookeeper'; there is etcd, kubernetes, kwok, etcd-3.7"):
        build(here, "etcd", "zookeeper")


@pytest.mark.process
def test_only_a_go_that_is_new_enough_and_works_is_taken_from_path(
    make_go: MakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = needed_version(engine_pins()["etcd-3.7"].module / "go.mod")
    assert needed >= (1, 24)
    make_go(release="1.22.5")
    assert go_on_path(needed) is None
    make_go(release="1.99")
    found = go_on_path(needed)
    assert found is not None
    assert found.version == "1.99"
    script(tmp_path / "gobin" / "go", "exit 3")
    assert go_on_path(needed) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go_on_path(needed) is None


@pytest.mark.process
def test_a_build_says_how_far_it_is(here: Settings, make_go: MakeGo, monkeypatch: pytest.MonkeyPatch) -> None:
    make_go(extra="echo one; sleep 1.2; echo two")
    notes = Notes()
    build(here, "etcd", notes=notes)
    first, *between, last = [progress for progress in notes.shown if progress.engine == "etcd-3.7"]
    assert (first.done, first.text, last.state, last.done, last.left_s) == (0, "waits for its turn", "ready", 1, 0)
    assert first.left_s > 0
    assert any("of 2 packages compiled" in progress.text for progress in between)
    assert [p.done for p in between] == sorted(p.done for p in between)


@pytest.mark.process
def test_several_are_built_with_the_flags_of_each(here: Settings, make_go: MakeGo, tmp_path: Path) -> None:
    make_go(version="1.36.3")
    notes = Notes()
    build(here, "kubernetes-1.36", notes=notes)
    flags = (tmp_path / "go.log").read_text()
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=36" in flags
    assert sorted(engine_pins()["kubernetes-1.36"].programs) == sorted(
        path.name for path in (here.engine_cache / "kubernetes-1.36.3").iterdir() if path.name != MANIFEST
    )


@pytest.mark.process
def test_one_that_fails_does_not_keep_the_others_away(here: Settings, make_go: MakeGo) -> None:
    make_go(version="3.7.3")
    notes = Notes()
    with pytest.raises(EngineError, match=r"kwok-0\.8: kwok was made but says that it is 3\.7\.3") as caught:
        build(here, "kwok", "etcd", notes=notes)
    assert "\n" not in str(caught.value)
    assert notes.states("kwok-0.8") == ["installing", "failed"]
    assert notes.states("etcd-3.7") == ["installing", "ready"]
    assert leftovers(here) == ["etcd-3.7.3"]


@pytest.mark.process
def test_a_full_disk_while_building_ends_it_all(here: Settings, make_go: MakeGo) -> None:
    make_go(extra="echo 'x.go:1: write /tmp/x: no space left on device' >&2; exit 1")
    notes = Notes()
    with pytest.raises(EngineError, match="no space left on device"):
        build(here, notes=notes)
    assert {progress.engine for progress in notes.shown if progress.state == "failed"} == set(engine_pins())
    assert leftovers(here) == []


@pytest.mark.process
def test_what_can_not_be_downloaded_is_built(here: Settings, make_go: MakeGo) -> None:
    make_go()
    with serving() as mirror:
        at = Mirrors(etcd=mirror.url, kubernetes=mirror.url, kwok=mirror.url)
        both = replace(here, mirrors=at)
        notes = Notes()
        install(["etcd"], both, notes)
        assert any("not by download" in line and "404" in line for line in notes.said)
        assert manifest(here, "etcd-3.7.3")["source"] == "go"
        publish(mirror, engine_pins("linux")["etcd-3.7"])
        install(["etcd"], both, Notes(), force=True)
        assert manifest(here, "etcd-3.7.3")["source"] == "download"


@pytest.mark.process
def test_if_neither_works_both_reasons_are_said(here: Settings, make_go: MakeGo) -> None:
    make_go(extra="exit 7")
    with serving() as mirror:
        both = replace(here, mirrors=Mirrors(etcd=mirror.url))
        with pytest.raises(EngineError, match=r"download: http.*404.*; go: go build failed: exit code 7") as caught:
            install(["etcd"], both, Notes())
        assert "\n" not in str(caught.value)


def manifest(settings: Settings, directory: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((settings.engine_cache / directory / MANIFEST).read_text())
    return found


@pytest.mark.process
def test_a_go_that_comes_as_a_package_keeps_its_caches_until_all_is_through(
    here: Settings, make_go: MakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_go(extra='mkdir -p "$GOCACHE"')
    package = here.engine_cache / f"{go_pin().package}-{go_pin().version}" / "go" / "bin"
    package.mkdir(parents=True)
    path.rename(package / "go")
    build(here, "etcd")
    caches = here.engine_cache / GO_CACHES
    given = (tmp_path / "go.log.env").read_text().splitlines()
    assert f"GOCACHE={caches / 'build'}" in given
    assert f"GOMODCACHE={caches / 'modules'}" in given
    assert not caches.exists()
    install(["etcd"], here, Notes(), origin="go", force=True, keep=True)
    assert (caches / "build").is_dir(), "an install that follows was announced"
    build(here, "etcd", force=True)
    assert not caches.exists()
    with pytest.raises(EngineError):
        build(here, "kwok")
    assert (caches / "build").is_dir()


@pytest.mark.process
def test_both_minors_of_an_upstream_take_less_than_twice_the_time(
    here: Settings, make_go: MakeGo, tmp_path: Path
) -> None:
    make_go()
    here.engine_cache.mkdir()
    notes = Notes()
    GoSource(here.engine_cache, tmp_path, notes.say).prepare(choose_pins(["kubernetes-1.37", "kubernetes-1.36"]))
    newest, older = engine_pins()["kubernetes-1.37"], engine_pins()["kubernetes-1.36"]
    assert f"about {newest.minutes + older.minutes_after:.0f} min on two" in notes.said[0]
    assert "GB of disk" in notes.said[0]
