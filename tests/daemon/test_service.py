"""The daemon's phases: starting, choosing what becomes of an earlier run, failing in one line."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from support.daemon_fake import FakeWorld, serving

from rwk_tui.board.rows import FaultRow, LabRow
from rwk_tui.daemon.client import CommandRefused, DaemonClient
from rwk_tui.daemon.connection import Connection
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.parts import Compose
from rwk_tui.daemon.places import make_state, record_file
from rwk_tui.daemon.protocol import Bye, Cancel, Heal, Install, Logs, Next, Quit, Reset, Resume
from rwk_tui.daemon.record import Record
from rwk_tui.settings import Settings
from rwk_tui.tape.read import Tape

pytestmark = pytest.mark.process

CUT = FaultRow(seen_at=1.0, id="f1", fault="power-cut", target="core-01", since=1.0, text="core-01: power cut")


async def in_state(client: DaemonClient, state: str) -> Follower:
    follower = await Follower(client).__aenter__()
    async with asyncio.timeout(5):
        await follower.until(lambda board: (row := board.get(LabRow, "lab")) is not None and row.state == state)
    return follower


def leave_record(settings: Settings) -> None:
    make_state(settings)
    record = Record(record_file(settings), pytest.fail)
    record.story("03-etcd-clustering", 4)
    record.faults((CUT,))


async def test_a_lab_left_behind_waits_for_the_choice_and_resumes_where_it_was(settings: Settings) -> None:
    leave_record(settings)
    world = FakeWorld(left="core-01 (etcd) broke off while up")
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        follower = await in_state(client, "choose")
        row = follower.lab()
        assert row is not None
        assert row.left_behind == "core-01 (etcd) broke off while up, in step 5 of 03-etcd-clustering"
        with pytest.raises(CommandRefused, match="first choose"):
            await client.call(Next())
        await client.call(Cancel())
        await client.call(Heal())
        assert world.done == [], "nothing is touched before the choice"
        await client.call(Resume())
        async with asyncio.timeout(5):
            await follower.until(lambda board: any(event.kind == "lab" for event in board.events))
        assert world.done == ["watch", "up", "resume 03-etcd-clustering 4"]
        assert [fault.id for fault in world.restored] == ["f1"]
        with pytest.raises(CommandRefused, match="nothing to resume"):
            await client.call(Resume())
        await client.close()


async def test_a_chapter_that_is_gone_does_not_keep_the_lab_from_resuming(settings: Settings) -> None:
    make_state(settings)
    Record(record_file(settings), pytest.fail).story("gone", 2)
    async with serving(settings, FakeWorld(left="something")) as (service, _):
        client = await DaemonClient.connect(settings)
        follower = await in_state(client, "choose")
        await client.call(Resume())
        async with asyncio.timeout(5):
            await follower.until(lambda board: any(event.kind == "lab" for event in board.events))
        assert any("gone can't be shown again" in event.text for event in service.hub.board.events)
        await client.close()


async def test_the_other_choice_empties_it(settings: Settings) -> None:
    leave_record(settings)
    world = FakeWorld(left="something")
    async with serving(settings, world) as (service, _):
        client = await DaemonClient.connect(settings)
        await in_state(client, "choose")
        await client.call(Reset())
        async with asyncio.timeout(5):
            await service.hub.wait(lambda board: (r := board.get(LabRow, "lab")) is not None and r.state == "ready", 5)
        assert world.done == ["watch", "forget", "reset", "epoch the lab was reset"]
        assert Record(record_file(settings), pytest.fail).load().chapter == ""
        await client.close()


@pytest.mark.parametrize(("first", "second"), [(Reset(), Reset()), (Reset(), Resume()), (Resume(), Reset())])
async def test_of_two_choices_in_one_moment_the_first_counts(
    settings: Settings, first: Reset | Resume, second: Reset | Resume
) -> None:
    leave_record(settings)
    world = FakeWorld(left="something")
    async with serving(settings, world) as (service, _):
        client = await DaemonClient.connect(settings)
        follower = await in_state(client, "choose")
        nobody = cast("Connection", None)
        await service.do(first, nobody)
        with pytest.raises(CommandRefused):
            await service.do(second, nobody)
        async with asyncio.timeout(5):
            await follower.until(lambda board: (r := board.get(LabRow, "lab")) is not None and r.state == "ready")
        assert world.done.count("watch") == 1
        await client.close()


class Reader:
    """A client of which only what it follows is of interest."""

    def __init__(self) -> None:
        self.followed: list[str] = []

    def follow(self, machine: str, unit: object, lines: int) -> None:
        self.followed.append(machine)


async def test_to_follow_nothing_any_more_is_never_refused(settings: Settings) -> None:
    async with serving(settings, FakeWorld(left="something")) as (service, _):
        client = await DaemonClient.connect(settings)
        await in_state(client, "choose")
        reader = Reader()
        await service.do(Reset(), cast("Connection", reader))
        with pytest.raises(CommandRefused, match="a moment please"):
            await service.do(Logs(machine="core-01", unit="etcd"), cast("Connection", reader))
        await service.do(Logs(), cast("Connection", reader))
        assert reader.followed == [""]
        await client.close()


async def test_reset_with_an_open_chapter_tells_it_from_its_beginning(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (service, _):
        client = await DaemonClient.connect(settings)
        follower = await in_state(client, "ready")
        await client.call(Next())  # the fake director is in chapter x then
        world.done.clear()
        await follower.do(Reset())
        assert world.done == ["cancel", "open x 0"]
        assert service.hub.board.story.chapter == "x"
        await client.close()


async def test_a_start_that_fails_tells_everybody_in_one_line_and_ends(settings: Settings) -> None:
    world = FakeWorld(broken="127.0.60.101:2379 is taken by nc (pid 1);\nend it")
    async with serving(settings, world) as (_, task):
        client = await DaemonClient.connect(settings)
        async with asyncio.timeout(5):
            said = [message async for message in client]
            assert await task == 1
        bye = said[-1]
        assert isinstance(bye, Bye)
        assert bye.reason == "127.0.60.101:2379 is taken by nc (pid 1); end it"
        assert world.done == ["watch", "close director", "close faults", "unwatch", "down"]
        await client.close()


async def test_a_client_that_comes_after_the_failure_still_hears_why(settings: Settings) -> None:
    def load() -> Compose:
        raise ImportError("no module named grpc")

    async with serving(settings, FakeWorld(), load=load) as (_, task):
        await asyncio.sleep(0.1)
        assert not task.done()
        client = await DaemonClient.connect(settings)
        async with asyncio.timeout(5):
            said = [message async for message in client]
        assert isinstance(said[-1], Bye)
        assert said[-1].reason == "ImportError: no module named grpc"
        await client.close()


async def test_it_ends_when_nobody_comes(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world, grace=0.1) as (_, task), asyncio.timeout(5):
        assert await task == 0


async def test_api_servers_end_before_the_machines_halt_as_far_as_they_can_be_reached(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (_, task):
        client = await DaemonClient.connect(settings)
        await in_state(client, "ready")
        await client.call(Quit())
        async with asyncio.timeout(5):
            assert await task == 0
        await client.close()
    assert world.killed_before == ["core-01/kube-apiserver", "core-03/kube-apiserver"]
    assert world.done[-1] == "down"


async def test_the_run_is_on_tape(settings: Settings) -> None:
    from dataclasses import replace

    settings = replace(settings, tape=settings.state.parent / "run.jsonl")
    async with serving(settings, FakeWorld()) as (service, _):
        client = await DaemonClient.connect(settings)
        await in_state(client, "ready")
        service.hub.tell("test", "on tape")
        await client.close()
    assert settings.tape is not None
    tape = Tape(settings.tape)
    frames = list(tape)
    assert tape.problem == ""
    assert frames[0].full
    assert [event.text for frame in frames for event in frame.events if event.kind == "test"] == ["on tape"]


async def test_a_tape_on_a_full_disk_ends_with_one_event_and_the_lab_goes_on(settings: Settings) -> None:
    from dataclasses import replace
    from pathlib import Path

    settings = replace(settings, tape=Path("/dev/full"))
    async with serving(settings, FakeWorld()) as (service, _):
        client = await DaemonClient.connect(settings)
        await in_state(client, "ready")
        for _ in range(3):
            service.flush()
        told = [event.text for event in service.hub.board.events if "tape" in event.text]
        assert told == [] or len(told) == 1
        await client.call(Next())
        await client.close()


async def test_engines_can_be_got_whatever_else_goes_on_but_not_by_a_viewer(settings: Settings) -> None:
    world = FakeWorld(left="something")
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        await in_state(client, "choose")
        await client.call(Install(engines=("kubernetes-1.37", "kwok-0.8")))
        await client.call(Install(stop=True))
        assert world.done == ["install kubernetes-1.37 kwok-0.8"]
        with pytest.raises(CommandRefused, match="there is no zookeeper"):
            await client.call(Install(engines=("zookeeper",)))
        viewer = await DaemonClient.connect(settings, role="viewer")
        with pytest.raises(CommandRefused, match="may only look"):
            await viewer.call(Install(engines=("kwok-0.8",)))
        await viewer.close()
        await client.close()
    assert world.engines.closed
