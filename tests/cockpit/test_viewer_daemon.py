"""A view on a daemon's socket: a viewer there, too, whose coming and going matters to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.cockpit_app import wait_for
from support.daemon_fake import FakeWorld, make_settings, serving, short_directory

from rwk_tui.board.frames import Step, Story
from rwk_tui.board.rows import UnitRow
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.screens.logs import LogsScreen
from rwk_tui.cockpit.source import to_running
from rwk_tui.cockpit.text import plain
from rwk_tui.daemon.client import CommandRefused, DaemonClient
from rwk_tui.daemon.protocol import Next, Quit
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process

CHAPTER = Story(chapter="x", title="X", steps=(Step(title="One"), Step(title="Two")))


@pytest.fixture
def settings() -> Iterator[Settings]:
    with short_directory() as directory:
        yield make_settings(directory / "state", linger=0.3)


def text(app: Cockpit, name: str) -> str:
    lines: Any = app.main.query_one(f"#{name}")
    return "\n".join(plain(each) for each in lines.shown)


async def test_it_looks_reads_logs_and_changes_nothing(settings: Settings) -> None:
    world = FakeWorld()
    app = Cockpit(settings, to_running(settings, read_only=True), viewer=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: "no lab is running" in text(app, "strip"))
        async with serving(settings, world) as (service, _):
            screen = await DaemonClient.connect(settings, attend="cockpit")
            await wait_for(pilot, lambda: "VIEW ● live" in text(app, "header"))
            service.hub.story(CHAPTER)
            service.hub.publish(UnitRow(machine="core-02", unit="etcd", state="running", seen_at=service.hub.now()))
            await wait_for(pilot, lambda: "One" in text(app, "story") and app.board.holds(UnitRow))
            assert app.source is not None
            before = list(world.done)
            for command in (Next(), Quit()):  # Past everything that the cockpit itself holds back.
                with pytest.raises(CommandRefused, match="a viewer may only look"):
                    await app.source.call(command)
            await pilot.press("n", "R", "d", "l")
            await wait_for(pilot, lambda: isinstance(app.screen, LogsScreen))
            log: Any = app.screen.query_one("#log")
            await wait_for(pilot, lambda: [plain(each).strip() for each in log.shown][:2] == ["one", "two"])
            assert world.done == before
            await pilot.press("escape", "q")
            await wait_for(pilot, lambda: app._exit)
            await screen.call(Next())
            assert world.done == [*before, "next"]
            await screen.close()
    assert app.return_code == 0
