"""A hundred nodes and thousands of pods on an API server: one kwok process plays every node's kubelet."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from kube_tools import kubectl
from lab import Driver

from rwk_tui.board.rows import LabRow
from rwk_tui.cluster.access import Access
from rwk_tui.cluster.kubernetes.kwok import stages
from rwk_tui.engines.sets import EngineSet
from rwk_tui.watch.kube.api import KubeApi
from rwk_tui.watch.kube.refusals import KubeError

LABEL = "crowd"
PODS = "/api/v1/namespaces/default/pods"
AT_ONCE = 8
"""Requests that are under way at the same time."""


@contextlib.contextmanager
def kubelets(
    state: Path, engines: EngineSet, environment: Mapping[str, str], lease: int, place: str
) -> Iterator[subprocess.Popen[bytes]]:
    """kwok for every node with our label, whose leases hold for `lease` seconds; it ends with the block."""
    config = state / "crowd.yaml"
    config.write_bytes(stages(engines.versions["kubernetes"], engines.versions["kwok"]))
    argv = [
        str(engines.programs["kwok"]),
        f"--kubeconfig={environment['KUBECONFIG']}",
        f"--config={config}",
        f"--manage-nodes-with-label-selector={LABEL}=yes",
        f"--node-lease-duration-seconds={lease}",
        f"--server-address={place}",
        "--cidr=10.64.0.0/16",
    ]
    with (state / "crowd.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def nodes(count: int) -> bytes:
    """That many nodes, as a person would write them."""

    def one(number: int) -> dict[str, object]:
        name = f"crowd-{number:03}"
        labels = {LABEL: "yes", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}

    return yaml.safe_dump_all([one(number) for number in range(count)]).encode()


def pod(number: int, of: int, round: int = 0) -> dict[str, object]:
    """A pod that somebody has already given a node, so that the scheduler's pace does not matter; a tenth is to go."""
    labels = {LABEL: f"goes-{round}" if number % 10 == 0 else "stays"}
    spec = {
        "nodeName": f"crowd-{number % of:03}",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "one", "image": "one"}],
    }
    metadata = {"name": f"crowd-{number}-{round}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


async def make_pods(api: KubeApi, numbers: range, of: int, round: int = 0) -> None:
    """Create them, some at a time. SystemExit with what the API said last."""
    left = iter(numbers)

    async def some() -> None:
        for number in left:
            for patience in (0.5, 1.0, 2.0, 0.0):
                try:
                    await api.create(PODS, pod(number, of, round), timeout=20)
                    break
                except KubeError as error:
                    if not patience or "already exists" in str(error):
                        raise SystemExit(f"pod {number} can't be made: {error}") from None
                    await asyncio.sleep(patience)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


def client(driver: Driver, state: Path) -> KubeApi:
    """The presenter's way into the lab's API."""
    row = driver.board.get(LabRow, "lab")
    assert row is not None
    config = yaml.safe_load(Path(dict(row.variables)["KUBECONFIG"]).read_text())
    host, _, port = config["clusters"][0]["cluster"]["server"].removeprefix("https://").partition(":")
    pki = state / "pki" / "kubernetes"
    return KubeApi(host, int(port), Access(ca=pki / "ca.crt", cert=pki / "admin.crt", key=pki / "admin.key"))


async def join(driver: Driver, count: int) -> None:
    """Register the nodes."""
    await kubectl(driver, "create", "-f", "-", given=nodes(count), within=120)


async def churn(driver: Driver, api: KubeApi, pods: int, of: int, round: int) -> None:
    """A tenth of the pods is deleted by kubectl, and as many come anew."""
    gone = kubectl(driver, "delete", "pods", "-l", f"{LABEL}=goes-{round - 1}", "--wait=false", "--now", within=120)
    await asyncio.gather(gone, make_pods(api, range(0, pods, 10), of, round))
