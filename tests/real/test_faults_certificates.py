"""Certificates that the others refuse, on a real secured cluster: seen in their words, mended without a restart."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.faults_real import felt, report, strike
from support.remote_lab import BUSY
from support.story_real import Rig, rig

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultKindRow, MemberRow, QuorumRow, UnitRow

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.fixture
async def stage(subnet: int, programs: dict[str, Path]) -> AsyncIterator[Rig]:
    """Three members that ask for certificates, everything well."""
    async with rig(programs["etcd"].parent, subnet) as made:
        made.faults.kinds()
        await made.director.open("lab:secured")
        await made.director.settled()
        assert made.story.error == ""
        await is_whole(made)
        yield made


def healthy(board: Board) -> bool:
    quorum = board.get(QuorumRow, "quorum")
    return quorum is not None and (quorum.state, quorum.voters, quorum.reachable) == ("healthy", 3, 3)


async def is_whole(stage: Rig) -> None:
    hub = stage.context.hub
    assert await hub.wait(healthy, 40.0 * BUSY), report(hub)


def pid(stage: Rig, target: str) -> int:
    row = stage.context.hub.board.get(UnitRow, f"unit/{target}")
    assert row is not None and row.state == "running"
    return row.pid


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired-certificate", "x509: certificate has expired or is not yet valid"),
        ("foreign-certificate", "x509: certificate signed by unknown authority"),
    ],
    ids=["expired", "foreign"],
)
async def test_a_member_is_refused_by_everyone_and_let_in_again_without_a_restart(
    stage: Rig, fault: str, words: str
) -> None:
    hub = stage.context.hub
    for role in ("follower", "leader"):
        name = next(row.machine for row in hub.board.rows(MemberRow) if row.role == role)
        target = f"{name}/etcd"
        pids: list[int] = []

        def is_out(board: Board, target: str = target, name: str = name, pids: list[int] = pids) -> bool:
            row = next(row for row in board.rows(MemberRow) if row.machine == name)
            if row.why.startswith("no TLS with") and row.health == "down":
                pids.append(pid(stage, target))
                return True
            return False

        struck = await strike(hub, stage.faults, fault, target, lasts_until=is_out)
        assert re.match(rf"{name} is down; core-0\d says: {words}", struck.effect), struck.effect
        assert felt(struck.card) == [], "the other two go on"
        await is_whole(stage)
        assert pid(stage, target) == pids[-1], "certificates are read for each connection"


async def test_where_nobody_asks_for_certificates_they_are_not_offered(subnet: int, programs: dict[str, Path]) -> None:
    async with rig(programs["etcd"].parent, subnet) as made:
        made.faults.kinds()
        await made.director.open("lab:etcd")
        await made.director.settled()
        await is_whole(made)
        kind = made.context.hub.board.get(FaultKindRow, "fault-kind/expired-certificate")
        assert kind is not None and kind.targets == () and kind.why != ""
