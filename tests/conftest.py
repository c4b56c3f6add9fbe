"""What every test may ask for: real engines, a free subnet, a state directory. Nothing may be left running."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.leftovers import MARK as MARK_OF_SUITE
from support.needs import Needs
from support.processes import end_processes_of
from support.remote_lab import KEPT, KIND, remote_settings
from support.schedule import FAILED, Schedule
from support.subnets import free_subnet

from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.find import ETCD_PROGRAMS, Engine, find_engines
from rwk_tui.engines.sets import EngineSet, find_set
from rwk_tui.engines.verdict import parse_version
from rwk_tui.settings import Settings, load_settings

MARK = "RWK_TEST_RUN"
"""Environment variable that every process inherits that this run of the suite starts, however it detaches itself."""
GRACE = 5.0

# What the user has set must not change what the tests see, but for where engines come from and what is wished here.
_ENGINES = ("RWK_ENGINES", "RWK_ENGINE_CACHE", "RWK_TEST_GOLDEN", "RWK_TEST_TAPE", MARK_OF_SUITE, FAILED)
_FARM = ("RWK_TEST_", "RWK_VAGRANT_", "RWK_TIMEOUTS_", "RWK_SLACK", "RWK_HOSTS", "RWK_IMAGES") if KIND else ()
for _name in [name for name in os.environ if name.startswith("RWK_") and not name.startswith((*_ENGINES, *_FARM))]:
    del os.environ[_name]
for _name in ("NO_COLOR", "FORCE_COLOR"):
    os.environ.pop(_name, None)
# A suite that was started in the background inherits that Ctrl-C is ignored, one under nohup that a hang-up is, and so
# would all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# Tests give themselves homes and state directories of their own; engines are still looked for where the user's are.
os.environ.setdefault("RWK_ENGINE_CACHE", str(load_settings(config=Path(os.devnull)).engine_cache))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-durations",
        action="store_true",
        help="note in tests/durations.json how long the tests of this run took",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tests say what they need. A long run tells what failed at once, not at its end."""
    config.pluginmanager.register(Needs(config.rootpath), "needs")
    config.pluginmanager.register(Schedule(config), "schedule")
    if KIND or config.getoption("numprocesses", None):
        config.pluginmanager.register(_AtOnce(config), "at-once")


def pytest_collection_finish() -> None:
    """What is imported by now stays: without this, the collector goes through all of it again and again."""
    gc.collect()
    gc.freeze()


class _AtOnce:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.write_line(f"\n{report.nodeid}\n{report.longreprtext}")


@pytest.fixture(scope="session", autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail at the end if a process that the suite started, at whatever remove, is still there."""
    mark = uuid.uuid4().hex
    os.environ[MARK] = mark
    yield
    until = time.monotonic() + GRACE
    while (left := _marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    told = [f"{process.pid} {' '.join(process.info['cmdline'] or ())[:120]}" for process in left]
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
    assert not told, "the suite left processes behind: " + "; ".join(told)


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        if process.pid == os.getpid() or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if process.environ().get(MARK) == mark or process.ppid() == os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """A directory with a short path (a socket's may have 100 bytes), gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="rwk-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def machines_state(run_directory: Path) -> Iterator[Path]:
    """The state directory of all labs whose machines are not ours; what was made for them is destroyed at the end."""
    state = Path(KEPT) if KEPT else run_directory / "machines"
    yield state
    if not KEPT and (state / "lab").exists():
        asyncio.run(_destroy_machines(state))


async def _destroy_machines(state: Path) -> None:
    from rwk_tui.lab.open import open_lab

    lab = open_lab(remote_settings(state), {})
    await asyncio.gather(*(machine.destroy() for machine in lab.machines.values()))
    await lab.leave()


@pytest.fixture
def state(run_directory: Path) -> Path:
    """A state directory of this test's own; it does not exist yet."""
    return run_directory / uuid.uuid4().hex[:8]


@pytest.fixture
def subnet() -> Iterator[int]:
    """The number of a subnet that no other test on this machine uses now."""
    with free_subnet() as number:
        yield number


@pytest.fixture
def settings(state: Path, subnet: int, engine_settings: Settings) -> Iterator[Settings]:
    """Settings of a lab of this test's own, on the engines that make promises about integrity.

    A test that fails may leave a daemon: it is ended before the subnet goes to another test.
    """
    yield Settings(
        state=state, engine_cache=engine_settings.engine_cache, engines=engine_settings.engines, subnet=subnet
    )
    end_processes_of(state)


@pytest.fixture(scope="session")
def engine_settings() -> Settings:
    """Where the engines of this run come from: RWK_ENGINES, else the engine cache."""
    return load_settings(config=Path(os.devnull))


@pytest.fixture(scope="session")
def engines(engine_settings: Settings) -> dict[str, Engine]:
    """etcd, etcdctl and etcdutl, 3.6 or newer: fails where there are none, since a skipped promise is none."""
    try:
        found = find_engines(ETCD_PROGRAMS, engine_settings)
    except EngineError as error:
        pytest.fail(f"{error} (or set RWK_ENGINES)")
    for engine in found.values():
        if engine.source not in ("given", "cache") or parse_version(engine.version) < (3, 6, 0):
            pytest.fail(
                f"{engine.path} is {engine.version} from {engine.source}; the tests need 3.6 or newer: "
                "`rwk-tui engines install etcd`, or set RWK_ENGINES"
            )
    return found


@pytest.fixture(scope="session")
def kube_engines(engine_settings: Settings) -> EngineSet:
    """Everything that is pinned, each minor of etcd and Kubernetes and kwok: fails where one is missing."""
    try:
        found = find_set(engine_settings)
    except EngineError as error:
        pytest.fail(f"{error} (or set RWK_ENGINES)")
    if found.missing:
        every = "; ".join(dict.fromkeys(found.missing.values()))
        pytest.fail(f"the tests need every engine that is pinned: {every} (or set RWK_ENGINES)")
    return found


@pytest.fixture(scope="session")
def programs(engines: dict[str, Engine]) -> dict[str, Path]:
    """The same as paths, the way a lab takes them."""
    return {name: engine.path for name, engine in engines.items()}


@pytest.fixture(scope="session")
def wheel_engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """The old etcd of the wheel, with which a fresh machine starts: it must work, its integrity is not promised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        empty = tmp_path_factory.mktemp("empty-cache")
        try:
            return find_engines(ETCD_PROGRAMS, Settings(state=empty, engine_cache=empty))
        except EngineError as error:
            pytest.fail(str(error))
