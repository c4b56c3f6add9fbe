"""The socket: who is let in, who is dropped, and that the others never notice."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import fields
from support.daemon_fake import FakeWorld, serving

from rwk_tui.board.board import Board
from rwk_tui.board.frames import PROTOCOL, Frame, Output
from rwk_tui.board.rows import LabRow
from rwk_tui.daemon import connection
from rwk_tui.daemon import service as service_module
from rwk_tui.daemon.client import CommandRefused, DaemonClient, DaemonError
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import (
    COMMAND_LIMIT,
    AnyCommand,
    Back,
    Bye,
    Cancel,
    Detach,
    Heal,
    Hello,
    Inject,
    LogLines,
    Logs,
    Next,
    Open,
    Power,
    Quit,
    Refused,
    Reply,
    Reset,
    Shell,
    Welcome,
)
from rwk_tui.daemon.wire import decode_message, encode
from rwk_tui.settings import Settings

pytestmark = pytest.mark.process


async def ready(client: DaemonClient) -> Follower:
    follower = await Follower(client).__aenter__()
    async with asyncio.timeout(5):
        await follower.until(lambda board: (row := board.get(LabRow, "lab")) is not None and row.state == "ready")
    return follower


async def test_the_socket_is_private_and_welcome_comes_before_the_lab_is_there(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        assert stat.S_IMODE(settings.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(settings.state.stat().st_mode) == 0o700
        reader, writer = await asyncio.open_unix_connection(settings.socket)
        writer.write(encode(Hello()))
        welcome, full = [decode_message(await reader.readuntil()) for _ in range(2)]
        assert isinstance(welcome, Welcome)
        assert isinstance(full, Frame)
        assert full.full
        assert any(isinstance(row, LabRow) for row in full.rows)
        writer.close()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "not a message"),
        (b"\x00\xff\xfe\n", "not a message"),
        (b"[" * 60_000 + b"\n", "not a message"),
        (b'{"do":"next"}\n', "must be a hello"),
        (b'{"do":"hello","protocol":%d,"role":"king"}\n' % PROTOCOL, "role"),
        (b"x" * (COMMAND_LIMIT + 10), f"more than {COMMAND_LIMIT} bytes"),
        (b'{"do":"hello","protocol":99,"version":"9.9"}\n', "9.9, protocol 99"),
    ],
)
async def test_rubbish_is_dropped_with_one_line_and_the_lab_goes_on(settings: Settings, line: bytes, why: str) -> None:
    async with serving(settings, FakeWorld()):
        good = await DaemonClient.connect(settings)
        follower = await ready(good)
        reader, writer = await asyncio.open_unix_connection(settings.socket)
        writer.write(line)
        async with asyncio.timeout(5):
            bye = decode_message(await reader.readuntil())
            rest = await reader.read()
        assert isinstance(bye, Bye)
        assert why in bye.reason
        assert "\n" not in bye.reason
        assert rest == b""
        writer.close()
        await follower.do(Next())
        await follower.__aexit__()
        await good.close()


@pytest.mark.parametrize("line", [b"{}\n", b'{"do":"dance"}\n', b'{"do":"open"}\n', b"y" * (COMMAND_LIMIT + 10)])
async def test_rubbish_after_the_hello_drops_only_that_client(settings: Settings, line: bytes) -> None:
    async with serving(settings, FakeWorld()):
        good = await DaemonClient.connect(settings)
        reader, writer = await asyncio.open_unix_connection(settings.socket)
        writer.write(encode(Hello()))
        await reader.readuntil()
        writer.write(line)
        async with asyncio.timeout(5):
            lines = (await reader.read()).splitlines()
        assert isinstance(decode_message(lines[-1]), Bye)
        writer.close()
        await ready(good)
        await good.close()


async def test_a_client_that_does_not_read_is_cut_and_the_others_get_everything(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BACKLOG", 100_000)
    async with serving(settings, FakeWorld()) as (service, _):
        good = await DaemonClient.connect(settings)
        follower = await ready(good)
        reader, writer = await asyncio.open_unix_connection(settings.socket, limit=1024)
        writer.write(encode(Hello()))
        await reader.readuntil()
        for number in range(60):
            service.hub.tell("test", f"{number} " + "x" * 30_000)
            service.flush()
            await asyncio.sleep(0.002)
        async with asyncio.timeout(5):
            await follower.until(lambda board: bool(board.events) and board.events[-1].text.startswith("59 "))
            while await _more(reader):
                pass
        writer.close()
        assert sum(event.kind == "test" for event in follower.board.events) == 60
        await good.close()


async def _more(reader: asyncio.StreamReader) -> bool:
    try:
        return bool(await reader.read(1 << 20))
    except ConnectionError:
        return False


async def test_who_comes_in_between_sees_each_event_once(settings: Settings) -> None:
    async with serving(settings, FakeWorld()) as (service, _):
        first = await DaemonClient.connect(settings)
        one = await ready(first)
        service.hub.tell("test", "before")
        second = await DaemonClient.connect(settings)
        two = await ready(second)
        service.hub.tell("test", "after")
        async with asyncio.timeout(5):
            for follower in (one, two):
                await follower.until(lambda board: any(event.text == "after" for event in board.events))
        for follower in (one, two):
            assert [event.text for event in follower.board.events if event.kind == "test"] == ["before", "after"]
        await first.close()
        await second.close()


async def test_an_idle_daemon_gives_signs_of_life(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        client = await DaemonClient.connect(settings)
        await ready(client)
        quiet = await DaemonClient.connect(settings, role="viewer")
        frames = 0
        async with asyncio.timeout(10):
            async for message in quiet:
                frames += isinstance(message, Frame)
                if isinstance(message, Frame) and message == Frame(seq=message.seq, at=message.at):
                    break
        assert frames >= 2
        await quiet.close()
        await client.close()


async def test_a_viewer_may_only_look_and_follow_logs(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world):
        viewer = await DaemonClient.connect(settings, role="viewer", attend="cockpit")
        for command in (
            Inject(fault="partition", target="core-01"),
            Next(),
            Heal(),
            Cancel(),
            Reset(),
            Shell(machine="core-01"),
            Quit(),
        ):
            with pytest.raises(CommandRefused, match="may only look"):
                await viewer.call(command)
        driver = await DaemonClient.connect(settings)
        await ready(driver)
        await viewer.call(Logs(machine="core-02", unit="etcd", lines=1))
        async with asyncio.timeout(5):
            logs = [message async for message in _until_log(viewer)]
        assert logs == [LogLines(machine="core-02", unit="etcd", lines=("two",))]
        assert world.done == ["watch", "up", "epoch a fresh lab"]
        await viewer.close()
        await driver.close()


@pytest.mark.parametrize("kind", get_args(AnyCommand), ids=lambda kind: kind.__name__)
async def test_every_command_of_a_viewer_is_refused_on_the_socket(settings: Settings, kind: Any) -> None:
    given = {"verb": "destroy", "confirm": "core-01", "fault": "partition"}
    values = {field.name: given.get(field.name, "core-01") for field in fields(kind) if field.required}
    command = msgspec.convert({**values, "do": kind.__struct_config__.tag, "id": 7}, kind)
    world = FakeWorld()
    async with serving(settings, world) as (service, _):
        driver = await DaemonClient.connect(settings, attend="cockpit")
        await ready(driver)
        before = list(world.done)
        reader, writer = await asyncio.open_unix_connection(settings.socket)
        # It claims to hold the lab, too; and then to be a driver after all.
        writer.write(encode(Hello(role="viewer", attend="cockpit")) + encode(Hello(role="driver")) + encode(command))
        async with asyncio.timeout(5):
            answer = await _reply(reader, 7)
        harmless = kind in (Logs, Detach)  # To read a log, and to go oneself.
        assert ("may only look" in answer.error) != harmless
        writer.close()
        assert world.done == before
        assert not service.lifetime.ended.is_set()
        await driver.call(Next())
        assert world.done == [*before, "next"]
        await driver.close()


async def _reply(reader: asyncio.StreamReader, id: int) -> Reply:
    while True:
        message = decode_message(await reader.readuntil())
        if isinstance(message, Reply) and message.id == id:
            return message


async def _until_log(client: DaemonClient):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async for message in client:
        if isinstance(message, LogLines):
            yield message
            return


async def test_who_asks_for_it_is_told_what_others_are_refused(settings: Settings) -> None:
    async with serving(settings, FakeWorld()) as (service, _):
        screen = await DaemonClient.connect(settings)
        await ready(screen)
        notes = await DaemonClient.connect(settings, refusals=True)
        deaf = await DaemonClient.connect(settings, role="viewer")
        for asking in (notes, screen):
            with pytest.raises(CommandRefused, match="there is no such fault"):
                await asking.call(Inject(fault="nonsense", target="core-01"))
        service.hub.tell("test", "after it")
        assert await _refusals(notes) == [Refused(command="inject", error="there is no such fault")]
        assert await _refusals(deaf) == []
        for client in (screen, notes, deaf):
            await client.close()


async def test_what_strangers_and_log_views_are_refused_is_told_to_nobody(settings: Settings) -> None:
    async with serving(settings, FakeWorld()) as (service, _):
        screen = await DaemonClient.connect(settings)
        await ready(screen)
        notes = await DaemonClient.connect(settings, refusals=True)
        viewer = await DaemonClient.connect(settings, role="viewer")
        for asking in (screen, viewer):
            with pytest.raises(CommandRefused, match="no machine"):
                await asking.call(Logs(machine="core-07", unit="etcd"))
        with pytest.raises(CommandRefused, match="may only look"):
            await viewer.call(Next())
        service.hub.tell("test", "after it")
        assert await _refusals(notes) == []
        for client in (screen, notes, viewer):
            await client.close()


async def _refusals(client: DaemonClient) -> list[Refused]:
    """What the client hears of refusals until an event comes that was told after them."""
    heard: list[Refused] = []
    async with asyncio.timeout(5):
        async for message in client:
            if isinstance(message, Refused):
                heard.append(message)
            if isinstance(message, Frame) and any(event.text == "after it" for event in message.events):
                break
    return heard


async def test_commands_reach_the_parts_and_refusals_are_one_line(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        follower = await ready(client)
        world.done.clear()
        await follower.do(Open(chapter="02-etcd-single", step=3))
        assert follower.board.story.busy == "preparing", "what a command changed is on the board when it is taken"
        await client.call(Inject(fault="partition", target="leader"))
        await client.call(Heal(fault="all"))
        await client.call(Power(machine="core-02", verb="kill"))
        await client.call(Power(machine="core-02", verb="destroy", confirm="core-02"))
        assert world.done == [
            "open 02-etcd-single 3",
            "inject partition leader",
            "heal all",
            "kill core-02",
            "destroy core-02",
        ]
        for command, why in (
            (Inject(fault="nonsense", target="x"), "there is no such fault"),
            (Inject(fault="bug", target="x"), "KeyError"),
            (Power(machine="core-09", verb="kill"), "there is no machine 'core-09'"),
            (Power(machine="core-01", verb="destroy", confirm="core-02"), "type core-01"),
            (Logs(machine="core-07", unit="etcd"), "no machine"),
            (Hello(), "already"),
        ):
            with pytest.raises(CommandRefused, match=why) as refused:
                await client.call(command)
            assert "\n" not in str(refused.value)
        await client.close()


async def test_cancel_gets_through_while_another_command_is_under_way(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        await ready(client)
        slow = asyncio.create_task(client.call(Inject(fault="slow", target="core-01")))
        async with asyncio.timeout(5):
            await client.call(Cancel())
        assert not slow.done()
        world.gate.set()
        await slow
        await client.close()


async def test_too_many_commands_at_once_are_refused(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        await ready(client)
        slow = [asyncio.create_task(client.call(Inject(fault="slow", target="x"))) for _ in range(20)]
        async with asyncio.timeout(5):
            done, _ = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        assert "too many" in str(done.pop().exception())
        world.gate.set()
        results = await asyncio.gather(*slow, return_exceptions=True)
        assert sum(result is None for result in results) == connection.PARALLEL
        await client.close()


async def test_quit_halts_the_lab_and_says_goodbye_to_all(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (_, task):
        client, other = await DaemonClient.connect(settings), await DaemonClient.connect(settings, role="viewer")
        await ready(client)
        await client.call(Quit())
        async with asyncio.timeout(5):
            assert await task == 0
            said = [message async for message in other]
        assert isinstance(said[-1], Bye)
        assert "halted" in said[-1].reason
        assert world.done[-4:] == ["close director", "close faults", "unwatch", "down"]
        assert not settings.socket.exists()
        with pytest.raises(DaemonError):
            await client.call(Back())
        with pytest.raises(DaemonError, match="no lab is running"):
            await DaemonClient.connect(settings)
        await client.close()
        await other.close()


@pytest.mark.parametrize("halt", [False, True])
async def test_machines_that_outlive_the_daemon_are_left_well_or_halted(settings: Settings, halt: bool) -> None:
    world = FakeWorld(outlives=True)
    async with serving(settings, world) as (_, task):
        client, other = await DaemonClient.connect(settings), await DaemonClient.connect(settings, role="viewer")
        await ready(client)
        await client.call(Quit(halt=halt))
        async with asyncio.timeout(5):
            assert await task == 0
            said = [message async for message in other]
        assert isinstance(said[-1], Bye)
        assert ("halted" in said[-1].reason, "run on" in said[-1].reason) == (halt, not halt)
        end = [
            "close director",
            *([] if halt else ["heal all"]),
            "close faults",
            "unwatch",
            "down" if halt else "leave",
        ]
        assert world.done[-len(end) :] == end
        assert bool(world.killed_before) == halt
        await client.close()
        await other.close()


async def test_machines_that_could_not_be_halted_are_not_said_to_be(settings: Settings) -> None:
    world = FakeWorld(outlives=True, stuck="core-02 does not answer")
    async with serving(settings, world) as (_, task):
        client = await DaemonClient.connect(settings)
        async with Follower(client) as follower, asyncio.timeout(5):
            await follower.until(lambda board: _lab(board).state == "ready")
            await client.call(Quit(halt=True))
            said = await follower.ended()
            assert await task == 0
        assert said.endswith("the lab is not halted as it should be: core-02 does not answer")
        assert not follower.halted
        await client.close()


async def test_what_a_slow_backend_says_stands_on_the_board_until_the_lab_is_ready(settings: Settings) -> None:
    world = FakeWorld(says="Booting VM...", outlives=True)
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        async with Follower(client) as follower, asyncio.timeout(5):
            await follower.until(lambda board: _lab(board).doing == "core-01: Booting VM...")
            assert _lab(follower.board).state == "starting"
            assert _lab(follower.board).outlives
            world.gate.set()
            await follower.until(lambda board: _lab(board).state == "ready")
            assert _lab(follower.board).doing == ""
        await client.close()


async def test_what_fails_where_nobody_waits_is_on_the_timeline(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world):
        client = await DaemonClient.connect(settings)
        async with Follower(client) as follower, asyncio.timeout(5):
            await follower.until(lambda board: _lab(board).state == "ready")
            world.complainer("core-02", "core-02's clock is 37 s behind yours")
            world.complainer("core-03", "no space left")
            texts = {"core-02's clock is 37 s behind yours", "core-03: no space left"}
            await follower.until(lambda board: texts <= {event.text for event in board.events})
            told = [event for event in follower.board.events if event.text in texts]
            assert [(event.level, event.subject) for event in told] == [
                ("warning", "machine/core-02"),
                ("warning", "machine/core-03"),
            ]
        await client.close()


def _lab(board: Board) -> LabRow:
    row = board.get(LabRow, "lab")
    assert row is not None
    return row


async def test_detach_leaves_the_lab_running(settings: Settings) -> None:
    world = FakeWorld()
    async with serving(settings, world) as (_, task):
        client = await DaemonClient.connect(settings, attend="cockpit")
        await ready(client)
        await client.call(Detach())
        await client.close()
        await asyncio.sleep(3 * settings.linger)
        assert not task.done()
        assert "down" not in world.done


async def test_a_detached_lab_that_nobody_can_reach_any_more_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "LOOK", 0.05)
    async with serving(settings, FakeWorld()) as (_, task):
        client = await DaemonClient.connect(settings, attend="cockpit")
        await ready(client)
        settings.socket.unlink()
        await asyncio.sleep(0.3)
        assert not task.done(), "who holds it may go on"
        await client.call(Detach())
        async with asyncio.timeout(5):
            assert await task == 0
        await client.close()


async def test_no_amount_of_output_is_too_much_for_a_client(settings: Settings) -> None:
    world = FakeWorld()
    world.machines["core-01"].log = tuple(f"{number}".ljust(100_000, "\0") for number in range(1000))
    async with serving(settings, world) as (service, _):
        client = await DaemonClient.connect(settings)
        follower = await ready(client)
        viewer = await DaemonClient.connect(settings, role="viewer")
        for number in range(5000):
            text = f"{number}".ljust(100_000, "\0")  # a NUL takes six bytes in JSON
            service.hub.print(Output(at=0.0, step="x", machine="core-01", stream="out", text=text))
        service.hub.tell("test", "done")
        async with asyncio.timeout(20):
            await follower.until(lambda board: any(event.text == "done" for event in board.events))
            assert follower.board.output[-1].text.startswith("4999")
            await viewer.call(Logs(machine="core-01", unit="etcd", lines=1000))
            seen: list[str] = []
            while not seen or not seen[-1].startswith("999"):
                message = await anext(viewer)
                assert not isinstance(message, Bye), message
                seen += message.lines if isinstance(message, LogLines) else ()
        assert len(seen) == 1000
        await viewer.close()
        await client.close()


async def test_a_cockpit_that_dies_is_waited_for_then_the_lab_is_halted(settings: Settings) -> None:
    world = FakeWorld()
    settings = replace(settings, linger=2.0)
    async with serving(settings, world) as (_, task):
        client = await DaemonClient.connect(settings, attend="cockpit")
        await ready(client)
        await client.close()
        again = await DaemonClient.connect(settings, attend="cockpit")
        await asyncio.sleep(1.5 * settings.linger)
        assert not task.done(), "it came back in time"
        await again.close()
        async with asyncio.timeout(20):
            assert await task == 0
        assert world.done[-1] == "down"


async def test_a_command_that_finds_somebody_else_s_lab_does_not_end_it(settings: Settings) -> None:
    async with serving(settings, FakeWorld()) as (_, task):
        client = await DaemonClient.connect(settings, attend="cockpit")
        await ready(client)
        await client.call(Detach())
        await client.close()
        stranger = await DaemonClient.connect(settings, attend="headless")
        await ready(stranger)
        await stranger.close()
        assert not task.done()
        owner = await DaemonClient.connect(settings, attend="none")  # it still listens and lets people in
        await ready(owner)
        await owner.close()
        # Only who has started this very daemon holds it without a screen.
        reader, writer = await asyncio.open_unix_connection(settings.socket)
        writer.write(encode(Hello(attend="headless", started=os.getpid())))
        await reader.readuntil()
        writer.close()
        async with asyncio.timeout(5):
            assert await task == 0


async def test_commands_without_effect_send_nobody_a_frame(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        client = await DaemonClient.connect(settings)
        await ready(client)
        other = await DaemonClient.connect(settings, role="viewer")
        for _ in range(200):
            await client.call(Heal())
        await client.call(Next())
        frames = 0
        async with asyncio.timeout(5):
            async for message in other:
                frames += isinstance(message, Frame)
                if isinstance(message, Frame) and message.story is not None and message.story.chapter == "x":
                    break
        assert frames < 20, "signs of life and what changed, not a frame a command"
        await client.close()
        await other.close()


async def test_a_flood_of_commands_lets_the_others_have_their_turn(settings: Settings) -> None:
    async with serving(settings, FakeWorld()):
        client = await DaemonClient.connect(settings)
        await ready(client)
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        reader, writer = await asyncio.open_unix_connection(settings.socket)
        writer.write(encode(Hello(role="viewer")) + encode(Next()) * 500)
        await reader.readuntil()
        counting = asyncio.create_task(count())
        async with asyncio.timeout(5):
            for _ in range(500):
                while b"reply" not in await reader.readuntil():
                    pass
        counting.cancel()
        writer.close()
        assert turns > 400
        await client.close()


@pytest.mark.parametrize("unit", ["etcd\0", "../etcd", "/etc/passwd", "x" * 300, "no such"])
async def test_logs_are_of_units_only(settings: Settings, unit: str) -> None:
    async with serving(settings, FakeWorld()):
        client = await DaemonClient.connect(settings)
        await ready(client)
        with pytest.raises(CommandRefused, match="can't be the name of a unit"):
            await client.call(Logs(machine="core-01", unit=unit))
        await client.close()


def test_the_protocol_is_the_board_s() -> None:
    assert msgspec.json.decode(encode(Hello())) == {
        "do": "hello",
        "id": 0,
        "protocol": PROTOCOL,
        "version": "",
        "role": "driver",
        "attend": "none",
        "started": 0,
        "refusals": False,
    }
