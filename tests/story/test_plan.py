"""Previews: every step of our chapters shows its commands before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.story_fakes import Stage, stage

from rwk_tui.board.rows import MemberRow
from rwk_tui.settings import Settings
from rwk_tui.story.load import load_chapters
from rwk_tui.story.plan import MACHINE_VERBS, UNIT_VERBS, commands, plan
from rwk_tui.story.schema import ACTIONS, CHECKS, Action, Check
from rwk_tui.story.variables import NAMES, expand, unknown

CHAPTER = """\
title: a
goal: b
steps:
  - title: One
    do:
      - inject: {fault: partition, target: core-01}
      - heal: all
      - until:
          unit: {on: core-01, state: stopped}
      - etcd-remove: {member: core-01, via: core-02}
"""


def demo(directory: Path) -> Stage:
    return stage(directory, CHAPTER)


def test_every_step_of_ours_has_a_preview(tmp_path: Path) -> None:
    context = demo(tmp_path).context
    for chapter in load_chapters(Settings(state=tmp_path, engine_cache=tmp_path)):
        for step in chapter.steps:
            lines = commands(step.do, context)
            assert lines, f"{chapter.name}: {step.title}"
            assert not [line for line in lines if "${" in line]


def test_every_machine_and_unit_verb_has_an_operation() -> None:
    assert {verb for verb in ACTIONS if verb.endswith(("-machine", "-power"))} == set(MACHINE_VERBS)
    assert {verb for verb in ACTIONS if verb.endswith("-unit")} == set(UNIT_VERBS)
    assert "members" in CHECKS


def test_a_preview_shows_the_id_once_the_board_knows_it(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    action = shown.director._chapters["demo"].steps[0].do
    assert commands(action, shown.context)[-1].endswith("member remove <ID of core-01>")
    row = MemberRow(seen_at=0, id="8e9e", name="core-01", machine="core-01", role="leader", health="healthy", since=0.0)
    shown.context.hub.publish(row)
    assert commands(action, shown.context)[-1].endswith("member remove 8e9e")


async def test_faults_and_waits_are_told_but_have_nothing_to_type(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    waited: list[str] = []

    async def wait(check: Check) -> None:
        waited.append(check.text)

    notes: list[str] = []
    for action in shown.director._chapters["demo"].steps[0].do[:3]:
        for op in plan(action, shown.context, wait):
            assert op.command() == ""
            await op.run(lambda _stream, text: notes.append(text))
    assert shown.faults.asked == ["inject partition core-01", "heal all"]
    assert waited == ["etcd on core-01 is stopped"]
    assert notes == ["fault: partition core-01", "heal: all", "waiting: etcd on core-01 is stopped"]


def test_variables_stand_for_addresses_of_this_lab(tmp_path: Path) -> None:
    lab = demo(tmp_path).context.site
    assert expand("${core-02.client} ${core-02.peer}", lab) == "http://10.0.0.2:2379 http://10.0.0.2:2380"
    assert expand("${core-01.local} ${core-01.data}", lab) == "http://localhost:2379 /nowhere"
    assert expand("${all.client}", lab) == "http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379"
    for name in NAMES:
        assert unknown(f"${{{name}}}") == ""
        assert "${" not in expand(f"${{{name}}}", lab)
    assert "did you mean ${core-01.client}" in unknown("${core-01.cliet}")


def test_an_action_without_a_plan_is_a_mistake_that_shows(tmp_path: Path) -> None:
    from rwk_tui.lab.protocol import LabError
    from rwk_tui.story.schema import Starts

    async def wait(_check: Check) -> None:
        return None

    with pytest.raises(LabError, match="no plan"):
        plan(Action(verb="dance", what=Starts()), demo(tmp_path).context, wait)
