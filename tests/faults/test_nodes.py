"""Faults of nodes: what they aim at, what they see on the board, and how a drain begins and ends."""

from __future__ import annotations

import asyncio

import pytest
from support.faults_kube import NOW, Stage, at_desk

from rwk_tui.board.kube_rows import DeploymentRow
from rwk_tui.faults import drain
from rwk_tui.faults.kinds import KINDS
from rwk_tui.lab.protocol import LabError


async def test_a_kubelet_shows_by_its_node_and_is_well_when_no_pod_is_missing(stage: Stage) -> None:
    kind, target = KINDS["kill-kubelet"], "core-03/kubelet"
    assert kind.targets(stage.board) == ("core-02/kubelet", "core-03/kubelet")
    assert await stage.sees("kill-kubelet", target) == ""
    stage.node("core-03", "unknown")
    assert await stage.sees("kill-kubelet", target) == "core-03 is NotReady"
    assert kind.targets(stage.board) == ("core-02/kubelet",)
    assert not kind.holds(stage.board, target)
    stage.node("core-03")
    stage.deployment(2)
    assert not kind.holds(stage.board, target)
    stage.deployment(4)
    assert kind.holds(stage.board, target)


def test_a_node_with_pods_that_can_go_elsewhere_is_drained(stage: Stage) -> None:
    kind = KINDS["drain"]
    assert kind.targets(stage.board) == ("core-02", "core-03")
    for number in (1, 3):
        stage.hub.retract(f"pod/default/web-{number}")
    assert kind.targets(stage.board) == ("core-02",), "core-03 has no pods"
    stage.pod("lonely", "core-03", owner="")
    assert kind.targets(stage.board) == ("core-02",), "nobody would make that pod anew"
    stage.node("core-03", schedulable=False)
    assert kind.targets(stage.board) == (), "there is no other node to go to"


def test_the_budget_is_for_the_deployment_with_most_pods_there(stage: Stage) -> None:
    stage.hub.publish(DeploymentRow(seen_at=NOW, namespace="default", name="api", wanted=1, ready=1))
    stage.pod("api-1", "core-02", owner="api")
    row = drain.deployment_on(stage.board, "core-02")
    assert row is not None and row.name == "web"
    assert drain.deployment_on(stage.board, "core-01") is None
    document = drain.budget("core-02", row, {"minAvailable": 4})
    assert document["metadata"] == {"name": "rwk-drain-core-02", "namespace": "default"}
    assert document["spec"] == {"minAvailable": 4, "selector": {"matchLabels": {"app": "web"}}}


async def test_a_drain_shows_when_an_eviction_is_refused(stage: Stage) -> None:
    said = 'error when evicting pods/"web-1": Cannot evict pod as it would violate the pod\'s disruption budget.'
    stage.node("core-03", schedulable=False)
    stage.printed(KINDS["drain"].title, said, at=NOW - 1)
    assert await stage.sees("drain", "core-03") == "", "that was another drain"
    stage.printed(KINDS["drain"].title, said)
    words = "core-03 is cordoned, and an eviction was refused once for the budget's sake"
    assert await stage.sees("drain", "core-03") == words
    kind = KINDS["drain"]
    assert not kind.holds(stage.board, "core-03")
    assert kind.persists(stage.board, "core-03")
    stage.node("core-03")
    assert kind.holds(stage.board, "core-03")
    assert not kind.persists(stage.board, "core-03")
    assert kind.persists(stage.board, "core-09"), "what is not known yet may well be so"


async def test_a_drain_brings_a_budget_and_takes_it_away_in_the_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, kind, case = at_desk(stage, monkeypatch), KINDS["drain"], stage.case("core-03")
    await kind.inject(case)
    await kind.keep_up(case)
    assert desk.asked == [
        "apply -f budget-core-03.yaml",
        "cordon core-03",
        "drain core-03 --ignore-daemonsets --delete-emptydir-data",
    ]
    budget = stage.ground.settings.state / "objects" / "budget-core-03.yaml"
    assert "minAvailable: 4" in budget.read_text()
    desk.asked.clear()
    await kind.heal(case, ())
    assert desk.asked == [
        "apply -f budget-core-03.yaml",
        "drain core-03 --ignore-daemonsets --delete-emptydir-data",
        "delete --ignore-not-found -f budget-core-03.yaml",
        "uncordon core-03",
    ]
    assert not budget.exists()
    desk.asked.clear()
    for number in (1, 3):
        stage.hub.retract(f"pod/default/web-{number}")
    await kind.heal(case, ())
    assert desk.asked == ["uncordon core-03"], "no pod is left there, and no budget"


async def test_the_budget_is_taken_away_where_the_node_can_t_be_cordoned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_desk(stage, monkeypatch, fails="cordon")
    with pytest.raises(LabError, match="Error from server: no"):
        await KINDS["drain"].inject(stage.case("core-03"))
    assert desk.asked[-1] == "delete --ignore-not-found -f budget-core-03.yaml"


async def test_a_drain_that_gives_up_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "AGAIN", 0.01)
    desk = at_desk(stage, monkeypatch, fails="drain")
    work = asyncio.create_task(KINDS["drain"].keep_up(stage.case("core-03")))
    async with asyncio.timeout(5):
        while len(desk.asked) < 3:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    desk.fails = ""
    await asyncio.wait_for(work, 5)
