"""The chapters of Kubernetes on machines that are not ours: real kubelets, real containers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.images import PORT, make_images
from support.lab import output
from support.remote_story import chapters, played

from rwk_tui.board.kube_rows import NodeRow
from rwk_tui.engines.sets import EngineSet
from rwk_tui.lab.protocol import Place
from rwk_tui.settings import Settings

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(2400)]

GET = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode().strip())"
EACH_POD = (
    r"""jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIP}{"\n"}{end}"""  # as kubectl wants it
)


@pytest.fixture(scope="session")
def images(run_directory: Path) -> Path:
    """What the pods of the chapters run, made here: nothing is fetched."""
    made = make_images(run_directory / "images")
    assert made is not None, "there is no static busybox to make images of: install busybox-static"
    return made


@pytest.fixture
def kubelet_settings(machine_settings: Settings, images: Path) -> Settings:
    return dataclasses.replace(machine_settings, images=images)


async def says(place: Place, *argv: str) -> list[str]:
    """The lines that a command prints."""
    code, out, err = await output(await place.run(argv))
    assert code == 0, err
    return out


@pytest.mark.parametrize("chapter", [name for name in chapters(*range(8, 17)) if "-workers" not in name])
async def test_a_chapter_of_kubernetes_passes(
    chapter: str, kubelet_settings: Settings, kube_engines: EngineSet
) -> None:
    async with played(chapter, kubelet_settings, kube_engines):
        pass


async def test_the_chapter_of_workers_leaves_pods_that_answer_across_machines(
    kubelet_settings: Settings, kube_engines: EngineSet
) -> None:
    async with played("11-workers", kubelet_settings, kube_engines) as stage:
        lab, board = stage.context.lab, stage.context.hub.board
        runtimes = {row.name: row.runtime.partition(" ")[0] for row in board.rows(NodeRow)}
        assert runtimes == {"core-02": "containerd", "core-03": "containerd"}
        pods = [line.split() for line in await says(lab.desk, "kubectl", "get", "pods", "--output", EACH_POD)]
        assert {node for _, node, _ in pods} == {"core-02", "core-03"}
        for name, node, address in pods:
            other = {"core-02": "core-03", "core-03": "core-02"}[node]
            url = f"http://{address}:{PORT}/"
            assert await says(lab.machines[other], "python3", "-c", GET, url) == [f"hello from {name}"]
