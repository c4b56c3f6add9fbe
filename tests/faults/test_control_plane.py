"""Faults of the control plane: what they aim at, what they see on the board, and what they call well."""

from __future__ import annotations

import pytest
from support.faults_kube import API, KCM, NOW, SCHEDULER, Stage, at_desk

from rwk_tui.board.kube_rows import ApiServerRow
from rwk_tui.faults.kinds import KINDS
from rwk_tui.lab.protocol import LabError


def test_who_holds_a_lease_is_aimed_at(stage: Stage) -> None:
    kind = KINDS["kill-lease-holder"]
    assert kind.targets(stage.board) == (f"core-01/{KCM}", f"core-01/{SCHEDULER}")
    stage.lease(SCHEDULER, "core-02")
    assert kind.targets(stage.board) == (f"core-01/{KCM}", f"core-02/{SCHEDULER}")
    stage.unit("core-01", KCM, "failed")
    assert kind.targets(stage.board) == (f"core-02/{SCHEDULER}",)
    assert kind.of_leader("core-01") == ""


async def test_a_lease_that_moved_shows_and_not_before(stage: Stage) -> None:
    target = f"core-01/{KCM}"
    stage.unit("core-01", KCM, "failed", "killed by SIGKILL")
    stage.at = NOW + 20
    assert await stage.sees("kill-lease-holder", target) == "", "the other one has not taken it yet"
    stage.lease(KCM, "core-02", since=NOW + 16.5)
    assert (
        await stage.sees("kill-lease-holder", target) == "core-02 took the lease kube-controller-manager after 16.5 s"
    )


async def test_where_there_is_no_other_the_lease_runs_out(stage: Stage) -> None:
    stage.unit("core-01", KCM, "failed", "killed by SIGKILL")
    stage.unit("core-02", KCM, "stopped")
    stage.at = NOW + 14
    assert await stage.sees("kill-lease-holder", f"core-01/{KCM}") == ""
    stage.at = NOW + 16
    words = "the lease kube-controller-manager ran out, and nobody takes it"
    assert await stage.sees("kill-lease-holder", f"core-01/{KCM}") == words


def test_a_lease_holder_is_well_when_somebody_holds_the_lease(stage: Stage) -> None:
    kind, target = KINDS["kill-lease-holder"], f"core-01/{KCM}"
    assert kind.holds(stage.board, target)
    stage.at = NOW + 16
    stage.unit("core-01", KCM)
    assert not kind.holds(stage.board, target), "the lease ran out"
    stage.lease(KCM, "core-02", renewed=NOW + 16)
    assert kind.holds(stage.board, target)
    stage.unit("core-02", KCM, "failed")
    assert not kind.holds(stage.board, target), "it is held by a dead one"


async def test_an_api_server_is_killed_and_the_other_one_serves(stage: Stage) -> None:
    kind, target = KINDS["kill-api-server"], f"core-01/{API}"
    assert kind.targets(stage.board) == (target, f"core-02/{API}")
    assert await stage.sees("kill-api-server", target) == ""
    stage.unit("core-01", API, "failed")
    assert await stage.sees("kill-api-server", target) == "", "no probe has noticed yet"
    stage.hub.publish(ApiServerRow(seen_at=NOW, machine="core-01", state="down", since=NOW))
    assert await stage.sees("kill-api-server", target) == "the API server of core-01 is down, that of core-02 serves"
    stage.kube("unreachable", fresh=False)
    assert await stage.sees("kill-api-server", target) == "", "nobody is led to the other one yet"
    stage.hub.publish(ApiServerRow(seen_at=NOW, machine="core-02", state="down", since=NOW))
    assert await stage.sees("kill-api-server", target) == "the API server of core-01 is down, and there is no other"


def test_an_api_server_is_well_with_whoever_works_through_it(stage: Stage) -> None:
    kind, target = KINDS["kill-api-server"], f"core-01/{API}"
    assert kind.holds(stage.board, target)
    stage.unit("core-01", SCHEDULER, "failed", "exit code 1")
    assert not kind.holds(stage.board, target)
    stage.unit("core-01", SCHEDULER, "stopped")
    assert kind.holds(stage.board, target), "it was stopped on purpose"
    stage.hub.publish(ApiServerRow(seen_at=NOW, machine="core-01", state="unready", since=NOW))
    assert not kind.holds(stage.board, target)


async def test_the_crowd_shows_once_enough_of_it_was_turned_away(stage: Stage) -> None:
    kind = KINDS["overload"]
    assert kind.targets(stage.board) == ("all",)
    step = kind.title
    stage.printed(step, '{"200": 9, "429": 500}', at=NOW - 1, stream="out")
    stage.printed(step, "flowschema.flowcontrol.apiserver.k8s.io/rwk-crowd created", stream="out")
    stage.printed(step, '{"200": 18, "429": 15}', stream="out")
    assert await stage.sees("overload", "all") == ""
    stage.printed("Another step", '{"429": 1000}', stream="out")
    stage.printed(step, '{"200": 20, "429": 60}', stream="out")
    assert await stage.sees("overload", "all") == "75 requests of the crowd turned away (429), 38 answered"
    stage.kube("unready")
    assert kind.targets(stage.board) == ()


async def test_what_the_crowd_was_given_is_taken_away_where_it_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_desk(stage, monkeypatch, fails="apply")
    with pytest.raises(LabError, match="Error from server: no"):
        await KINDS["overload"].inject(stage.case("all"))
    assert desk.asked == ["apply -f rwk-crowd.yaml", "delete --ignore-not-found -f rwk-crowd.yaml"]
