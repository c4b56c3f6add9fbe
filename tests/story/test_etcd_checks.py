"""What a step expects of restores and certificates: what holds, what is waited for, and what is final."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.story_fakes import Stage, stage

from rwk_tui.board.rows import MemberRow
from rwk_tui.cluster.shown import Shown
from rwk_tui.lab.protocol import Machine
from rwk_tui.story import etcd_checks
from rwk_tui.story.etcd_checks import look_at_etcd
from rwk_tui.story.etcd_schema import Aftermath as Expected
from rwk_tui.story.etcd_schema import NewCertificates
from rwk_tui.story.look import Seen
from rwk_tui.watch.aftermath import Aftermath

DEMO = "title: a\ngoal: b\nsteps: [{title: One}]\n"
EXACT = Aftermath(1, "before", acknowledged=268, found=125, gone=143, after_backup=143, exact=True)


@pytest.fixture
def demo(tmp_path: Path) -> Stage:
    return stage(tmp_path, DEMO)


def look(demo: Stage, aftermath: Aftermath | None, backup: str = "before") -> Seen:
    demo.watcher.canary.aftermath = aftermath
    return asyncio.run(look_at_etcd(Expected(backup=backup), demo.context, 0.0))


def test_exactly_what_came_after_the_backup_is_gone(demo: Stage) -> None:
    words = "restored from before: 125 of 268 acknowledged writes are back; 143 are gone, all written after the backup"
    assert look(demo, EXACT) == Seen(True, words, final=True)


def test_until_it_is_counted_it_is_waited_for(demo: Stage) -> None:
    assert look(demo, None) == Seen(False, "nothing was restored yet")
    assert look(demo, replace(EXACT, why="no member answers")) == Seen(False, "not counted yet: no member answers")
    assert look(demo, replace(EXACT, name="")) == Seen(False, "counted for another one: a lone survivor")
    assert look(demo, replace(EXACT, name="old")) == Seen(False, "counted for another one: old")


def test_a_backup_that_lacks_what_it_must_hold_is_final(demo: Stage) -> None:
    broken = look(demo, replace(EXACT, exact=False, gone=144, found=124, missing_before=("/rwk/canary/1",)))
    assert (broken.holds, broken.final) == (False, True)
    assert "though only 143 had been written after the backup: /rwk/canary/1" in broken.saw
    surplus = look(demo, replace(EXACT, exact=False, gone=140, found=128))
    assert (surplus.holds, surplus.final) == (False, True)
    assert "3 are there though they were written after the backup" in surplus.saw
    assert not look(demo, replace(EXACT, exact=None, after_backup=None)).holds, "what is not known proves nothing"


def test_what_a_backup_lacks_may_be_known_of_the_etcd_that_runs(demo: Stage) -> None:
    lacking = replace(EXACT, exact=False, gone=144, found=124, missing_before=("/rwk/canary/1",))
    assert look(demo, lacking).known == ""
    row = MemberRow(
        seen_at=1.0, id="a", name="a", machine="core-01", role="leader", health="healthy", since=1.0, version="3.5.1"
    )
    demo.context.hub.publish(row)
    assert look(demo, lacking).known == "known of etcd 3.5.1: etcd#13766"
    assert look(demo, replace(EXACT, exact=False, gone=140, found=128)).known == "", "more than there can be is no loss"


def test_of_a_lone_survivor_only_a_count_is_expected(demo: Stage) -> None:
    alone = Aftermath(2, "", acknowledged=175, found=174, gone=1)
    words = "the survivor alone: 174 of 175 acknowledged writes are back; 1 is gone"
    assert look(demo, alone, "") == Seen(True, words, final=True)
    assert not look(demo, EXACT, "").holds


def certificates(made: dict[tuple[str, int], float]) -> object:
    async def all_shown(machine: Machine, _site: object) -> dict[int, Shown]:
        end = datetime(2030, 1, 1, tzinfo=UTC)
        return {port: Shown("x", 1, made.get((machine.name, port), 100.0), end) for port in (2379, 2380)}

    return all_shown


async def test_certificates_are_new_if_every_port_shows_one_made_in_this_step(
    demo: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = NewCertificates(on=("core-01", "core-02"))
    monkeypatch.setattr(etcd_checks, "all_shown", certificates({}))
    new = await look_at_etcd(what, demo.context, 100.7)
    assert new == Seen(True, "new ones at ports 2379 and 2380 of core-01, core-02")
    assert not (await look_at_etcd(what, demo.context, 101.2)).holds
    monkeypatch.setattr(etcd_checks, "all_shown", certificates({("core-02", 2380): 98.0}))
    assert await look_at_etcd(what, demo.context, 99.0) == Seen(False, "still the old one: core-02:2380")
