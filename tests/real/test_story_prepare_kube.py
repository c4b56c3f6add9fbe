"""Preparing to the end of a chapter with Kubernetes gives the same as playing it."""

from __future__ import annotations

import pytest
from support.story_kube import opened, pods_run, report, until
from support.story_real import Rig, rig

from rwk_tui.board.kube_rows import PodRow
from rwk_tui.engines.sets import EngineSet
from rwk_tui.story.look import Look

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.kubernetes, pytest.mark.timeout(600)]

CHAPTER = "11-workers"
PODS = 16


async def picture(stage: Rig) -> dict[str, object]:
    """All of the lab that the chapter cares about; names of pods, IDs, pids and times are left out."""
    seen: dict[str, object] = {}
    for name, machine in stage.context.lab.machines.items():
        status = await machine.status()
        seen[name] = (status.power, {unit: (one.state, one.spec) for unit, one in status.units.items()})
    async with Look(stage.context) as look:
        cluster = await look.cluster()
        seen["members"] = sorted((m.name, m.learner, m.peer_urls, m.client_urls) for m in cluster.members)
        seen["leader"] = cluster.leader()
    api = stage.context.watcher.kube_api()
    assert api is not None
    seen["nodes"] = [(row.name, row.state, row.version, row.taints, row.schedulable) for row in await api.nodes()]
    seen["deployments"] = [(row.name, row.wanted, row.ready) for row in await api.deployments("default")]
    pods = [row for row in await api.pods("default") if row.state != "terminating"]
    seen["pods"] = sorted((row.owner, row.node, row.state) for row in pods)
    for name in ("kube-controller-manager", "kube-scheduler"):
        lease = await api.lease(name)
        seen[f"lease {name}"] = lease and lease.machine
    seen["statuses"] = [step.status for step in stage.story.steps]
    seen["step"] = stage.story.step
    return seen


async def test_preparing_to_the_end_equals_playing(subnet: int, kube_engines: EngineSet) -> None:
    async with rig(kube_engines, subnet, fast=True) as stage:
        story = await stage.play(CHAPTER)
        assert story.error == "", report(stage)
        assert {step.status for step in story.steps} == {"passed"}, report(stage)
        assert all(step.commands for step in story.steps), report(stage)
        played = await picture(stage)
        before = {row.uid for row in stage.context.hub.board.rows(PodRow)}
        await opened(stage, CHAPTER, len(stage.story.steps))
        await until(stage, pods_run(PODS))
        assert not before & {row.uid for row in stage.context.hub.board.rows(PodRow)}, "it was built anew"
        assert await picture(stage) == played
