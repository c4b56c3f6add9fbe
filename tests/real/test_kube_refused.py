"""API servers that can't work: each says in one line what is wrong, or what it waited for and how its log ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.story_kube import own_director, report, unit_is, until
from support.story_real import rig

from rwk_tui.engines.sets import EngineSet
from rwk_tui.story.checks import Memory, wait_for
from rwk_tui.story.kube_schema import ApiIs
from rwk_tui.story.schema import Check

pytestmark = [pytest.mark.real, pytest.mark.kubernetes, pytest.mark.slow, pytest.mark.timeout(600)]

PLAIN = """\
title: a
goal: b
starts: {etcd: [core-01]}
steps:
  - title: Too early
    do: [{kube-api: core-01}]
    expect: [{api: core-01}]
"""
WITHOUT_ETCD = """\
title: a
goal: b
starts: {etcd: [core-01], secured: true}
steps:
  - title: etcd is away
    do: [{stop-unit: core-01}]
    expect: [{unit: {on: core-01, state: stopped}}]
  - title: In vain
    do: [{kube-api: core-01}]
    expect: [{api: core-01, within: 6}]
"""


async def test_members_without_certificates_carry_no_api_server(
    subnet: int, kube_engines: EngineSet, tmp_path: Path
) -> None:
    async with rig(kube_engines, subnet, fast=True) as stage:
        director = own_director(stage, tmp_path, PLAIN)
        await director.open("own")
        await director.settled()
        assert stage.story.error == "", report(stage)
        await director.next()
        await director.settled()
        why = "an API server is only set up on members that ask for certificates; this etcd does not"
        assert stage.story.error.endswith(why), report(stage)
        assert "\n" not in stage.story.error
        status = await stage.context.lab.machines["core-01"].unit("kube-apiserver").status()
        assert (status.state, status.spec) == ("stopped", None)
        await director.close()


async def test_an_api_server_that_never_gets_ready_tells_what_it_waits_for(
    subnet: int, kube_engines: EngineSet, tmp_path: Path
) -> None:
    async with rig(kube_engines, subnet, fast=True) as stage:
        director = own_director(stage, tmp_path, WITHOUT_ETCD)
        await director.open("own")
        await director.settled()
        for _ in range(2):
            await director.next()
            await director.settled()
        check = stage.story.steps[1].checks[0]
        assert (check.expect, check.status) == ("the API server of core-01 is ready", "failed"), report(stage)
        assert check.saw.startswith("core-01 ") and "connection refused" in check.saw, check.saw
        assert stage.story.error == f"step 2 failed: {check.expect}, but saw: {check.saw}"

        # It gives up by itself after a while, and then its own last words are told.
        await until(stage, unit_is("core-01", "kube-apiserver", "failed"))
        again = Check(verb="api", what=ApiIs(on="core-01"), text="")
        now = stage.context.hub.now()
        outcome = await wait_for(again, stage.context, Memory(began=now), 0.0, lambda _saw: None)
        assert outcome.saw.startswith('core-01 down (exit code 1: "command failed" err="'), outcome.saw
        assert "etcd" in outcome.saw
        await director.close()
