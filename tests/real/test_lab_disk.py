"""A real member on a slow disk: the writes that wait for it are slow, and at once fast again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.lab import local_settings, needs
from support.lab_etcd import engines, etcdctl, start_three, until_leader

from rwk_tui.lab.local.lab import LocalLab
from rwk_tui.lab.protocol import Machine

pytestmark = pytest.mark.real
SLOW_MS = 300.0
TELLING = 0.2
"""Seconds: what is slow takes longer, what is fast less, the start of etcdctl included."""


@pytest.fixture
async def lab(tmp_path: Path, subnet: int) -> AsyncIterator[LocalLab]:
    opened = LocalLab(local_settings(tmp_path, subnet=subnet), engines())
    needs(opened.lacks("slow disk"))
    try:
        await opened.up()
        await start_three(opened)
        yield opened
    finally:
        await opened.down()


async def test_a_leader_with_a_slow_disk_is_slow_until_it_is_mended(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    name = await until_leader(*everyone)
    leader = lab.machines[name]
    assert await _fastest(leader) < TELLING

    await leader.unit("etcd").slow_disk(SLOW_MS)
    slow = await _fastest(leader)
    assert slow > TELLING
    assert (await leader.unit("etcd").status()).state == "running"

    await leader.unit("etcd").slow_disk(0)
    fast = await _fastest(leader)
    assert fast < TELLING
    assert await until_leader(*everyone) == name, "it led all the time"
    print(f"fastest of five puts: {slow * 1000:.0f} ms with {SLOW_MS:g} ms a sync, {fast * 1000:.0f} ms without")


async def test_a_follower_with_a_slow_disk_holds_nobody_up(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    name = await until_leader(*everyone)
    follower = next(machine for machine in everyone if machine.name != name)
    await follower.unit("etcd").slow_disk(SLOW_MS)
    assert await _fastest(lab.machines[name]) < TELLING, "the other two are a majority"


async def test_a_member_is_halted_in_order_however_slow_its_disk_is(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    await until_leader(*everyone)
    member = everyone[0].unit("etcd")
    await member.slow_disk(20)
    await member.stop()
    assert (await member.status()).exit == "ended when asked to"
    await member.start()
    await until_leader(*everyone)


async def _fastest(machine: Machine) -> float:
    """Seconds that the fastest of five writes takes, asked of that machine's own member."""
    took = []
    for number in range(5):
        begun = time.monotonic()
        assert (await etcdctl(machine, "put", "k", str(number)))[0] == 0
        took.append(time.monotonic() - begun)
    return min(took)
