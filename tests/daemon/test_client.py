"""The front ends' side: every way in which a daemon can't be had is one line."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.daemon_fake import FakeWorld, make_settings, serving

from rwk_tui.board.frames import PROTOCOL
from rwk_tui.daemon import client as client_module
from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.places import make_state
from rwk_tui.daemon.protocol import Bye, Next, Quit, Welcome
from rwk_tui.daemon.wire import encode
from rwk_tui.settings import BadInput, Settings
from rwk_tui.tape.read import Tape


async def answering(settings: Settings, *lines: bytes) -> asyncio.Server:
    settings.state.mkdir(exist_ok=True)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil()
        for line in lines:
            writer.write(line)
        writer.close()

    return await asyncio.start_unix_server(meet, settings.socket)


async def test_nobody_there(settings: Settings) -> None:
    with pytest.raises(DaemonError, match=f"no lab is running in {settings.state}"):
        await DaemonClient.connect(settings)


@pytest.mark.process
async def test_a_dead_daemon_s_socket_counts_as_nobody(settings: Settings) -> None:
    settings.state.mkdir()
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(settings.socket))
    dead.close()
    with pytest.raises(DaemonError, match="no lab is running"):
        await DaemonClient.connect(settings)
    async with serving(settings, FakeWorld()):
        await (await DaemonClient.connect(settings)).close()


async def test_a_path_that_is_too_long_is_bad_input(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / ("x" * 100))
    with pytest.raises(BadInput, match="too long"):
        await DaemonClient.connect(settings, start=True)


async def test_a_state_directory_that_can_t_be_made_is_one_line(settings: Settings) -> None:
    settings.state.parent.joinpath("file").write_text("")
    bad = replace(settings, state=settings.state.parent / "file" / "state")
    with pytest.raises(DaemonError, match="Not a directory$"):
        await DaemonClient.connect(bad, start=True)


@pytest.mark.process
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (encode(Welcome(protocol=7, version="9.9.9", pid=1)), "rwk-tui 9.9.9, protocol 7"),
        (b"220 mail.example ESMTP\n", "is no rwk-tui daemon"),
        (encode(Bye(reason="full house")), "full house"),
    ],
)
async def test_what_is_not_our_daemon_is_said(settings: Settings, line: bytes, why: str) -> None:
    server = await answering(settings, line)
    with pytest.raises(DaemonError, match=why) as said:
        await DaemonClient.connect(settings)
    assert "\n" not in str(said.value)
    server.close()


@pytest.mark.process
async def test_a_daemon_that_does_not_answer_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CONNECT_WITHIN", 0.2)
    settings.state.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(settings.socket))
        listening.listen()
        for start in (False, True):
            with pytest.raises(DaemonError, match="does not answer: a daemon that is stopped or stuck"):
                await DaemonClient.connect(settings, start=start)


@pytest.mark.process
async def test_a_daemon_that_dies_ends_the_iteration_with_a_bye_and_calls_fail(settings: Settings) -> None:
    server = await answering(settings, encode(Welcome(protocol=PROTOCOL, version="0", pid=4711)))
    client = await DaemonClient.connect(settings)
    with pytest.raises(DaemonError, match="pid 4711"):
        await client.call(Next())
    messages = [message async for message in client]
    assert [type(message) for message in messages] == [Bye]
    assert [message async for message in client] == [], "asking again does not hang"
    with pytest.raises(DaemonError):
        await client.call(Next())
    await client.close()
    server.close()


@pytest.mark.process
async def test_it_waits_for_a_daemon_that_is_just_ending(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CONNECT_WITHIN", 0.3)
    server = await answering(settings, encode(Bye(reason="the lab is being halted", again=True)))
    with pytest.raises(DaemonError, match=r"no daemon answered within 0\.3 s: the lab is being halted"):
        await DaemonClient.connect(settings, start=True)
    with pytest.raises(DaemonError, match="the lab is being halted"):
        await DaemonClient.connect(settings)
    server.close()


@pytest.mark.process
async def test_a_daemon_that_ends_at_once_is_quoted_from_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = settings.state.parent
    broken = directory / "python"
    broken.write_text(f"#!{sys.executable}\nimport sys\nprint('2026-01-01 rwk-tui: it is Monday', file=sys.stderr)\n")
    broken.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(DaemonError, match="^it is Monday$"):
        await DaemonClient.connect(settings, start=True)


@pytest.mark.process
async def test_giving_up_leaves_no_daemon_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = settings.state.parent / "python"
    sleeper.write_text("#!/bin/sh\necho $$ >&2\nexec sleep 60\n")
    sleeper.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(client_module, "CONNECT_WITHIN", 3.0)
    with pytest.raises(DaemonError, match=r"nobody listens on its socket; its log ends with: \d+"):
        await DaemonClient.connect(settings, start=True)
    pid = int((settings.state / "daemon.log").read_text())
    assert not _alive(pid)


@pytest.mark.process
async def test_the_daemon_runs_nothing_that_lies_in_the_current_directory(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logging.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit('not ours')\n")
    monkeypatch.chdir(tmp_path)
    client = await DaemonClient.connect(settings, start=True)
    await client.call(Quit())
    await client.gone(20.0)
    await client.close()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("before", "mode"), [((), 0o700), (("daemon.lock", "lab"), 0o700), (("daemon.lock", "mine"), 0o755)]
)
def test_a_directory_with_other_things_in_it_stays_open(settings: Settings, before: tuple[str, ...], mode: int) -> None:
    settings.state.mkdir(mode=0o755)
    settings.state.chmod(0o755)
    for name in before:
        (settings.state / name).touch()
    make_state(settings)
    assert stat.S_IMODE(settings.state.stat().st_mode) == mode


def _alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


@pytest.mark.process
def test_the_client_is_light() -> None:
    """It is loaded before a cockpit's first frame, so nothing heavy may come with it."""
    import subprocess

    code = (
        "import sys, rwk_tui.daemon.client\n"
        "print([m for m in ('grpc','yaml','psutil','rich','textual','rwk_tui.watch','rwk_tui.story','subprocess') "
        "if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    loaded = eval(out.stdout)
    assert set(loaded) <= {"subprocess"}  # asyncio brings that one


@pytest.mark.process
async def test_a_tape_can_t_begin_in_a_lab_that_runs(settings: Settings) -> None:
    wished = replace(settings, tape=settings.state.parent / "wished.tape")
    async with serving(settings, FakeWorld()):
        with pytest.raises(DaemonError, match=r"is not recorded, so .*/wished\.tape can't be its tape.*rwk-tui down"):
            await DaemonClient.connect(wished, start=True)
        await (await DaemonClient.connect(wished)).close()  # Who only comes back has nothing to begin.
    recorded = replace(settings, tape=settings.state.parent / "other.tape")
    async with serving(recorded, FakeWorld()):
        with pytest.raises(DaemonError, match=r"is recorded to .*/other\.tape, so"):
            await DaemonClient.connect(wished, start=True)
        await (await DaemonClient.connect(recorded, start=True)).close()


@pytest.mark.process
async def test_who_comes_back_to_a_tape_that_got_another_name_is_let_in_and_told_it(settings: Settings) -> None:
    wished = replace(settings, tape=settings.state.parent / "talk.tape")
    assert wished.tape is not None
    wished.tape.write_text("an older one")
    real = wished.tape.with_name("talk-2.tape")
    async with serving(wished, FakeWorld()) as (service, _):
        for tape in (wished.tape, real):
            client = await DaemonClient.connect(replace(settings, tape=tape), start=True)
            assert client.welcome.tape == str(real)
            await client.close()
        assert [event.text for event in service.hub.board.events if event.kind == "tape"] == ["recorded to talk-2.tape"]
        client = await DaemonClient.connect(settings)
        await client.call(Quit())
        said = [message.reason async for message in client if isinstance(message, Bye)]
        assert said == [f"asked to quit; the lab is halted; recorded to {real}"]
        await client.close()
    assert [event.text for frame in Tape(real) for event in frame.events if event.kind == "tape"]
    assert wished.tape.read_text() == "an older one"
