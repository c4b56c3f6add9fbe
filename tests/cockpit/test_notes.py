"""The speaker notes: what they show, that they drive, and that they may not where they only read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from support import cockpit_frames as frames
from support.cockpit_app import Clock, FakeSource, wait_for
from support.cockpit_frames import NOW
from support.notes_app import noted, notes_app

from rwk_tui.board.board import Board
from rwk_tui.cockpit.keymap import KeyMap
from rwk_tui.cockpit.notes_actions import NOTES_ACTIONS
from rwk_tui.cockpit.notes_app import NotesApp
from rwk_tui.cockpit.palettes import PALETTES, Palette
from rwk_tui.cockpit.source import first_then
from rwk_tui.cockpit.text import plain
from rwk_tui.cockpit.views.notes import now_view
from rwk_tui.daemon.protocol import AnyCommand, Back, Bye, Heal, Next, Refused

SIZES = [(80, 24), (60, 20)]


def text(app: NotesApp, name: str) -> str:
    """What a part of the screen says, its title included, with single blanks."""
    widget: Any = app.screen.query_one(f"#{name}")
    return " ".join(f"{widget.border_title or ''} {' '.join(plain(each) for each in widget.shown)}".split())


async def shown(pilot: Any, app: NotesApp) -> None:
    await wait_for(pilot, lambda: app.board.at > 0 and "live" in text(app, "header"))


def in_sight(app: NotesApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_a_theme_of_the_user_s_own_is_theirs_too() -> None:
    plum = Palette("plum", {**PALETTES["light"].colours, "good": "#0a3f80"})
    app = notes_app(FakeSource(noted().frame()), palette=plum)
    async with app.run_test(size=SIZES[0]) as pilot:
        await shown(pilot, app)
        assert app.current_theme.success == "#0a3f80"


@pytest.mark.parametrize("size", SIZES)
async def test_notes_commands_and_the_next_step_are_in_sight(size: tuple[int, int]) -> None:
    app = notes_app(FakeSource(noted(frames.partition()).frame()))
    words = (
        "03-etcd-clustering",
        "Now · 4 of 5 · Add core-03 as a learner",
        "Read the lag aloud while it shrinks",
        "$ etcdctl --endpoints=http://127.0.8.101:2379 member add core-03",
        "Then · 5 of 5 · Promote it",
        "Promotion is refused until the learner",
        "★ core-02 term 8",
        "↯ partition core-01",
        "talk 0:00",
        "q close",
    )

    def missing() -> list[str]:
        seen = " ".join(in_sight(app).replace("│", " ").split())
        return [each for each in words if each not in seen]

    async with app.run_test(size=size) as pilot:
        await shown(pilot, app)
        await wait_for(pilot, lambda: not missing())


async def test_a_step_without_notes_says_so_and_what_the_audience_reads() -> None:
    app = notes_app(FakeSource(frames.calm().frame()))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        assert "no notes; the screen says: A learner receives the log" in text(app, "now")


@pytest.mark.parametrize(
    ("step", "now", "then"),
    [
        (4, "Now · 5 of 5 · Promote it", "This is the last step of the chapter."),
        (5, "Now · ✓ the chapter is told All 5 steps are done.", "Then"),
    ],
)
async def test_the_end_of_a_chapter(step: int, now: str, then: str) -> None:
    scene = noted(replace(frames.calm(), story=frames.story(step)))
    app = notes_app(FakeSource(scene.frame()))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        assert text(app, "now").startswith(now)
        assert text(app, "then").endswith(then)


def test_the_end_of_a_chapter_counts_what_failed_and_what_is_known() -> None:
    story = frames.story(5)
    steps = [msgspec.structs.replace(step, status="passed") for step in story.steps]
    steps[1] = msgspec.structs.replace(steps[1], status="known")
    for failed, words in ((0, "5 steps, 1 known."), (2, "5 steps, 2 failed, 1 known.")):
        for number in range(failed):
            steps[2 + number] = msgspec.structs.replace(steps[2 + number], status="failed")
        told = msgspec.structs.replace(story, steps=tuple(steps))
        board = Board()
        board.apply(replace(frames.calm(), story=told).frame())
        assert now_view(board).hint == words


async def test_what_the_story_does_and_what_failed_is_told() -> None:
    scene = noted()
    source = FakeSource(replace(scene, story=msgspec.structs.replace(scene.story, busy="step 4/5: a learner")).frame())
    app = notes_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        assert "▶ step 4/5: a learner" in text(app, "now")
        failed = msgspec.structs.replace(scene.story, error="step 4 failed: no member")
        source.say(replace(scene, story=failed).frame(seq=2))
        await wait_for(pilot, lambda: "✗ step 4 failed: no member" in text(app, "now"))


DRIVING: list[tuple[str, AnyCommand]] = [("n", Next()), ("b", Back()), ("h", Heal())]


@pytest.mark.parametrize(("key", "command"), DRIVING)
async def test_notes_drive(key: str, command: AnyCommand) -> None:
    source = FakeSource(noted(frames.partition()).frame())
    app = notes_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press(key)
        await wait_for(pilot, lambda: source.calls == [command])


async def test_keys_of_the_user_s_own_drive_too_but_for_those_that_the_notes_need() -> None:
    keys = KeyMap((("next", ("f5", "space")), ("heal", ("r",)), ("theme", ("x",))))
    source = FakeSource(noted(frames.partition()).frame())
    app = notes_app(source, keys=keys)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        assert "F5 next" in text(app, "footer") and "h heal" in text(app, "footer")
        await pilot.press("n", "x", "f5")
        await wait_for(pilot, lambda: source.calls == [Next()])
        await pilot.press("r", "space")  # The timer's own.
        await pilot.press("h")
        await wait_for(pilot, lambda: source.calls == [Next(), Heal()])
        assert "paused" in text(app, "header")


async def test_read_only_notes_drive_nothing_and_offer_nothing() -> None:
    source = FakeSource(noted(frames.partition()).frame())
    app = notes_app(source, read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press("n", "b", "h", "space")  # The last one comes after them, so that they have had their turn.
        await wait_for(pilot, lambda: "paused" in text(app, "header"))
        assert source.calls == []
        assert "next" not in text(app, "footer")
        assert "read-only" in text(app, "header")


async def test_a_key_that_makes_no_sense_now_sends_nothing() -> None:
    source = FakeSource(noted().frame())
    app = notes_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press("h", "n")
        await wait_for(pilot, lambda: bool(source.calls))
        assert source.calls == [Next()]


async def test_the_timer_counts_pauses_and_starts_anew() -> None:
    clock = Clock()
    app = notes_app(FakeSource(noted().frame()), clock=clock)

    async def says(pilot: Any, words: str, now: float) -> None:
        clock.now = NOW + now
        app.paint()
        await wait_for(pilot, lambda: words in text(app, "header"))

    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await says(pilot, "talk 1:05", 65)
        await pilot.press("space")
        await says(pilot, "‖ paused 1:05", 3600)
        await pilot.press("space")
        await says(pilot, "talk 1:15", 3610)
        await pilot.press("r")
        await says(pilot, "talk 1:02:03", 3610 + 3723)


async def test_refusals_of_the_screen_and_of_the_notes_are_told_and_forgotten() -> None:
    clock, source = Clock(), FakeSource(noted().frame())
    app = notes_app(source, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        source.say(Refused(command="next", error="busy: step 4/5"))
        await wait_for(pilot, lambda: "! refused on the screen 0 s ago: busy: step 4/5" in text(app, "word"))
        clock.now = NOW + 30
        source.say(noted().frame(seq=2))
        await wait_for(pilot, lambda: text(app, "word") == "")
        source.refuse = "the lab is resetting"
        await pilot.press("n")
        await wait_for(pilot, lambda: "! not done 0 s ago: the lab is resetting" in text(app, "word"))


async def test_a_lost_daemon_is_told_and_found_again() -> None:
    first, second = FakeSource(noted().frame()), FakeSource()
    app = notes_app(first, second)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        first.end(ConnectionResetError("the connection was reset"))
        await wait_for(pilot, lambda: "daemon lost, trying again: the connection was reset" in text(app, "word"))
        assert "Read the lag aloud" in text(app, "now"), "what was known stays readable"
        second.say(noted(frames.partition()).frame())
        await wait_for(pilot, lambda: "● live" in text(app, "header") and "↯ partition" in text(app, "state"))
        assert first.closed


async def test_a_lab_that_was_halted_is_waited_for() -> None:
    first, second = FakeSource(noted().frame()), FakeSource()
    app = notes_app(first, second)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        first.say(Bye(reason="asked to quit; the lab is halted"))
        first.end()
        await wait_for(pilot, lambda: "asked to quit; the lab is halted; waiting for a lab" in text(app, "word"))
        second.say(noted().frame())
        await wait_for(pilot, lambda: "● live" in text(app, "header"))


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_the_notes_halts_nothing(key: str) -> None:
    source = FakeSource(noted().frame())
    app = notes_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.press(key)
        await wait_for(pilot, lambda: app.return_code == 0)
    assert source.calls == []


async def test_the_mouse_does_what_the_footer_says() -> None:
    source = FakeSource(noted().frame())
    app = notes_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app)
        await pilot.click("#footer", offset=(2, 0))
        await wait_for(pilot, lambda: source.calls == [Next()])


async def test_the_open_source_comes_first_and_then_others() -> None:
    first, other = FakeSource(), FakeSource()

    async def connect(start: bool) -> FakeSource:
        return other

    opens = first_then(first, connect)
    assert [await opens(False) for _ in range(3)] == [first, other, other]


def test_no_key_means_two_things() -> None:
    keys = [key for action in NOTES_ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
