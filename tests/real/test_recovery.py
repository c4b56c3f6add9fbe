"""Recovery on a real cluster, plain and secured: the lone survivor and who joins it; what a restore loses, exactly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.story_real import Rig, rig

from rwk_tui.cluster import roles
from rwk_tui.cluster.access import Access
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.survivor import FORCE
from rwk_tui.engines.find import Engine
from rwk_tui.story.load import load_chapter
from rwk_tui.story.look import Look
from rwk_tui.watch.etcd import EtcdClient
from rwk_tui.watch.refusals import EtcdError

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

SURVIVOR = """\
title: a
goal: b
starts: {{etcd: [core-01, core-02, core-03], secured: {secured}, keys: {{good: "1"}}}}
steps:
  - title: Something is written
    expect:
      - writes: flowing
  - title: Lose two
    do:
      - destroy-machine: [core-01, core-03]
      - until:
          quorum: lost
    expect:
      - quorum: lost
  - title: Go on alone
    do:
      - etcd-survivor: core-02
    expect:
      - serving: core-02
      - members: {{voters: [core-02], healthy: 1}}
      - key: {{name: good, value: "1", via: core-02}}
      - aftermath: {{}}
  - title: One joins, the survivor restarts
    do:
      - start-machine: core-01
      - etcd-add: {{member: core-01, via: core-02, learner: true}}
      - etcd-join: {{member: core-01, via: core-02}}
      - etcd-promote: {{member: core-01, via: core-02}}
      - restart-unit: core-02
    expect:
      - serving: [core-01, core-02]
      - members: {{voters: [core-01, core-02], healthy: 2}}
      - writes: flowing
      - lost: 0
"""

RESTORE = """\
title: a
goal: b
starts: {{etcd: [core-01, core-02, core-03], secured: {secured}, keys: {{good: "1"}}}}
steps:
  - title: Something is written before the backup
    expect:
      - writes: flowing
  - title: And something after it
    do:
      - etcd-backup: {{via: core-02, name: all-three}}
    expect:
      - writes: flowing
  - title: Lose all three
    do:
      - destroy-machine: [core-01, core-02, core-03]
      - start-machine: [core-01, core-02, core-03]
    expect:
      - machine: {{on: [core-01, core-02, core-03], power: up}}
  - title: Restore on all three
    do:
      - etcd-restore: {{on: [core-01, core-02, core-03], name: all-three}}
    expect:
      - serving: [core-01, core-02, core-03]
      - members: {{voters: [core-01, core-02, core-03], healthy: 3}}
      - key: {{name: good, value: "1", via: core-03}}
      - aftermath: all-three
      - hashes: [core-01, core-02, core-03]
"""


@pytest.fixture
async def stage(engines: dict[str, Engine], subnet: int) -> AsyncIterator[Rig]:
    async with rig(engines["etcd"].path.parent, subnet) as made:
        yield made


async def played(stage: Rig, text: str, directory: Path, *, secured: bool) -> None:
    path = directory / "demo.yaml"
    path.write_text(text.format(secured=str(secured).lower()))
    stage.director._shelf._chapters["demo"] = load_chapter(path)
    story = await stage.play("demo")
    output = [f"{line.machine} {line.stream} {line.text}" for line in stage.context.hub.board.output]
    told = [f"{step.title}: {[(check.expect, check.saw) for check in step.checks]}" for step in story.steps]
    assert story.error == "", "\n".join([story.error, *told, *output[-60:]])


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "secured"])
async def test_a_survivor_goes_on_alone_and_later_keeps_whoever_joined(
    secured: bool, stage: Rig, tmp_path: Path
) -> None:
    await played(stage, SURVIVOR, tmp_path, secured=secured)
    spec = (await stage.context.lab.machines["core-02"].unit("etcd").status()).spec
    assert spec is not None and FORCE[0] not in dict(spec.environment)
    aftermath = stage.context.watcher.canary.aftermath
    assert aftermath is not None and aftermath.name == "" and aftermath.acknowledged > 0


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "secured"])
async def test_a_restore_on_three_fresh_machines_loses_exactly_what_came_later(
    secured: bool, stage: Rig, tmp_path: Path
) -> None:
    await played(stage, RESTORE, tmp_path, secured=secured)
    aftermath = stage.context.watcher.canary.aftermath
    assert aftermath is not None and aftermath.exact is True
    assert 0 < aftermath.gone < aftermath.acknowledged
    assert aftermath.found + aftermath.gone == aftermath.acknowledged


async def test_a_client_with_papers_of_another_authority_is_refused(stage: Rig, tmp_path: Path) -> None:
    await stage.play("07-secure-etcd", until=5)
    assert stage.story.error == ""
    ours = roles.access(stage.context.site.pki, roles.PRESENTER)
    host, port = await stage.context.lab.machines["core-01"].reach(2379)
    foreign = roles.access(Pki(tmp_path / "foreign"), roles.PRESENTER)
    mixed = Access(ca=ours.ca, cert=foreign.cert, key=foreign.key)
    async with Look(stage.context) as look:
        found = await (await look.client("core-01")).get("secret", timeout=2.0)
        assert found is not None
    client = EtcdClient(host, port, mixed)
    try:
        with pytest.raises(EtcdError):
            await client.get("secret", timeout=2.0)
    finally:
        await client.close()
