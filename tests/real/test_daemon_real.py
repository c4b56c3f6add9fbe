"""The daemon as a process with real engines: who may die, who may come back, and what is left of it all."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from support.daemon_real import attached, cockpit, daemon_of, healthy, idle, lab_is, none_left, quit_lab
from support.remote_lab import BUSY

from rwk_tui.board.rows import FaultRow, LinkRow, MemberRow
from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.places import log_file
from rwk_tui.daemon.protocol import Detach, Inject, Next, Open, Quit, Reset, Resume
from rwk_tui.daemon.spawn import start_daemon
from rwk_tui.settings import Settings

LINGER = 4.0
"""Seconds: enough for another Python to start and attach on a busy machine."""
pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engines")]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, linger=LINGER)


async def test_first_frame_comes_before_the_lab_and_quit_leaves_nothing(settings: Settings) -> None:
    began = time.monotonic()
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lambda _: True)
        row = lab.lab()
        assert row is not None
        assert row.state == "starting", f"after {time.monotonic() - began:.2f} s"
        await lab.until(lab_is("ready"))
        await lab.client.call(Quit())
        await lab.ended()
        assert await lab.client.gone(5 * BUSY)
    await none_left(settings, 10)
    assert not settings.socket.exists()
    assert "Traceback" not in log_file(settings).read_text()


async def test_detach_and_attach_again_in_the_middle_of_a_step(settings: Settings) -> None:
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("ready"))
        await lab.do(Open(chapter="02-etcd-single"))
        await idle(lab)
        await lab.do(Next())
        assert lab.board.story.busy
        await lab.client.call(Detach())
    await asyncio.sleep(1.5 * settings.linger)
    async with attached(settings, attend="cockpit") as lab:
        await lab.until(lambda board: board.story.step == 1 and not board.story.busy)
        assert lab.board.story.steps[0].status == "passed"
    await none_left(settings, settings.linger + 5)


async def test_a_killed_cockpit_may_come_back_while_the_step_goes_on(settings: Settings) -> None:
    front = cockpit(settings)
    pid = await daemon_of(front)
    async with attached(settings) as driver:
        await driver.until(lab_is("ready"))
        await driver.do(Open(chapter="02-etcd-single"))
        await idle(driver)
        await driver.do(Next())
        front.kill()
        front.wait()
        again = cockpit(settings)
        assert await daemon_of(again) == pid
        await idle(driver)
        assert driver.board.story.steps[0].status == "passed"
        await asyncio.sleep(1.5 * settings.linger)
        assert psutil.pid_exists(pid)
    again.kill()
    again.wait()
    took = await none_left(settings, settings.linger + 5)
    assert took > 0.5 * settings.linger


async def test_a_killed_daemon_takes_its_engines_along_and_the_next_one_resumes(settings: Settings) -> None:
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("ready"))
        await lab.do(Open(chapter="04-machine-failure"))
        await lab.until(healthy(3))
        await idle(lab)
        await lab.do(Inject(fault="partition", target="core-02"))
        await lab.until(lambda board: any(row.state == "cut" for row in board.rows(LinkRow)))
        os.kill(lab.client.welcome.pid, signal.SIGKILL)
        await lab.ended()
    await none_left(settings, 10)

    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("choose"))
        row = lab.lab()
        assert row is not None
        assert "core-01 (etcd)" in row.left_behind
        assert "step 1 of 04-machine-failure" in row.left_behind
        assert lab.board.rows(MemberRow) == []
        await lab.do(Resume())
        await lab.until(lab_is("ready"))
        assert [fault.target for fault in lab.board.rows(FaultRow)] == ["core-02"]
        await lab.until(lambda board: board.story.chapter == "04-machine-failure" and not board.story.busy)
        assert lab.board.story.step == 0
        await lab.until(
            lambda board: (
                sum(r.health == "healthy" for r in board.rows(MemberRow)) == 2
                and any(r.state == "cut" for r in board.rows(LinkRow))
            )
        )
        os.kill(lab.client.welcome.pid, signal.SIGKILL)
        await lab.ended()
    await none_left(settings, 10)

    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("choose"))
        await lab.do(Reset())
        await lab.until(lab_is("ready"))
        assert not any(row.state == "cut" for row in lab.board.rows(LinkRow))
        await lab.do(Open(chapter="02-etcd-single"))
        await idle(lab)
        await lab.do(Next())
        await idle(lab)
        assert lab.board.story.steps[0].status == "passed"
    await none_left(settings, settings.linger + 5)


async def test_a_second_daemon_is_refused_and_the_first_goes_on(settings: Settings) -> None:
    async with attached(settings, attend="headless", start=True) as lab:
        second = start_daemon(settings)
        assert await second.ended(10)
        with pytest.raises(DaemonError, match=f"another daemon .pid {lab.client.welcome.pid}. already holds"):
            second.check()
        await lab.until(lab_is("ready"))
    await none_left(settings, 5)


async def test_two_front_ends_that_start_at_once_get_the_same_daemon(settings: Settings) -> None:
    one, two = await asyncio.gather(
        DaemonClient.connect(settings, start=True), DaemonClient.connect(settings, start=True)
    )
    assert one.welcome.pid == two.welcome.pid
    assert one.started != two.started
    await two.close()
    await one.close()
    await quit_lab(settings)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_halts_the_lab(settings: Settings, number: signal.Signals) -> None:
    async with attached(settings, start=True) as lab:
        await lab.until(lab_is("ready"))
        await lab.do(Open(chapter="04-machine-failure"))
        await lab.until(healthy(3))
        os.kill(lab.client.welcome.pid, number)
        await lab.ended()
    await none_left(settings, 3)


async def test_a_new_start_waits_for_a_lab_that_is_just_being_halted(settings: Settings) -> None:
    async with attached(settings, attend="cockpit", start=True) as lab:
        await lab.until(lab_is("ready"))
        await lab.do(Open(chapter="04-machine-failure"))
        await lab.until(healthy(3))
        old = lab.client.welcome.pid
        await lab.client.call(Quit())
        async with attached(settings, attend="headless", start=True) as new:
            assert new.client.welcome.pid != old
            await new.until(lab_is("choose"))
    await none_left(settings, 5)


async def test_a_missing_engine_is_one_line(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "etcd").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "etcd").chmod(0o700)
    broken = replace(settings, engines=tmp_path)
    with pytest.raises(DaemonError, match="etcd") as said:
        async with attached(broken, attend="cockpit", start=True) as lab:
            await lab.until(lab_is("ready"))
    assert "\n" not in str(said.value)
    assert "Traceback" not in str(said.value)
    await none_left(settings, 7)


async def test_a_taken_port_is_one_line_with_its_owner(settings: Settings) -> None:
    server = await asyncio.start_server(lambda *_: None, f"127.0.{settings.subnet}.102", 2379)
    with pytest.raises(DaemonError, match=rf"127\.0\.{settings.subnet}\.102:2379 is taken by .*{os.getpid()}"):
        async with attached(settings, attend="cockpit", start=True) as lab:
            await lab.until(lab_is("ready"))
    server.close()
    await none_left(settings, 7)
