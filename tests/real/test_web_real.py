"""A real browser looks at a real lab: it sees everything, and whatever it tries changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import psutil
import pytest
from support.chromium import Tab, browser
from support.daemon_real import attached, idle, lab_is, none_left, quit_lab
from support.remote_lab import BUSY
from support.web import server_process, until, views, views_are, visiting

from rwk_tui.board.board import Board
from rwk_tui.board.rows import FaultRow, LabRow, MachineRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower
from rwk_tui.daemon.protocol import Next, Open
from rwk_tui.settings import Settings

pytestmark = [
    pytest.mark.real,
    pytest.mark.ci,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("engines"),
]

LETTERS = "nbrsxcfhHvmgRady!/"
"""Every key that does something in a cockpit that drives, and some more."""
COMMANDS = (
    {"do": "hello", "role": "driver", "attend": "cockpit"},
    {"do": "next"},
    {"do": "inject", "fault": "kill", "target": "core-01"},
    {"do": "power", "machine": "core-01", "verb": "destroy", "confirm": "core-01"},
    {"do": "reset"},
    {"do": "quit", "halt": True},
)


def standing(board: Board) -> dict[str, Any]:
    """What a presenter would notice: the story, the faults, the power of the machines, the lab."""
    lab = board.get(LabRow, "lab")
    assert lab is not None
    return {
        "story": (board.story.chapter, board.story.step, board.story.busy, board.story.error),
        "steps": tuple(step.status for step in board.story.steps),
        "faults": board.rows(FaultRow),
        "power": tuple((row.name, row.power, row.since) for row in board.rows(MachineRow)),
        "lab": lab.state,
        "yours": tuple(event.id for event in board.events if event.kind in ("fault", "heal")),
    }


@asynccontextmanager
async def driving(settings: Settings) -> AsyncIterator[Follower]:
    """A presenter, without a deadline for all: a browser takes longer than a lab."""
    client = await DaemonClient.connect(settings, attend="cockpit", start=True)
    async with Follower(client) as follower:
        try:
            yield follower
        finally:
            await client.close()


async def test_a_browser_looks_on_and_changes_nothing(settings: Settings) -> None:
    try:
        async with driving(settings) as lab:
            async with asyncio.timeout(60 * BUSY):
                await lab.until(lab_is("ready"))
                await lab.do(Open(chapter="02-etcd-single", step=1))
                await idle(lab)
            before, daemon = standing(lab.board), lab.client.welcome.pid
            with server_process(settings) as (_, address):
                async with browser() as tab:
                    await looks(tab, address)
                    await tries_keys(tab)
                    await tries_the_websocket(address)
                    await other_sites_get_nothing(tab, address)
            await views_are(settings, 0)
            async with attached(settings, role="viewer") as second:
                await second.until(lab_is("ready"))
                assert standing(second.board) == before
                assert second.client.welcome.pid == daemon
                assert psutil.pid_exists(daemon)
            async with asyncio.timeout(60 * BUSY):  # The presenter's own key still works.
                await lab.do(Next())
                await lab.until(lambda board: board.story.step == 2 and not board.story.busy)
    finally:
        await quit_lab(settings)
    await none_left(settings, 5)
    assert views(settings) == []


async def looks(tab: Tab, address: str) -> None:
    """The page shows the cockpit, and loads nothing from anywhere else."""
    await tab.open(f"http://{address}/")
    await tab.shows("VIEW ● live", "read only", "02-etcd-single", "core-01", "core-03", "close")
    await tab.holds("document.fonts.check('16px \"Roboto Mono\"')")
    elsewhere = [url for url in tab.loaded if not url.startswith((f"http://{address}/", f"ws://{address}/", "data:,"))]
    assert elsewhere == []
    assert tab.wrong == []


async def tries_keys(tab: Tab) -> None:
    """All keys of a presenter, on the keyboard of the browser."""
    await tab.run("window.caught.terminal.focus()")
    for letter in LETTERS:
        await tab.type(letter)
        await tab.press("Enter", 13, "\r")
        await tab.press("Escape", 27)
    await tab.press("c", 67, modifiers=2)  # Ctrl-C closes the view, and nothing else.
    await tab.holds("document.body.classList.contains('-closed')")
    await tab.reload()
    await tab.shows("VIEW ● live", "02-etcd-single")
    await tab.run("window.caught.terminal.focus()")
    await tab.type("l")
    await tab.shows("Logs", "Esc closes")
    await tab.press("Escape", 27)
    await tab.lacks("Esc closes")  # Else Esc and the next key would be one.
    await tab.type("q")
    await tab.holds("document.body.classList.contains('-closed')")


async def tries_the_websocket(address: str) -> None:
    """Past the page: keys as bytes, commands of the daemon among them, and messages that no page sends."""
    async with visiting(address) as visitor:
        await visitor.sees("VIEW ● live")
        for keys in (*LETTERS, " ", "\r", "\x1b", "f\r\r", "R\rR", "mcore-01\r", "\x1b[B\r", "\x10next\r", "\x1b"):
            await visitor.type(keys)
        for command in COMMANDS:
            await visitor.type(json.dumps(command) + "\n")
        await visitor.type("\x04\x1a\x1c")
        # Keys are handled in their order: when the view closes, all of them were.
        with suppress(ConnectionError):
            for _ in range(10):
                await visitor.type("\x1b[27u\x03")  # Esc as one whole sequence, then Ctrl-C
        await until(lambda: visitor.over, lambda: f"the view is still open: {visitor.painted[-1000:]}")
    for command in COMMANDS:
        async with visiting(address) as visitor:
            await visitor.socket.send_str(json.dumps(command))
            await until(lambda: visitor.over, lambda: "the websocket is still open")


async def other_sites_get_nothing(tab: Tab, address: str) -> None:
    """A page from somewhere else opens a websocket, and gets none."""
    await tab.open("data:text/html,elsewhere")
    opened = await tab.run(
        f"""new Promise(done => {{
          const socket = new WebSocket("ws://{address}/ws?width=80&height=24");
          socket.onopen = () => done("opened"); socket.onerror = () => done("refused");
        }})"""
    )
    assert opened == "refused"
    port = address.rpartition(":")[2]
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"http://{address}/", headers={"Host": f"rebound.example:{port}"})
        assert answer.status == 403
