"""Garbage collection stays out of the presenter's way, and closed dialogs leave nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from textual._styles_cache import StylesCache

from rwk_tui.cockpit import memory
from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.memory import SELDOM, Memory, load_later
from rwk_tui.settings import Settings


@pytest.fixture
def own_gc() -> Iterator[None]:
    """Puts the collector of the test's process back to what it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.enable()


class Counted(Memory):
    """Counts instead of collecting."""

    def __init__(self) -> None:
        super().__init__()
        self.tidied = self.wholly = 0

    def tidy(self) -> None:
        self.tidied += 1

    def tidy_all(self) -> None:
        self.wholly += 1


def test_nothing_is_collected_until_the_first_frame_is_there(own_gc: None) -> None:
    ours = Memory(owns=True)
    ours.hold()
    assert not gc.isenabled()
    ours.begin()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == SELDOM


def test_what_lasts_is_set_aside_and_cycles_are_not(own_gc: None) -> None:
    ours = Memory(owns=True)
    ours.begin()
    frozen = gc.get_freeze_count()
    cycles = [[] for _ in range(500)]  # type: ignore[var-annotated]
    for cycle in cycles:
        cycle.append(cycle)
    lasting = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    del cycles, cycle
    ours.tidy()
    assert frozen + 1000 <= gc.get_freeze_count() < frozen + 1500
    assert len(lasting) == 1000


def test_a_process_of_others_is_left_alone() -> None:
    before = gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()
    theirs = Memory()
    theirs.hold()
    theirs.begin()
    theirs.tidy_all()
    assert (gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()) == before


async def test_what_is_needed_later_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PAUSE", 0.0)
    await load_later()  # Raises where a module has another name by now.


async def test_it_tidies_only_while_nothing_short_lived_is_open() -> None:
    app = cockpit(frames.calm())
    counted = app._memory = Counted()
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press("question_mark")
        counted.tidied = 0
        app._each_second()
        assert counted.tidied == 0
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        counted.tidied = 0
        app._each_second()
        assert counted.tidied == 1
        app.notify("a toast is a widget that goes again")
        await pilot.pause()
        counted.tidied = 0
        app._each_second()
        assert counted.tidied == 0


async def test_what_a_lost_connection_left_is_tidied_when_there_is_another() -> None:
    first, second = FakeSource(frames.calm().frame()), FakeSource(frames.calm().frame())
    left = [first, second]

    async def connect(start: bool) -> FakeSource:
        return left.pop(0)

    app = Cockpit(Settings(state=Path("/x"), engine_cache=Path("/x")), connect)
    counted = app._memory = Counted()
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        assert counted.wholly == 0
        first.end()
        await wait_for(pilot, lambda: not left and app.contact.state == "live")
        assert counted.wholly == 1


async def test_closed_dialogs_leave_no_painted_lines() -> None:
    app = cockpit(frames.calm(), source=FakeSource())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)

        async def painted() -> int:
            for key in ("question_mark", "c", "e") * 2:
                await pilot.press(key)
                await wait_for(pilot, lambda: len(app.screen_stack) == 2)
                await pilot.pause(0.05)
                await pilot.press("escape")
                await wait_for(pilot, lambda: len(app.screen_stack) == 1)
            await pilot.pause(0.05)
            gc.collect()
            return sum(isinstance(thing, StylesCache) for thing in gc.get_objects())

        first = await painted()
        assert await painted() <= first + 4
