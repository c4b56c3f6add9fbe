"""A real browser without a window, spoken to over its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support.tools import unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
START_WITHIN = 60.0
ANSWER_WITHIN = 30.0
FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1280,800",
)
# The page keeps its terminal to itself; the first thing that it gives it is caught on the way.
CATCH = """
Object.defineProperty(Object.prototype, "fitAddon", {
  configurable: true,
  set(value) {
    window.caught = this;
    Object.defineProperty(this, "fitAddon", {value, writable: true, configurable: true, enumerable: true});
  },
});
"""
READ = """
(() => {
  if (!window.caught) return "";
  const buffer = window.caught.terminal.buffer.active, lines = [];
  for (let at = 0; at < buffer.length; at++) lines.push(buffer.getLine(at).translateToString(true));
  return lines.join("\\n");
})()
"""


class Tab:
    """One page: what it shows, what it loads, and what goes wrong in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.loaded: list[str] = []
        self.wrong: list[str] = []
        self._socket = socket
        self._last = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def begin(self) -> None:
        """Watch what happens from now on."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=CATCH)

    async def call(self, method: str, **given: object) -> dict[str, Any]:
        """One call of the protocol."""
        self._last += 1
        answer = self._answers[self._last] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._last, "method": method, "params": given})
        async with asyncio.timeout(ANSWER_WITHIN):
            said = await answer
        assert "error" not in said, f"{method}: {said['error']}"
        result: dict[str, Any] = said["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of JavaScript in the page; promises are awaited."""
        said = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def open(self, url: str) -> None:
        """Go there."""
        await self.call("Page.navigate", url=url)

    async def reload(self) -> None:
        """Load the page anew; what is seen from now on is not what the old one still shows."""
        await self.run("window.old = true; location.reload()")
        await self.holds("!window.old && !!window.caught")

    async def terminal(self) -> str:
        """What the terminal in the page shows."""
        return str(await self.run(READ))

    async def shows(self, *words: str, within: float = 60.0) -> None:
        """Wait until the terminal shows all of that."""
        until = time.monotonic() + within
        while True:
            text = await self.terminal()
            if all(word in text for word in words):
                return
            assert time.monotonic() < until, f"{words} is not all in\n{text}\nwrong: {self.wrong}"
            await asyncio.sleep(0.1)

    async def lacks(self, word: str, within: float = 30.0) -> None:
        """Wait until the terminal shows that no more."""
        until = time.monotonic() + within
        while word in (text := await self.terminal()):
            assert time.monotonic() < until, f"{word!r} is still in\n{text}"
            await asyncio.sleep(0.1)

    async def holds(self, script: str, within: float = 30.0) -> None:
        """Wait until JavaScript in the page is true."""
        until = time.monotonic() + within
        while not await self.run(script):
            assert time.monotonic() < until, f"{script} is not true; wrong: {self.wrong}"
            await asyncio.sleep(0.1)

    async def press(self, key: str, code: int, text: str = "", modifiers: int = 0) -> None:
        """A key of the keyboard, down and up; `code` is its virtual key code."""
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        typed = {"text": text} if text else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def type(self, letter: str) -> None:
        """A key with a letter on it."""
        await self.press(letter, ord(letter.upper()), letter)

    async def close(self) -> None:
        """Listen no more."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            given = said.get("params", {})
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said["method"] == "Network.requestWillBeSent":
                self.loaded.append(given["request"]["url"])
            elif said["method"] == "Network.webSocketCreated":
                self.loaded.append(given["url"])
            elif said["method"] == "Runtime.exceptionThrown":
                self.wrong.append(json.dumps(given["exceptionDetails"])[:500])
            elif said["method"] == "Log.entryAdded" and given["entry"]["level"] == "error":
                self.wrong.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")


@asynccontextmanager
async def browser() -> AsyncIterator[Tab]:
    """A browser with a new profile and one empty tab, gone at the end."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        unavailable("there is no chromium on PATH")
    with tempfile.TemporaryDirectory(prefix="rwk-browser-", ignore_cleanup_errors=True) as profile:
        process = _start(program, Path(profile))
        try:
            port = await _port(Path(profile), process)
            async with aiohttp.ClientSession() as session:
                tabs = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
                url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(url, max_msg_size=0) as socket:
                    tab = Tab(socket)
                    await tab.begin()
                    try:
                        yield tab
                    finally:
                        await tab.close()
        finally:
            _end(process)


def _start(program: str, profile: Path) -> subprocess.Popen[bytes]:
    root = ("--no-sandbox",) if os.getuid() == 0 else ()
    with (profile / "log").open("w") as log:
        return subprocess.Popen(
            [program, *FLAGS, *root, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(profile), "TMPDIR": str(profile)},
            start_new_session=True,
        )


async def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """Where it listens: it writes that down when it does."""
    until = time.monotonic() + START_WITHIN
    while True:
        try:
            return int((profile / "DevToolsActivePort").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            said = (profile / "log").read_text()[-1000:]
            assert process.poll() is None, f"the browser has ended: {said}"
            assert time.monotonic() < until, f"no browser within {START_WITHIN:g} s: {said}"
            await asyncio.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all the processes that it has made: they are a group of their own."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass
    process.wait(10)
