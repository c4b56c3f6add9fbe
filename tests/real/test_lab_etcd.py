"""Real members behind the link proxies: a partition, a one-way cut, and the death of whoever holds the lab."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.lab import eventually, held_lab, local_settings, until_gone
from support.lab_etcd import engines, etcdctl, healthy, leader, start_three, status, until_leader

from rwk_tui.lab.local.lab import LocalLab

pytestmark = pytest.mark.real
PLANS = ["ports", *(["loopback"] if sys.platform == "linux" else [])]


@pytest.fixture(params=PLANS)
async def lab(request: pytest.FixtureRequest, tmp_path: Path, subnet: int) -> AsyncIterator[LocalLab]:
    opened = LocalLab(local_settings(tmp_path, request.param, subnet=subnet), engines())
    try:
        await opened.up()
        await start_three(opened)
        yield opened
    finally:
        await opened.down()


async def test_a_partitioned_leader_is_replaced_and_rejoins(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    old = await until_leader(*everyone)
    others = tuple(machine for machine in everyone if machine.name != old)
    for machine in others:
        await lab.link(old, machine.name).cut()
        await lab.link(machine.name, old).cut()
    new = await until_leader(*others, accept=lambda name: name not in ("", old))
    assert (await etcdctl(others[0], "put", "k", "majority"))[0] == 0
    assert not await healthy(lab.machines[old])
    assert (await etcdctl(lab.machines[old], "put", "k", "minority"))[0] != 0
    assert not await healthy(others[0], lab.machines[old]), "the partitioned machine is not reached"

    for link in lab.links:
        await link.heal()
    assert await until_leader(*everyone) == new
    assert (await etcdctl(lab.machines[old], "get", "k", "--print-value-only")) == (0, "majority")


async def test_a_leader_that_is_mute_one_way_is_replaced(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    old = await until_leader(*everyone)
    others = tuple(machine for machine in everyone if machine.name != old)
    for machine in others:
        await lab.link(old, machine.name).cut()
    await until_leader(*others, accept=lambda name: name not in ("", old))
    for link in lab.links:
        await link.heal()

    async def agree() -> bool:
        return await leader(*everyone) != ""

    await eventually(agree, 15, "one leader for all")


async def test_a_slow_network_is_slow(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    await until_leader(*everyone)
    for link in lab.links:
        await link.delay(150)
    started = time.monotonic()
    code, _ = await etcdctl(everyone[0], "put", "k", "slow")
    assert code == 0
    assert time.monotonic() - started > 0.3, "a write needs a round trip to another member"


async def test_a_member_comes_back_after_a_power_cut(lab: LocalLab) -> None:
    everyone = tuple(lab.machines.values())
    old = await until_leader(*everyone)
    assert (await etcdctl(everyone[0], "put", "k", "before"))[0] == 0
    await lab.machines[old].kill()
    others = tuple(machine for machine in everyone if machine.name != old)
    await until_leader(*others, accept=lambda name: name not in ("", old))
    await lab.machines[old].start()
    await until_leader(*everyone)
    assert (await etcdctl(lab.machines[old], "get", "k", "--print-value-only")) == (0, "before")


async def test_engines_die_with_their_holder_and_the_next_lab_goes_on(tmp_path: Path, subnet: int) -> None:
    async with held_lab(tmp_path, "etcd", subnet) as (child, started):
        assert Counter(process.name() for process in started)["etcd"] == 3
        child.kill()
        await child.wait()
        assert await until_gone(started) < 2.0

    lab = LocalLab(local_settings(tmp_path, subnet=subnet), engines())
    try:
        assert "broke off" in await lab.left_behind()
        assert [(await machine.status()).power for machine in lab.machines.values()] == ["off"] * 3
        await lab.up()
        await until_leader(*lab.machines.values())
        assert all([(await status(machine)) for machine in lab.machines.values()])
    finally:
        await lab.down()
