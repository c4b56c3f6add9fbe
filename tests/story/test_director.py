"""The director does one thing at a time, in order, and can always be stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from support.story_fakes import FakeVerdict, Stage, stage

from rwk_tui.board.frames import Story
from rwk_tui.board.rows import ChapterRow, MemberRow
from rwk_tui.lab.protocol import UnitStatus
from rwk_tui.settings import Timeouts
from rwk_tui.story.director import Director, Refused
from rwk_tui.story.load import load_chapter

CHAPTER = """\
title: Demo
goal: To test
steps:
  - title: One
    do:
      - run: {on: core-01, command: echo one}
    expect:
      - output: one
  - title: Two
    do:
      - stop-unit: core-02
      - run: {on: core-02, command: "slow ${core-01.client}"}
    expect:
      - unit: {on: core-02, state: stopped}
  - title: Three
    do:
      - run: {on: core-03, command: "false", ends: fails}
    expect:
      - unit: {on: core-03, state: stopped}
"""


async def opened(directory: Path, text: str = CHAPTER, step: int = 0) -> Stage:
    demo = stage(directory, text)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    demo.lab.stage["core-03"].answers["false"] = (1, "Error: no")
    await demo.director.open("demo", step)
    await demo.director.settled()
    return demo


async def go(demo: Stage) -> None:
    await demo.director.next()
    await demo.director.settled()


async def test_opening_prepares_and_shows_commands_before_they_run(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    assert demo.lab.resets == 1
    assert demo.faults.asked == ["forget"]
    assert demo.watcher.canary.epochs == ["a fresh lab for demo"]
    assert (demo.story.chapter, demo.story.step, demo.story.busy, demo.story.error) == ("demo", 0, "", "")
    assert [step.commands for step in demo.story.steps] == [
        ("echo one",),
        ("stop etcd", "slow http://10.0.0.1:2379"),
        ("false",),
    ]
    assert [step.checks[0].status for step in demo.story.steps] == ["waiting"] * 3
    assert demo.lab.stage["core-01"].ran == [("etcd", "--version")]


async def test_a_chapter_is_told_in_order_and_recorded_before(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    for number in range(3):
        await go(demo)
        assert demo.story.step == number + 1
    assert demo.statuses() == ["passed"] * 3
    assert demo.recorded == [("demo", n) for n in (0, 0, 1, 1, 2, 2, 3)]
    assert demo.printed("command") == ["echo one", "stop etcd", "slow http://10.0.0.1:2379", "false"]
    assert demo.printed("out") == ["one"]
    assert demo.printed("err") == ["Error: no"]
    assert demo.watcher.alerts >= 4
    assert demo.watcher.expected.machines == ["core-02"]
    told = [(event.text, event.level) for event in demo.context.hub.board.events if event.kind == "step"]
    assert told == [(f"step {n} passed: {title}", "good") for n, title in ((1, "One"), (2, "Two"), (3, "Three"))]
    assert demo.watcher.refreshes >= 4
    with pytest.raises(Refused, match="done"):
        await demo.director.next()


async def test_what_is_recorded_comes_before_what_is_done(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    done: list[str] = []
    demo.director._record = lambda name, step: done.append(f"record {step}")
    reset = demo.lab.reset

    async def noted_reset() -> None:
        done.append("reset")
        await reset()

    demo.lab.reset = noted_reset  # type: ignore[method-assign]
    await demo.director.open("demo", 0)
    await demo.director.settled()
    assert done == ["record 0", "reset"]


async def test_a_second_wish_is_refused_while_busy_but_never_a_cancel(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    demo.lab.stage["core-01"].gates["echo"] = asyncio.Event()
    await demo.director.next()
    assert await demo.context.hub.wait(lambda board: any(line.stream == "command" for line in board.output), 1.0)
    await asyncio.sleep(0)  # the command is told before it is run
    assert demo.story.busy == "step 1/3: One"
    for wish in (demo.director.next, demo.director.repeat, demo.director.skip, lambda: demo.director.open("demo")):
        with pytest.raises(Refused):
            await wish()
    await demo.director.cancel()
    await demo.director.cancel()
    await demo.director.settled()
    assert not demo.director.busy
    assert demo.lab.stage["core-01"].runs[-1].killed
    assert demo.statuses()[0] == "failed"
    assert demo.story.step == 0
    assert "cancelled" in demo.story.error


async def test_after_a_cancel_the_step_starts_from_a_fresh_lab(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    machine = demo.lab.stage["core-01"]
    machine.gates["echo"] = asyncio.Event()
    await demo.director.next()
    assert await demo.context.hub.wait(lambda board: board.story.steps[0].status == "running", 1.0)
    await demo.director.cancel()
    await demo.director.settled()
    machine.gates.clear()
    await go(demo)
    assert demo.lab.resets == 2
    assert demo.statuses()[0] == "passed"


async def test_a_cancel_before_anything_began_leaves_nothing_busy(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    await demo.director.next()
    await demo.director.cancel()
    await demo.director.settled()
    await asyncio.sleep(0)
    assert (demo.story.busy, demo.director.busy) == ("", False)
    assert "cancelled" in demo.story.error


async def test_a_failed_check_says_what_was_seen_and_the_story_can_go_on(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    demo.lab.stage["core-01"].answers["echo"] = (0, "something else")
    await go(demo)
    assert demo.statuses()[0] == "failed"
    check = demo.story.steps[0].checks[0]
    assert (check.status, check.saw) == ("failed", "something else")
    assert demo.story.error == "step 1 failed: the command says “one”, but saw: something else"
    assert demo.story.step == 1
    await go(demo)
    assert demo.statuses()[:2] == ["failed", "passed"]
    assert demo.story.error == ""


async def test_a_command_that_ends_otherwise_than_told_fails_the_step(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    demo.lab.stage["core-01"].answers["echo"] = (7, "Error: kaput")
    await go(demo)
    assert "run ended with 7: Error: kaput" in demo.story.error
    assert [check.status for check in demo.story.steps[0].checks] == ["failed", "skipped"]
    demo.lab.stage["core-03"].answers["false"] = (0, "")
    await go(demo)
    await go(demo)
    assert "should have failed" in demo.story.error


async def test_a_refusing_lab_fails_the_step_in_one_line(tmp_path: Path) -> None:
    demo = await opened(tmp_path, step=1)
    demo.lab.stage["core-02"].fails = "the disk is full"
    await go(demo)
    assert demo.statuses()[1] == "failed"
    assert "the disk is full" in demo.story.error


async def test_skip_passes_over_without_doing(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    await demo.director.skip()
    assert demo.statuses()[0] == "skipped"
    assert demo.story.step == 1
    assert demo.lab.stage["core-01"].ran == [("etcd", "--version")]


async def test_repeat_prepares_to_the_last_step_and_runs_it_again(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    with pytest.raises(Refused, match="no step to repeat"):
        await demo.director.repeat()
    await go(demo)
    await go(demo)
    await demo.director.repeat()
    await demo.director.settled()
    assert demo.lab.resets == 2
    assert demo.story.step == 2
    assert demo.statuses() == ["passed", "passed", "waiting"]
    assert demo.printed("command").count("echo one") == 2
    assert demo.printed("command").count("stop etcd") == 2


async def test_repeat_uses_undo_where_there_is_one(tmp_path: Path) -> None:
    text = CHAPTER.replace(
        "    expect:\n      - output: one", "    undo:\n      - start-unit: core-03\n    expect:\n      - output: one"
    )
    demo = await opened(tmp_path, text)
    await demo.lab.stage["core-03"].unit("etcd").stop()
    await go(demo)
    await demo.director.repeat()
    await demo.director.settled()
    assert demo.lab.resets == 1
    assert "start core-03/etcd" in demo.lab.stage["core-03"].done
    assert demo.statuses()[0] == "passed"


async def test_back_prepares_to_the_step_before(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    with pytest.raises(Refused, match="first step"):
        await demo.director.back()
    await go(demo)
    await go(demo)
    await demo.director.back()
    await demo.director.settled()
    assert (demo.story.step, demo.lab.resets) == (1, 2)
    assert demo.statuses() == ["passed", "waiting", "waiting"]


async def test_preparing_to_a_step_runs_the_real_ones_before_it(tmp_path: Path) -> None:
    busy: list[str] = []
    demo = stage(tmp_path, CHAPTER)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    tell = demo.context.hub.story

    def heard(story: Story) -> None:
        busy.append(story.busy)
        tell(story)

    demo.context.hub.story = heard  # type: ignore[method-assign]
    await demo.director.open("demo", 2)
    await demo.director.settled()
    assert demo.statuses() == ["passed", "passed", "waiting"]
    assert demo.printed("command") == ["echo one", "stop etcd", "slow http://10.0.0.1:2379"]
    assert [words for words in dict.fromkeys(busy) if words.startswith("preparing ")] == [
        "preparing 1/2: One",
        "preparing 2/2: Two",
    ]


async def test_a_preparation_that_fails_says_so_and_next_prepares_again(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    await demo.director.open("demo", 1)
    await demo.director.settled()
    assert demo.story.error == "could not prepare: step 1 failed, the command says “one”, but saw: nothing"
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    await go(demo)
    assert demo.lab.resets == 2
    assert demo.statuses()[:2] == ["passed", "passed"]


async def test_a_resume_shows_the_step_and_takes_the_lab_as_it_is(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    await demo.director.resume("demo", 1)
    await demo.director.settled()
    assert (demo.lab.resets, demo.story.step, demo.story.busy) == (0, 1, "")
    assert demo.statuses() == ["passed", "waiting", "waiting"]
    assert demo.story.steps[1].commands == ("stop etcd", "slow http://10.0.0.1:2379")
    await go(demo)
    assert demo.statuses()[1] == "passed"
    assert demo.lab.resets == 0


async def test_a_resume_before_anything_is_set_up_goes_on_as_the_chapter_starts(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER.replace("steps:", "starts: {secured: true, engines: [etcd-3.6]}\nsteps:", 1))
    await demo.director.resume("demo", 0)
    await demo.director.settled()
    site = demo.context.site
    assert (site.secured, dict(site.engines_next)) == (True, {"etcd": "etcd-3.6"})


async def test_unknown_chapters_and_steps_are_refused(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    with pytest.raises(Refused, match="open a chapter first"):
        await demo.director.next()
    with pytest.raises(Refused, match="no chapter 'x'; there are: demo"):
        await demo.director.open("x")
    with pytest.raises(Refused, match="has 3 steps, there is no step 10"):
        await demo.director.open("demo", 9)


async def test_a_step_that_needs_a_newer_etcd_is_skipped_with_words(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER.replace("  - title: One\n", "  - title: One\n    needs: etcd >= 3.6\n"))
    demo.lab.stage["core-01"].answers["etcd"] = (0, "etcd Version: 3.5.1")
    await demo.director.open("demo")
    await demo.director.settled()
    await go(demo)
    assert demo.statuses()[0] == "skipped"
    assert demo.story.step == 1
    assert demo.printed("note")[-1] == "skipped: needs etcd >= 3.6, and this is etcd 3.5.1"
    assert demo.printed("command") == []


async def test_background_commands_go_on_and_end_with_their_step(tmp_path: Path) -> None:
    text = CHAPTER.replace(
        "command: echo one}", "command: echo one}\n      - run: {on: core-03, command: tail, background: true}"
    )
    demo = stage(tmp_path, text)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    demo.lab.stage["core-03"].gates["tail"] = asyncio.Event()
    await demo.director.open("demo")
    await demo.director.settled()
    await go(demo)
    assert demo.statuses()[0] == "passed"
    assert demo.lab.stage["core-03"].runs[-1].killed


async def test_background_commands_of_a_chapter_end_with_it(tmp_path: Path) -> None:
    text = CHAPTER.replace(
        "command: echo one}", "command: echo one}\n      - run: {on: core-03, command: tail, background: chapter}"
    )
    demo = stage(tmp_path, text)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    demo.lab.stage["core-03"].answers["false"] = (1, "no")
    demo.lab.stage["core-03"].gates["tail"] = asyncio.Event()
    await demo.director.open("demo")
    await demo.director.settled()
    await go(demo)
    assert await demo.context.hub.wait(lambda _board: bool(demo.lab.stage["core-03"].runs), 0.5)
    running = demo.lab.stage["core-03"].runs[0]
    assert not running.killed
    await go(demo)
    await go(demo)
    assert running.killed


async def test_a_mistake_of_ours_is_shown_and_the_director_lives(tmp_path: Path) -> None:
    demo = await opened(tmp_path)

    def broken() -> None:
        raise RuntimeError("bug")

    demo.watcher.refresh = broken  # type: ignore[method-assign]
    await go(demo)
    assert "the director made a mistake (RuntimeError: bug)" in demo.story.error
    assert not demo.director.busy


async def test_closing_ends_everything(tmp_path: Path) -> None:
    demo = await opened(tmp_path)
    demo.lab.stage["core-01"].gates["echo"] = asyncio.Event()
    await demo.director.next()
    assert await demo.context.hub.wait(lambda board: any(line.stream == "command" for line in board.output), 1.0)
    await asyncio.sleep(0)  # the command is told before it is run
    await demo.director.close()
    assert not demo.director.busy
    assert demo.lab.stage["core-01"].runs[-1].killed


WIPES = """title: a
goal: b
steps:
  - title: Part of it
    do: [{etcd-wipe: core-03}]
  - title: All of it
    do: [{etcd-wipe: [core-01, core-02, core-03]}]
"""


async def test_only_a_wipe_of_every_member_excuses_what_was_written(tmp_path: Path) -> None:
    demo = await opened(tmp_path, WIPES)
    epochs = demo.watcher.canary.epochs
    epochs.clear()
    demo.context.hub.publish(
        *(
            MemberRow(seen_at=1.0, id=name, name=name, machine=name, role="follower", health="healthy", since=1.0)
            for name in demo.lab.stage
        )
    )
    await go(demo)
    assert epochs == []
    await go(demo)
    assert epochs == ["(paused)", "the members' data was deleted", "(resumed)"]


async def test_waiting_for_a_check_has_the_deadline_of_the_check(tmp_path: Path) -> None:
    until = "{until: {machine: {on: core-01, power: gone}, within: 0.4}}"
    text = f"title: a\ngoal: b\nsteps:\n  - title: One\n    do: [{until}]\n"
    demo = stage(tmp_path, text)
    settings = replace(demo.context.settings, timeouts=Timeouts(action=0.2, check=0.1))
    director = Director(
        replace(demo.context, settings=settings), [load_chapter(tmp_path / "demo.yaml")], lambda *_: None
    )
    await director.open("demo")
    await director.settled()
    await director.next()
    await director.settled()
    assert "not within 0.4 s, but core-01 up" in demo.story.error


async def test_other_versions_are_taken_up_before_the_lab_is_built_and_at_no_other_time(tmp_path: Path) -> None:
    demo = stage(tmp_path, CHAPTER)
    taken: list[int] = []
    chapter = load_chapter(tmp_path / "demo.yaml")
    director = Director(demo.context, [chapter], lambda *_: None, lambda: taken.append(demo.lab.resets))
    assert not director.is_telling
    await director.open("demo")
    await director.settled()
    assert (taken, demo.lab.resets, director.is_telling) == ([0], 1, True)
    for _ in range(2):
        await director.next()
        await director.settled()
    assert taken == [0]
    await director.back()
    await director.settled()
    assert (taken, demo.lab.resets) == ([0, 1], 2)


NEEDY = """title: a
goal: b
steps:
  - title: One
    do: [{kube-api: core-01}]
"""


async def test_a_chapter_whose_engines_are_missing_is_refused_with_what_to_do(tmp_path: Path) -> None:
    demo = stage(tmp_path, NEEDY, {"etcd": "3.7.3"})
    row = demo.context.hub.board.rows(ChapterRow)[0]
    assert row.engines == ("kubernetes-1.37", "kwok-0.8")
    for wish in (demo.director.open("demo"), demo.director.resume("demo", 0)):
        with pytest.raises(Refused) as refusal:
            await wish
        assert str(refusal.value) == (
            "demo needs kubernetes-1.37 and kwok-0.8: `rwk-tui engines install kubernetes-1.37 kwok-0.8` "
            "gets what is missing"
        )
    assert (demo.lab.resets, demo.recorded, demo.director.busy) == (0, [], False)


async def test_once_its_engines_are_there_a_chapter_opens(tmp_path: Path) -> None:
    demo = stage(tmp_path, NEEDY, {"etcd": "3.7.3"})
    older = {"kubernetes": "1.36.3", "kubernetes-1.36": "1.36.3", "kwok": "0.8.0", "kwok-0.8": "0.8.0"}
    demo.context.site.versions = {"etcd": "3.7.3", **older}
    demo.director.publish()
    assert demo.context.hub.board.rows(ChapterRow)[0].engines == ("kubernetes-1.36", "kwok-0.8")
    await demo.director.open("demo")
    await demo.director.settled()
    assert (demo.lab.resets, demo.story.error) == (1, "")


KNOWN = "known of etcd 3.5.1: etcd#13766"
WITH_LOSS = """\
title: Demo
goal: To test
steps:
  - title: One
    do:
      - run: {on: core-01, command: echo one}
    expect:
      - output: one
      - lost: 0
  - title: Two
    do:
      - run: {on: core-01, command: echo two}
    expect:
      - output: one
  - title: Three
    do:
      - until: {lost: 0, within: 0.2}
    expect:
      - unit: {on: core-02, state: stopped}
"""


async def test_a_step_that_finds_what_is_known_is_known_and_the_story_goes_on(tmp_path: Path) -> None:
    demo = await opened(tmp_path, WITH_LOSS)
    demo.watcher.canary.verdict = FakeVerdict(10, 1, known=KNOWN)
    await go(demo)
    first = demo.story.steps[0]
    assert (demo.story.step, demo.story.error, first.status) == (1, "", "known")
    assert [check.status for check in first.checks] == ["passed", "known"]
    assert first.checks[1].saw == f"1 of 10 acknowledged writes lost; {KNOWN}"
    told = [(event.text, event.level) for event in demo.context.hub.board.events if event.kind == "step"]
    assert told == [("step 1 known: One", "warning")]
    await go(demo)
    assert (demo.story.step, demo.statuses()[1], demo.story.error) == (2, "passed", "")


async def test_what_is_known_hides_no_failure(tmp_path: Path) -> None:
    demo = await opened(tmp_path, WITH_LOSS)
    demo.lab.stage["core-01"].answers["echo"] = (0, "another")
    demo.watcher.canary.verdict = FakeVerdict(10, 1, known=KNOWN)
    await go(demo)
    assert [check.status for check in demo.story.steps[0].checks] == ["failed", "known"]
    assert demo.statuses()[0] == "failed"
    assert demo.story.error.startswith("step 1 failed: ")


async def test_waiting_for_what_is_known_not_to_come_is_shown_as_that(tmp_path: Path) -> None:
    demo = await opened(tmp_path, WITH_LOSS)
    await demo.director.skip()
    await demo.director.skip()
    demo.lab.stage["core-02"].units["etcd"] = UnitStatus("stopped")
    demo.watcher.canary.verdict = FakeVerdict(10, 1, known=KNOWN)
    await go(demo)
    last = demo.story.steps[2]
    assert (last.status, demo.story.error) == ("known", "")
    assert sorted((check.status, check.saw) for check in last.checks) == [
        ("known", f"1 of 10 acknowledged writes lost; {KNOWN}"),
        ("passed", "stopped"),
    ]


async def test_a_chapter_is_prepared_across_a_step_that_is_known(tmp_path: Path) -> None:
    demo = stage(tmp_path, WITH_LOSS)
    demo.lab.stage["core-01"].answers["echo"] = (0, "one")
    demo.watcher.canary.verdict = FakeVerdict(10, 1, known=KNOWN)
    await demo.director.open("demo", 1)
    await demo.director.settled()
    assert (demo.story.step, demo.story.error, demo.statuses()[0]) == (1, "", "known")
