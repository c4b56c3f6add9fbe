from __future__ import annotations

import asyncio

import pytest

from rwk_tui.board import hub as hub_module
from rwk_tui.board.board import OUTPUT_KEPT, Board
from rwk_tui.board.frames import Output, Story
from rwk_tui.board.hub import LINE_KEPT, Hub
from rwk_tui.board.rows import CanaryRow, MachineRow


def machine(power: str, seen_at: float = 1.0) -> MachineRow:
    return MachineRow(seen_at=seen_at, name="core-01", power=power, address="a", since=1.0)  # type: ignore[arg-type]


def canary(acknowledged: int, state: str = "flowing") -> CanaryRow:
    return CanaryRow(seen_at=1.0, name="etcd", state=state, acknowledged=acknowledged)  # type: ignore[arg-type]


def test_an_equal_row_costs_nothing_on_the_stream_and_grows_younger() -> None:
    hub = Hub()
    hub.publish(machine("up", 1.0))
    assert len(hub.drain().rows) == 1
    hub.publish(machine("up", 2.0))
    assert hub.drain().rows == ()
    row = hub.board.get(MachineRow, "machine/core-01")
    assert row is not None and row.seen_at == 2.0


def test_numbers_wait_and_a_change_of_state_takes_them_along(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    hub.publish(canary(1))
    hub.drain()
    hub.publish(canary(2))
    assert hub.drain().rows == ()
    hub.publish(canary(3, "failing"))
    assert [row.acknowledged for row in hub.drain().rows if isinstance(row, CanaryRow)] == [3]
    hub.publish(canary(4, "failing"))
    monkeypatch.setattr(hub_module, "NUMBERS_WAIT", 0.0)
    assert [row.acknowledged for row in hub.drain().rows if isinstance(row, CanaryRow)] == [4]
    assert hub.drain().rows == ()


def test_a_retracted_row_goes_once_and_can_come_back() -> None:
    hub = Hub()
    hub.publish(machine("up"))
    hub.drain()
    hub.retract("machine/core-01", "machine/nobody")
    assert hub.drain().gone == ("machine/core-01",)
    assert hub.drain().gone == ()
    hub.publish(machine("up"))
    frame = hub.drain()
    assert len(frame.rows) == 1 and frame.gone == ()


def test_a_row_retracted_and_published_between_two_drains_stays() -> None:
    hub, seen = Hub(), Board()
    hub.publish(machine("up"))
    seen.apply(hub.drain())
    hub.retract("machine/core-01")
    hub.publish(machine("off"))
    seen.apply(hub.drain())
    row = seen.get(MachineRow, "machine/core-01")
    assert row is not None and row.power == "off"


def test_the_frames_of_a_run_build_the_same_board_as_its_snapshot() -> None:
    hub, follower, late = Hub(), Board(), Board()
    for power in ("starting", "up", "off", "up"):
        hub.publish(machine(power))
        hub.tell("machine", f"core-01 {power}")
        hub.print(Output(at=1.0, step="s", machine="core-01", stream="out", text=power))
        hub.story(Story(chapter="01-hosts", busy=power))
        follower.apply(hub.drain())
    late.apply(hub.snapshot())
    assert list(follower.all()) == list(late.all())
    assert list(follower.events) == list(late.events) and len(late.events) == 4
    assert list(follower.output) == list(late.output)
    assert follower.story == late.story


async def test_a_wait_ends_with_the_change_it_waits_for() -> None:
    hub = Hub()
    waiting = asyncio.create_task(
        hub.wait(lambda board: (row := board.get(MachineRow, "machine/core-01")) is not None and row.power == "off", 5)
    )
    await asyncio.sleep(0)
    hub.publish(machine("up"))
    await asyncio.sleep(0)
    assert not waiting.done()
    hub.publish(machine("off"))
    assert await waiting


async def test_a_wait_says_when_its_time_ran_out() -> None:
    assert not await Hub().wait(lambda board: False, 0.01)


async def test_a_pending_change_wakes_the_pump_at_once() -> None:
    hub = Hub()
    hub.publish(machine("up"))
    async with asyncio.timeout(0.5):
        await hub.changed(30)


def test_output_is_bounded_in_length_and_number() -> None:
    hub = Hub()
    for number in range(3 * OUTPUT_KEPT):
        hub.print(Output(at=0.0, step="x", machine="core-01", stream="out", text=f"{number} " + "x" * 2 * LINE_KEPT))
    frame = hub.drain()
    assert len(frame.output) == len(hub.board.output) == OUTPUT_KEPT
    assert frame.output[-1].text.startswith(f"{3 * OUTPUT_KEPT - 1} xxx")
    assert frame.output[-1].text.endswith(" characters more)")
    assert len(frame.output[-1].text) < LINE_KEPT + 50
    assert hub.drain().output == ()
