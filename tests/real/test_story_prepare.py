"""Preparing to a step gives the same lab as playing everything up to it, from any state the lab is in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.story_real import Rig, rig

from rwk_tui.engines.find import Engine
from rwk_tui.story.look import Look
from rwk_tui.watch.refusals import EtcdError

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

KEYS = ("good", "tutorial", "after-the-backup", "secret")


CASES = [
    ("02-etcd-single", 5),
    ("04-machine-failure", 5),
    ("06-disaster-recovery", 7),
    ("07-secure-etcd", 6),
]


async def picture(stage: Rig) -> dict[str, object]:
    """All of the lab that a chapter cares about; IDs, pids and times are left out."""
    seen: dict[str, object] = {}
    for name, machine in stage.context.lab.machines.items():
        status = await machine.status()
        units = {unit: (one.state, one.spec) for unit, one in status.units.items()}
        seen[name] = (status.power, units)
    async with Look(stage.context) as look:
        cluster = await look.cluster()
        seen["members"] = sorted((m.name, m.learner, m.peer_urls, m.client_urls) for m in cluster.members)
        for name in cluster.with_leader():
            client = await look.client(name)
            for key in KEYS:
                try:
                    found = await client.get(key, timeout=2.0)
                    seen[f"{name} {key}"] = found.value if found else None
                except EtcdError:
                    seen[f"{name} {key}"] = "no answer"
    seen["statuses"] = [step.status for step in stage.story.steps]
    seen["step"] = stage.story.step
    return seen


@pytest.fixture
async def stage(engines: dict[str, Engine], subnet: int) -> AsyncIterator[Rig]:
    async with rig(engines["etcd"].path.parent, subnet) as made:
        yield made


@pytest.mark.parametrize(("chapter", "step"), CASES)
async def test_preparing_equals_playing(chapter: str, step: int, stage: Rig) -> None:
    await stage.play(chapter, until=step)
    assert stage.story.error == ""
    played = await picture(stage)
    await stage.director.open(chapter, step)
    await stage.director.settled()
    assert stage.story.error == ""
    assert await picture(stage) == played


async def test_preparing_works_from_a_broken_lab(stage: Rig) -> None:
    await stage.director.open("04-machine-failure")
    await stage.director.settled()
    fresh = await picture(stage)
    machines = stage.context.lab.machines
    await machines["core-01"].kill()
    await machines["core-02"].unit("etcd").pause()
    await stage.context.lab.link("core-03", "core-02").cut()
    await stage.director.open("04-machine-failure")
    await stage.director.settled()
    assert stage.story.error == ""
    assert await picture(stage) == fresh


async def test_a_cancel_at_any_moment_leaves_a_lab_that_can_be_prepared(stage: Rig) -> None:
    for moment in (0.05, 0.3, 0.8, 1.5):
        await stage.director.open("04-machine-failure", 2)
        await asyncio.wait([asyncio.create_task(stage.director.settled())], timeout=moment)
        await stage.director.cancel()
        await stage.director.settled()
        assert not stage.director.busy
    await stage.director.open("04-machine-failure", 1)
    await stage.director.settled()
    assert stage.story.error == ""
    assert stage.story.step == 1


async def test_repeating_a_restore_counts_anew(stage: Rig) -> None:
    await stage.play("06-disaster-recovery", until=7)
    first = stage.context.watcher.canary.aftermath
    await stage.director.repeat()
    await stage.director.settled()
    assert stage.story.error == ""
    assert [step.status for step in stage.story.steps[:8]] == ["passed"] * 7 + ["waiting"]
    again = stage.context.watcher.canary.aftermath
    assert first is not None and again is not None
    assert (again.name, again.exact, again is not first) == ("before", True, True)
    assert 0 < again.gone < again.acknowledged


async def test_repeating_the_end_of_plain_text_works(stage: Rig) -> None:
    await stage.play("07-secure-etcd", until=5)
    await stage.director.repeat()
    await stage.director.settled()
    assert stage.story.error == ""
    assert [step.status for step in stage.story.steps[:6]] == ["passed"] * 5 + ["waiting"]


async def test_repeating_a_step_that_destroys_works(stage: Rig) -> None:
    await stage.play("04-machine-failure", until=2)
    await stage.director.repeat()
    await stage.director.settled()
    assert stage.story.error == ""
    assert [step.status for step in stage.story.steps[:3]] == ["passed", "passed", "waiting"]
