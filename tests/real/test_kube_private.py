"""A lab with Kubernetes keeps to this computer and to its user, and leaves nothing behind."""

from __future__ import annotations

import ipaddress
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.story_kube import opened, pods_run, run, until
from support.story_real import rig

from rwk_tui.engines.sets import EngineSet
from rwk_tui.lab.host import procs
from rwk_tui.lab.host.address import Address
from rwk_tui.lab.host.record import LAB_VARIABLE

pytestmark = [pytest.mark.real, pytest.mark.kubernetes, pytest.mark.slow, pytest.mark.timeout(600)]

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
CHECKOUT = Path(__file__).parents[2]
ENGINES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
PORTS = {2379, 2380, 6443, 6444, 10250, 10257, 10259}
"""Of every kind of unit, and of the balancers."""


def processes_of(lab: Path) -> Iterator[psutil.Process]:
    """Everything that the lab started, at whatever remove."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(LAB_VARIABLE) == str(lab) and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
        if ours:
            yield process


def listeners(processes: list[psutil.Process]) -> tuple[dict[Address, str], list[str]]:
    """Where they listen, and what of UDP waits for whoever comes."""
    tcp: dict[Address, str] = {}
    udp: list[str] = []
    for process in processes:
        for entry in process.net_connections("tcp"):
            if entry.status == psutil.CONN_LISTEN:
                tcp[Address(entry.laddr.ip, entry.laddr.port)] = process.name()
        udp += [f"{process.name()} {entry.laddr}" for entry in process.net_connections("udp") if not entry.raddr]
    return tcp, udp


def modes(paths: Iterator[Path]) -> dict[str, int]:
    return {str(path): path.stat().st_mode & 0o777 for path in paths}


def kubectl_homes() -> list[tuple[str, int]]:
    """What kubectl would write beside the user's own things."""
    places = (CHECKOUT / ".kube", CHECKOUT / "tests" / ".kube", Path.home() / ".kube")
    found = (path for place in places if place.exists() for path in (place, *place.rglob("*")))
    return sorted((str(path), path.stat().st_mtime_ns) for path in found)


def scratch(since: float) -> set[str]:
    """Files of engines in the system's directory for such."""
    words = ("etcd", "kube", "kwok", "apiserver", "rwk-story-")
    entries = os.scandir(tempfile.gettempdir())
    return {one.path for one in entries if one.name.startswith(words) and one.stat().st_ctime >= since}


@pytest.fixture
def own_scratch(run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory for temporary files that no other test writes to meanwhile."""
    directory = tempfile.mkdtemp(dir=run_directory)
    monkeypatch.setenv("TMPDIR", directory)
    monkeypatch.setattr(tempfile, "tempdir", directory)


@pytest.mark.usefixtures("own_scratch")
async def test_nothing_is_open_to_others_and_nothing_is_left(subnet: int, kube_engines: EngineSet) -> None:
    homes, began = kubectl_homes(), time.time()
    async with rig(kube_engines, subnet, fast=True) as stage:
        await opened(stage, "14-ha-control-plane")
        await until(stage, pods_run(6))
        state = stage.context.settings.state
        ran = await run(stage.context.lab.desk, "kubectl", "get", "pods")
        assert ran.exit_code == 0, ran.stderr
        ran = await run(stage.context.lab.machines["core-03"], "kubectl", "version", "--client")
        assert ran.exit_code == 0, ran.stderr

        processes = list(processes_of(state / "lab"))
        assert {process.name()[:15] for process in processes} >= {name[:15] for name in ENGINES}
        tcp, udp = listeners([*processes, psutil.Process()])
        assert {address.port for address in tcp} >= PORTS
        assert [f"{who} at {a}" for a, who in tcp.items() if ipaddress.ip_address(a.host) not in LOOPBACK] == []
        assert udp == []

        assert modes(iter([state, state / "lab", state / "pki"])) == dict.fromkeys(
            [str(state), str(state / "lab"), str(state / "pki")], 0o700
        )
        pki = [path for place in state.rglob("pki") for path in (place, *place.rglob("*")) if path.is_dir()]
        assert len(pki) > 3 * 3, "the presenter's and those of three machines"
        assert set(modes(iter(pki)).values()) == {0o700}
        secret = [*state.rglob("*.key"), *state.rglob("*.conf")]
        named = {path.name for path in secret}
        assert {"ca.key", "apiserver.key", "kubelet.conf", "admin.conf", "service-accounts.key"} <= named
        assert {name for name, mode in modes(iter(secret)).items() if mode != 0o600} == set()
        assert (state / "lab" / "desk" / ".kube").is_dir(), "kubectl keeps its cache where its home is"

        await stage.director.close()
        await stage.context.lab.down()
        assert list(processes_of(state / "lab")) == []
        assert [str(address) for address in tcp if not procs.is_free(address)] == []
    assert not state.exists()
    assert kubectl_homes() == homes
    assert scratch(began) == set()
