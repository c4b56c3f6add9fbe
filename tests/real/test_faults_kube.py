"""Faults of the control plane and of nodes on a real Kubernetes: each is seen, healed, and proved."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from functools import partial

import pytest_asyncio
from support.faults_real import felt, report, strike
from support.story_kube import ONE_KUBERNETES, run, until
from support.story_real import Rig

from rwk_tui.board.board import Board
from rwk_tui.board.kube_rows import DeploymentRow, KubeRow, LeaseRow, NodeRow, PodRow
from rwk_tui.board.rows import FaultRow, QuorumRow, UnitRow
from rwk_tui.cluster.kubernetes.timings import FAST
from rwk_tui.faults.base import unit_of

pytestmark = ONE_KUBERNETES

PODS = 4
SPREAD = {"core-02": 2, "core-03": 2}
"""Where those are when nothing is broken."""
WELL_AGAIN = 20.0
"""Seconds that the lab has after a test to be well by itself."""


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_rig: Rig) -> Rig:
    """Two control planes, two workers, a deployment of four pods and nothing broken: as it is, or else built anew."""
    lab = shared_rig
    if not lab.story.chapter or not await lab.context.hub.wait(is_well, WELL_AGAIN):
        await lab.director.open("fault:kill-api-server")
        await lab.director.settled()
        assert lab.story.error == ""
        await until(lab, is_well)
    elif placed(lab.context.hub.board) != SPREAD:
        for replicas in (0, PODS):
            ran = await run(lab.context.lab.desk, "kubectl", "scale", "deployment", "web", f"--replicas={replicas}")
            assert ran.exit_code == 0, ran
            await until(lab, partial(has_pods, replicas))
        await until(lab, is_well)
    lab.context.hub.board.output.clear()
    return lab


def is_well(board: Board) -> bool:
    """Whether nothing is missing anywhere: what must be so before and after each fault."""
    kube, quorum = board.get(KubeRow, "kube"), board.get(QuorumRow, "quorum")
    return (
        kube is not None
        and (kube.state, kube.fresh) == ("ready", True)
        and quorum is not None
        and quorum.state == "healthy"
        and not board.rows(FaultRow)
        and all(row.state == "running" for row in board.rows(UnitRow))
        and all(row.state == "ready" and row.schedulable for row in board.rows(NodeRow))
        and [(row.ready, row.wanted) for row in board.rows(DeploymentRow)] == [(PODS, PODS)]
        and len([row for row in board.rows(LeaseRow) if row.holder]) == 2
    )


def ready_pods(board: Board, *nodes: str) -> int:
    """How many of the deployment's pods are ready on these nodes, or on any."""
    pods = (row for row in board.rows(PodRow) if row.owner == "web" and (not nodes or row.node in nodes))
    return len([row for row in pods if row.ready and row.state == "running"])


def has_pods(number: int, board: Board) -> bool:
    return sum(placed(board).values()) == number


def placed(board: Board) -> Counter[str]:
    """How many of the deployment's pods each node has."""
    return Counter(row.node for row in board.rows(PodRow) if row.owner == "web")


async def test_who_holds_a_lease_is_killed_and_the_other_one_takes_it_when_it_has_run_out(stage: Rig) -> None:
    for unit in ("kube-controller-manager", "kube-scheduler"):
        row = stage.context.hub.board.get(LeaseRow, f"lease/{unit}")
        assert row is not None
        holder = row.machine
        struck = await strike(stage.context.hub, stage.faults, "kill-lease-holder", f"{holder}/{unit}")
        (takeover,) = [one for one in struck.card.takeovers if one.lease == unit]
        assert takeover.machine != holder
        assert struck.effect.startswith(f"{takeover.machine} took the lease {unit} after ")
        # It was renewed at most a retry before the kill, and may not be taken before it has run out.
        assert takeover.ms >= (FAST.lease - FAST.retry - 0.5) * 1000, report(stage.context.hub)
        assert {one.name: one.holds for one in struck.card.invariants}["each lease has one holder"] is True
        await until(stage, is_well)


async def test_an_api_server_is_killed_the_other_serves_and_controllers_beside_it_come_back(stage: Rig) -> None:
    row = stage.context.hub.board.get(LeaseRow, "lease/kube-scheduler")
    assert row is not None
    victim = row.machine

    def gave_up(board: Board) -> bool:
        beside = board.get(UnitRow, f"unit/{victim}/kube-scheduler")
        return beside is not None and beside.state == "failed"

    struck = await strike(
        stage.context.hub, stage.faults, "kill-api-server", f"{victim}/kube-apiserver", lasts_until=gave_up
    )
    assert re.fullmatch(rf"the API server of {victim} is down, that of core-0\d serves", struck.effect)
    assert felt(struck.card) == [], report(stage.context.hub)
    await until(stage, is_well)


async def test_a_crowd_is_turned_away_and_nobody_else_notices(stage: Rig) -> None:
    def goes_on(board: Board) -> bool:
        return sum(line.text.startswith("{") for line in board.output) >= 4

    struck = await strike(stage.context.hub, stage.faults, "overload", lasts_until=goes_on)
    found = re.fullmatch(r"(\d+) requests of the crowd turned away \(429\), (\d+) answered", struck.effect)
    assert found is not None, struck.effect
    assert int(found[1]) > int(found[2]) > 0, "it is let in, but not all of it"
    assert felt(struck.card) == [], f"the API canary felt it\n{report(stage.context.hub)}"
    assert not any('"403"' in line.text or '"401"' in line.text for line in stage.context.hub.board.output)
    for kind in ("flowschema", "prioritylevelconfiguration", "clusterrolebinding"):
        ran = await run(stage.context.lab.desk, "kubectl", "get", kind, "rwk-crowd", "--ignore-not-found", "-o", "name")
        assert (ran.exit_code, ran.stdout) == (0, ""), ran
    await until(stage, is_well)


async def test_a_kubelet_is_killed_its_pods_are_made_anew_and_it_comes_back(stage: Rig) -> None:
    def moved(board: Board) -> bool:
        return ready_pods(board, "core-02") == PODS

    assert placed(stage.context.hub.board) == SPREAD
    struck = await strike(stage.context.hub, stage.faults, "kill-kubelet", "core-03/kubelet", lasts_until=moved)
    assert unit_of(struck.target) == "kubelet"
    assert struck.effect == "core-03 is NotReady"
    assert struck.seen_s >= FAST.grace - FAST.node_lease / 4 - 1
    assert struck.card.pods_replaced == 2, report(stage.context.hub)
    await until(stage, is_well)

    struck = await strike(stage.context.hub, stage.faults, "kill-kubelet", "core-02/kubelet")
    assert struck.effect == "core-02 is NotReady"
    await until(stage, is_well)


async def test_a_drain_is_refused_for_the_budget_s_sake_until_that_is_loosened(stage: Rig) -> None:
    hub, fewest = stage.context.hub, PODS
    healing = False

    def watch(board: Board) -> bool:
        """Never true: it looks at each change."""
        nonlocal fewest
        if not healing:
            fewest = min(fewest, ready_pods(board))
        return False

    watching = asyncio.create_task(hub.wait(watch, 300.0))

    def refused_again(board: Board) -> bool:
        nonlocal healing
        healing = sum("disruption budget" in line.text for line in board.output) >= 4
        return healing

    struck = await strike(hub, stage.faults, "drain", "core-02", lasts_until=refused_again)
    watching.cancel()
    assert re.match(r"core-02 is cordoned, and an eviction was refused (once|twice|\d+ times) for", struck.effect)
    assert fewest == PODS, "the budget was not kept"
    assert struck.card.pods_replaced == 2
    assert [row.node for row in hub.board.rows(PodRow) if row.owner == "web"] == ["core-03"] * PODS
    ran = await run(stage.context.lab.desk, "kubectl", "get", "poddisruptionbudgets", "--all-namespaces", "-o", "name")
    assert (ran.exit_code, ran.stdout) == (0, ""), ran
    await until(stage, is_well)
