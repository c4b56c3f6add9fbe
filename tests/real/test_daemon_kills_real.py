"""SIGKILL at moments that nobody chose: of the cockpit, and of the daemon. `RWK_KILLS` says how often (default 2)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import replace

import pytest
from support.daemon_real import attached, cockpit, daemon_of, idle, lab_is, none_left

from rwk_tui.daemon.client import DaemonClient, DaemonError
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import Next, Open, Quit, Reset, Resume
from rwk_tui.settings import Settings

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.usefixtures("engines")]

KILLS = int(os.environ.get("RWK_KILLS", "2"))
LINGER = 5.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, linger=LINGER)


async def tell_some(lab: Follower, chapter: str, steps: int) -> None:
    await lab.do(Open(chapter=chapter))
    await idle(lab)
    for _ in range(steps):
        await lab.do(Next())
        await idle(lab)


@pytest.mark.parametrize("number", range(KILLS))
async def test_a_cockpit_killed_anywhere_in_a_chapter(settings: Settings, number: int) -> None:
    front = cockpit(settings)
    pid = await daemon_of(front)
    moment = random.uniform(0, 5)
    print(f"killed after {moment:.2f} s", end="")
    async with attached(settings) as driver:
        await driver.until(lab_is("ready"))
        telling = asyncio.create_task(tell_some(driver, "02-etcd-single", 6))
        await asyncio.sleep(moment)
        front.kill()
        front.wait()
        await asyncio.sleep(random.uniform(0, 0.2 * LINGER))
        front = cockpit(settings)
        assert await daemon_of(front) == pid
        await telling
        assert {step.status for step in driver.board.story.steps} == {"passed"}
    front.kill()
    front.wait()
    took = await none_left(settings, LINGER + 7)
    print(f", nothing left {took:.2f} s after the last one went")


@pytest.mark.parametrize("number", range(KILLS))
async def test_a_daemon_killed_anywhere(settings: Settings, number: int) -> None:
    moment = random.uniform(0, 7)
    client = await DaemonClient.connect(settings, attend="cockpit", start=True)

    async def drive(lab: Follower) -> None:
        await lab.until(lab_is("ready"))
        await tell_some(lab, "05-bootstrap", 2)
        await tell_some(lab, "03-etcd-clustering", 2)

    async with Follower(client) as lab:
        driving = asyncio.create_task(drive(lab))
        await asyncio.sleep(moment)
        os.kill(client.welcome.pid, signal.SIGKILL)
        took = await none_left(settings, 10)
        await asyncio.gather(driving, return_exceptions=True)
    assert driving.exception() is None or isinstance(driving.exception(), DaemonError)
    await client.close()
    print(f"killed after {moment:.2f} s, nothing left {took:.2f} s later")

    async with attached(settings, attend="headless", start=True) as lab:
        await lab.until(lambda board: lab_is("ready")(board) or lab_is("choose")(board))
        if lab_is("choose")(lab.board):
            await lab.do(Resume() if number % 2 else Reset())
            await lab.until(lab_is("ready"))
        await tell_some(lab, "02-etcd-single", 1)
        assert lab.board.story.steps[0].status == "passed"
        await lab.client.call(Quit())
        await lab.ended()
    await none_left(settings, 5)
