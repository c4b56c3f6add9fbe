"""The speaker notes on a daemon's socket: they drive it or only look, and their going matters to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from support.cockpit_app import wait_for
from support.daemon_fake import FakeWorld, make_settings, serving, short_directory

from rwk_tui.board.frames import Step, Story
from rwk_tui.board.rows import LabRow
from rwk_tui.cockpit.notes_app import NotesApp
from rwk_tui.cockpit.source import to_running
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.client import CommandRefused, DaemonClient
from rwk_tui.daemon.protocol import Inject, Next
from rwk_tui.daemon.service import Service
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process

CHAPTER = Story(chapter="x", title="X", steps=(Step(title="One", notes="Say one."), Step(title="Two")))


@pytest.fixture
def settings() -> Iterator[Settings]:
    with short_directory() as directory:
        yield make_settings(directory / "state", linger=0.3)


def notes(settings: Settings, *, read_only: bool = False) -> NotesApp:
    return NotesApp(settings, to_running(settings, read_only=read_only), read_only=read_only, retry=0.05)


def text(app: NotesApp, name: str) -> str:
    lines: Any = app.screen.query_one(f"#{name}")
    return " ".join(" ".join(plain(each) for each in lines.shown).split())


async def open_chapter(pilot: Any, app: NotesApp, service: Service) -> None:
    """Wait until the lab is up and its chapter is on the screen."""
    service.hub.story(CHAPTER)
    await wait_for(pilot, lambda: (lab := app.board.get(LabRow, "lab")) is not None and lab.state == "ready")
    await wait_for(pilot, lambda: "Say one." in text(app, "now"))


async def test_notes_drive_and_hear_what_the_screen_is_refused(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (service, _):
        screen = await DaemonClient.connect(settings, attend="cockpit")
        app = notes(settings)
        async with app.run_test(size=(80, 24)) as pilot:
            await open_chapter(pilot, app, service)
            with pytest.raises(CommandRefused):
                await screen.call(Inject(fault="nonsense", target="core-01"))
            await wait_for(pilot, lambda: "refused on the screen" in text(app, "word"))
            assert text(app, "word").endswith("there is no such fault")
            await pilot.press("n")
            await wait_for(pilot, lambda: "next" in world.done)
            await pilot.press("q")
        await screen.call(Next())  # The lab goes on without its notes.
        assert world.done.count("next") == 2
        await screen.close()


async def test_notes_that_only_look_are_a_viewer(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (service, _):
        screen = await DaemonClient.connect(settings, attend="cockpit")
        app = notes(settings, read_only=True)
        async with app.run_test(size=(80, 24)) as pilot:
            await open_chapter(pilot, app, service)
            app.send(Next())  # Past every key: the daemon itself must refuse it.
            await wait_for(pilot, lambda: "a viewer may only look" in text(app, "word"))
        assert "next" not in world.done
        await screen.close()


async def test_notes_outlive_a_daemon_and_find_the_next_one(settings: Settings) -> None:
    app = notes(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(2):
            async with serving(settings, FakeWorld()) as (service, _):
                screen = await DaemonClient.connect(settings, attend="cockpit")
                await open_chapter(pilot, app, service)
                await screen.close()
                service.lifetime.end("the talk is over")
                await wait_for(pilot, lambda: "the talk is over" in text(app, "word"))
            async with asyncio.timeout(5):
                await wait_for(pilot, lambda: not app.contact.talks)
