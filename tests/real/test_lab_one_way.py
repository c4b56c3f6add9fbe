"""A leader that is cut in one direction only: one that is mute is replaced, one that is deaf first has to notice."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.lab import eventually, local_settings
from support.lab_etcd import engines, etcdctl, start_three, until_leader

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import Machine

pytestmark = pytest.mark.real
ELECTION = 1.0
"""Seconds without a sign of life of its leader after which a follower may stand for election."""


@dataclass(frozen=True)
class View:
    """What one member says: its own number, its leader's (0 for none) and the term; all 0 where it says nothing."""

    member: int = 0
    leader: int = 0
    term: int = 0


@pytest.fixture
async def lab(tmp_path: Path, subnet: int) -> AsyncIterator[LocalLab]:
    opened = LocalLab(local_settings(tmp_path, subnet=subnet), engines())
    try:
        await opened.up()
        await start_three(opened)
        yield opened
    finally:
        await opened.down()


async def test_a_mute_leader_is_replaced(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    old = lab.machines[await until_leader(*everyone)]
    others = [machine for machine in everyone if machine is not old]
    before = await _view(old)
    cut_at = time.monotonic()
    for other in others:
        await lab.link(old.name, other.name).cut()
    await _agree(others, other_than=before.leader)
    print(f"mute: another leader after {time.monotonic() - cut_at:.2f} s")
    assert (await etcdctl(others[0], "put", "k", "majority", at=(others[0],)))[0] == 0
    assert (await etcdctl(old, "put", "k", "minority"))[0] != 0
    await _heals(lab)


async def test_a_deaf_leader_keeps_the_others_quiet_until_it_lets_go(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    old = lab.machines[await until_leader(*everyone)]
    others = [machine for machine in everyone if machine is not old]
    before = await _view(old)
    cut_at = time.monotonic()
    for other in others:
        await lab.link(other.name, old.name).cut()

    async def let_go() -> bool:
        return (await _view(old)).leader == 0

    await eventually(let_go, 10, "the deaf leader's stepping down")
    deaf = time.monotonic() - cut_at
    assert (await _view(others[0])).leader in (0, before.leader), "they heard it as long as it led"
    await _agree(others, other_than=before.leader)
    print(f"deaf: it lets go after {deaf:.2f} s, another leader after {time.monotonic() - cut_at:.2f} s")
    assert time.monotonic() - cut_at > 1.5 * ELECTION, "one time-out until it lets go, one until others stand"
    await _heals(lab)


async def _heals(lab: LocalLab) -> None:
    """All agree within some seconds of healing, and each serves a write."""
    healed_at = time.monotonic()
    for link in lab.links:
        await link.heal()
    await _agree(list(lab.machines.values()), deadline=5)
    print(f"healed: all agree after {time.monotonic() - healed_at:.2f} s")
    for machine in lab.machines.values():
        assert await etcdctl(machine, "put", "k", machine.name) == (0, "OK")


async def _agree(members: Sequence[Machine], *, other_than: int = 0, deadline: float = 10.0) -> None:
    """Until these members have one leader, which is not that one."""
    seen: set[tuple[int, int]] = set()

    async def agree() -> bool:
        nonlocal seen
        seen = {(view.leader, view.term) for view in [await _view(member) for member in members]}
        return len(seen) == 1 and not {leader for leader, _ in seen} & {0, other_than}

    try:
        await eventually(agree, deadline, "one leader")
    except AssertionError as error:
        raise AssertionError(f"{error}; seen last: leader and term {seen}") from None


async def _view(member: Machine) -> View:
    host, port = await member.reach(2379)
    url = f"http://{host}:{port}/v3/maintenance/status"
    try:
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, b"{}", 0.5).read())
    except OSError:
        return View()
    answer = json.loads(text)
    return View(int(answer["header"]["member_id"]), int(answer.get("leader", 0)), int(answer.get("raftTerm", 0)))
