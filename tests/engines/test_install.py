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
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.programs import environment, group_is_gone, script

from rwk_tui.engines import install as installing
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.cache import MANIFEST
from rwk_tui.engines.find import find_engines
from rwk_tui.engines.go import go_on_path, needed_version
from rwk_tui.engines.install import install
from rwk_tui.engines.pins import engine_pins, go_pin
from rwk_tui.settings import BadInput, Settings

# Writes what `go build -o DIR/ PACKAGE…` would: a program a package, called after it, that knows its version.
GO = """
case $1 in version) echo "go version go{release} linux/amd64"; exit;; esac
echo "$@" > {log}
env > {log}.env
while [ "$1" != -o ]; do shift; done
out=$2; shift 2
{extra}
for package in "$@"; do
    name=$(basename "$(dirname "$package")"); called=$name; [ $name = server ] && called=etcd
    printf '#!/bin/sh\\necho "%s version: {version}"\\n' $called > "$out$name"
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


def leftovers(settings: Settings) -> list[str]:
    return sorted(p.name for p in settings.engine_cache.iterdir() if p.name not in (".install.lock", "known.json"))


def test_it_builds_verifies_and_writes_a_manifest(here: Settings, make_go: MakeGo, tmp_path: Path) -> None:
    make_go()
    told: list[str] = []
    directory = install("etcd", here, told.append)
    assert leftovers(here) == ["etcd-3.7.3"]
    assert here.engine_cache.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((directory / MANIFEST).read_text())
    assert sorted(manifest["files"]) == ["etcd", "etcdctl", "etcdutl"]
    found = find_engines(("etcd", "etcdctl", "etcdutl"), here)
    assert {(engine.version, engine.source) for engine in found.values()} == {("3.7.3", "cache")}
    assert any("about" in line and "minutes" in line and "MB of disk" in line for line in told[:-1])
    assert "-trimpath" in (tmp_path / "go.log").read_text()
    given = (tmp_path / "go.log.env").read_text().splitlines()
    assert {"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", "GOWORK=off"} <= set(given)


def test_what_is_there_and_sound_is_kept_and_what_is_not_is_built_again(
    here: Settings, make_go: MakeGo, tmp_path: Path
) -> None:
    make_go()
    directory = install("etcd", here, lambda _: None)
    (tmp_path / "go.log").unlink()
    told: list[str] = []
    install("etcd", here, told.append)
    assert told == [f"etcd 3.7.3 is already in {directory}"]
    assert not (tmp_path / "go.log").exists()
    (directory / "etcdctl").write_text("broken")
    install("etcd", here, lambda _: None)
    assert find_engines(("etcd", "etcdctl"), here)["etcdctl"].version == "3.7.3"
    assert leftovers(here) == ["etcd-3.7.3"]


@pytest.mark.parametrize(
    ("version", "extra", "words"),
    [
        ("3.7.2", "", "was built but says that it is 3.7.2, not 3.7.3"),
        ("3.7.3", "echo working; echo 'x.go:1: error: no luck' >&2; exit 1", "go build failed: x.go:1: error: no luck"),
        ("3.7.3", "exit 0", "go build wrote no server"),
        ("3.7.3", "exit 7", "go build failed: exit code 7"),
    ],
)
def test_a_failed_build_leaves_nothing_and_keeps_what_was(
    here: Settings, make_go: MakeGo, version: str, extra: str, words: str
) -> None:
    make_go()
    directory = install("etcd", here, lambda _: None)
    before = (directory / MANIFEST).read_text()
    make_go(version=version, extra=extra)
    with pytest.raises(EngineError, match=words) as caught:
        install("etcd", here, lambda _: None, force=True)
    assert "\n" not in str(caught.value)
    assert leftovers(here) == ["etcd-3.7.3"]
    assert (directory / MANIFEST).read_text() == before


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


def test_what_a_killed_install_left_goes_with_the_next(here: Settings, make_go: MakeGo) -> None:
    make_go()
    (here.engine_cache / ".build-dead" / "programs").mkdir(parents=True)
    install("etcd", here, lambda _: None)
    assert leftovers(here) == ["etcd-3.7.3"]


def test_a_second_install_at_once_is_refused(here: Settings, make_go: MakeGo) -> None:
    make_go()
    here.engine_cache.mkdir()
    with (
        installing._alone(here.engine_cache),
        pytest.raises(EngineError, match="another install is at work"),
    ):
        install("etcd", here, lambda _: None)


def test_too_little_room_is_said_before_it_starts(
    here: Settings, make_go: MakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_go()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(EngineError, match="5 MB are free, but building etcd takes"):
        install("etcd", here, lambda _: None)
    assert not (tmp_path / "go.log").exists()


def test_a_cache_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="can't be the engine cache.*RWK_ENGINE_CACHE"):
        install("etcd", Settings(state=tmp_path, engine_cache=tmp_path / "file" / "cache"), lambda _: None)


def test_an_unknown_engine_names_those_that_are_known(here: Settings) -> None:
    with pytest.raises(BadInput, match="no recipe for 'zookeeper'; there is etcd"):
        install("zookeeper", here, lambda _: None)


def test_only_a_go_that_is_new_enough_and_works_is_taken_from_path(
    make_go: MakeGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = needed_version(engine_pins()["etcd"].module / "go.mod")
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


def test_the_pins_are_whole() -> None:
    pin = engine_pins()["etcd"]
    assert set(pin.programs) == {"etcd", "etcdctl", "etcdutl"}
    sums = (pin.module / "go.sum").read_text()
    for package in pin.programs.values():
        assert f"{package} v{pin.version} h1:" in sums
    assert all(one.startswith("sha256:") and len(one) == 71 for one in go_pin().hashes)
