"""The server with views that are real processes, and no lab: who is let in, who is thrown out, and what is left."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from support.daemon_fake import make_settings, short_directory
from support.programs import one_line, rwk_tui
from support.web import served, server_process, until, views, views_are, visiting
from yarl import URL

from rwk_tui.settings import Settings
from rwk_tui.web.visitor import COMMAND, view_environment

pytestmark = pytest.mark.process

NOBODY = "no lab is running in"


@pytest.fixture
def settings() -> Iterator[Settings]:
    with short_directory() as directory:
        yield make_settings(directory / "state")


async def test_the_page_is_whole_in_itself(settings: Settings) -> None:
    async with served(settings) as address, aiohttp.ClientSession() as session:
        answer = await session.get(f"http://{address}/?fontsize=20")
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert f'data-session-websocket-url="ws://{address}/ws"' in page
        assert 'data-font-size="20"' in page
        assert re.findall(r"https?://\S+", page) == []
        loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"|url\("([^"]+)"\)', page)
        assert len(loaded) == 3
        for path in (first or second for first, second in loaded):
            assert (await session.get(f"http://{address}{path}")).status == 200
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "*" not in policy
        assert "'unsafe-inline'" not in policy.partition("style-src")[0]
        assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("size", ["x", "-1", "1e9", "99999", "", '"><script>', "٣"])
async def test_a_letter_size_that_is_none_is_harmless(settings: Settings, size: str) -> None:
    async with served(settings) as address, aiohttp.ClientSession() as session:
        page = await (await session.get(f"http://{address}/", params={"fontsize": size})).text()
        assert re.findall(r'data-font-size="(\d+)"', page)[0] in ("16", "60")
        assert "<script>" not in page


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/nothing"])
async def test_other_names_and_other_sites_are_refused(settings: Settings, path: str) -> None:
    async with served(settings) as address, aiohttp.ClientSession() as session:
        port = address.rpartition(":")[2]
        for headers in (
            {"Host": f"evil.example:{port}"},
            {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"},
            {"Origin": "http://evil.example"},
            {"Origin": f"http://localhost:{port}"},
            {"Origin": "null"},
        ):
            answer = await session.get(f"http://{address}{path}", headers=headers)
            assert answer.status == 403, headers
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert views(settings) == []


async def test_a_websocket_without_an_origin_is_refused(settings: Settings) -> None:
    async with served(settings) as address, aiohttp.ClientSession() as session:
        for origin in (None, "http://evil.example", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"http://{address}/ws", origin=origin)
            assert refused.value.status == 403
        assert views(settings) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/static/", 403),
        ("GET", "/static/../server.py", 404),
        ("GET", "/static/..%2fserver.py", 404),
        ("GET", "/download/x", 404),
        ("POST", "/", 405),
        ("PUT", "/static/js/textual.js", 405),
        ("GET", "/ws", 400),
    ],
)
async def test_nothing_else_is_served(settings: Settings, method: str, path: str, status: int) -> None:
    async with served(settings) as address, aiohttp.ClientSession() as session:
        url = URL(f"http://{address}{path}", encoded=True)
        answer = await session.request(method, url, headers={"Origin": f"http://{address}"})
        assert answer.status == status
        assert views(settings) == []


async def test_a_visitor_sees_and_types_and_leaves_no_process(settings: Settings) -> None:
    async with served(settings) as address:
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            await views_are(settings, 1)
            if sys.platform == "linux":
                limits = psutil.Process(views(settings)[0])
                assert limits.rlimit(psutil.RLIMIT_FSIZE) == (0, 0), "it can write no file"
            await browser.type("?")
            await browser.sees("Close this view; the lab and its screen go on")
            await browser.socket.send_json(["ping", "17"])
            await until(lambda: browser.told == ['["pong", "17"]'], lambda: str(browser.told))
        await views_are(settings, 0)
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            await browser.type("q")
            await until(lambda: browser.over, lambda: "the websocket is still open")
        await views_are(settings, 0)
    assert not settings.state.exists(), "a view makes nothing, and starts no lab"


@pytest.mark.parametrize(
    "said",
    [
        *("", "n", "{}", '["stdin", 7]', '["deliver_chunk_request", {"key": "x", "size": 9}]', '{"do": "quit"}'),
        *("[" * 60_000, '["stdin", "' + "n" * 70_000 + '"]', b"\x00\xff", '["resize", {"width": "x", "height": 1}]'),
    ],
    ids=lambda said: repr(said[:20]),
)
async def test_nonsense_ends_that_visitor_and_nobody_else(settings: Settings, said: str | bytes) -> None:
    async with served(settings) as address, visiting(address) as other:
        await other.sees(NOBODY)
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            await (browser.socket.send_str(said) if isinstance(said, str) else browser.socket.send_bytes(said))
            await until(lambda: browser.over, lambda: "the websocket is still open")
        await views_are(settings, 1)
        await other.type("?")
        await other.sees("Close this view")


async def test_absurd_sizes_do_no_harm(settings: Settings) -> None:
    async with served(settings) as address:
        for size, words in (
            ("width=999999999999&height=9", "This terminal is 80 x 9"),
            ("width=-1&height=x", NOBODY),
            ("width=99999&height=99999", NOBODY),
        ):
            async with visiting(address, size=size) as browser:
                await browser.sees(words)
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            for width, height in ((99_999_999, 99_999_999), (0, 0), (-5, 7), (10**15, 1)):
                await browser.socket.send_json(["resize", {"width": width, "height": height}])
            for keys in (
                "\x1b[48;99999;99999;0;0t",
                "\x1b[48;0;0;0;0t",
                "\x1b[200~ paste",
                "\x1b[201~",
                "\x00\x1b\x1b[",
                "A",
            ):
                await browser.type(keys)
            await browser.socket.send_json(["resize", {"width": 120, "height": 40}])
            await browser.type("\x1bOP")  # F1: no other key can be part of it.
            await browser.sees("Close this view")
        await views_are(settings, 0)


async def test_a_flood_ends_its_visitor(settings: Settings) -> None:
    async with served(settings) as address:
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            for _ in range(20):
                if not browser.socket.closed:
                    await browser.type("n" * 60_000)
            await until(lambda: browser.over, lambda: "the websocket is still open")
        await views_are(settings, 0)


async def test_when_all_places_are_taken_the_page_says_so(settings: Settings) -> None:
    async with served(settings, visitors=1) as address, aiohttp.ClientSession() as session:
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            answer = await session.get(f"http://{address}/")
            page = await answer.text()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert "1 look at the lab already" in page and 'http-equiv="refresh"' in page
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"http://{address}/ws", origin=f"http://{address}")
            assert refused.value.status == 503
        until_free = time.monotonic() + 15
        while (await session.get(f"http://{address}/")).status == 503:
            assert time.monotonic() < until_free, "the place is not free again"
            await asyncio.sleep(0.05)
        async with visiting(address) as browser:
            await browser.sees(NOBODY)


async def test_a_view_that_dies_or_is_stopped_frees_its_place(settings: Settings) -> None:
    async with served(settings) as address:
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            os.kill(views(settings)[0], signal.SIGKILL)
            await until(lambda: browser.over, lambda: "the websocket is still open")
        async with visiting(address) as browser:
            await browser.sees(NOBODY)
            os.kill(views(settings)[0], signal.SIGSTOP)
        await views_are(settings, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
async def test_with_the_server_all_views_end(settings: Settings, number: signal.Signals) -> None:
    with server_process(settings) as (process, address):
        async with visiting(address) as one, visiting(address) as two:
            await one.sees(NOBODY)
            await two.sees(NOBODY)
            await views_are(settings, 2)
            process.send_signal(number)
            code = await asyncio.to_thread(process.wait, 20)
            await until(lambda: one.over and two.over, lambda: "a websocket is still open")
        await views_are(settings, 0)
        said = process.stderr.read() if process.stderr is not None else ""
        assert code == (-number if number is signal.SIGKILL else 0)
        assert said == ""


async def test_whoever_opens_it_to_others_is_warned(settings: Settings) -> None:
    with server_process(settings, "--host", "0.0.0.0") as (process, address):
        assert not address.startswith("0.0.0.0")
        async with aiohttp.ClientSession() as session:
            assert (await session.get(f"http://{address}/")).status == 200
        process.terminate()
        _, said = await asyncio.to_thread(process.communicate, timeout=20)
        assert said.splitlines() == [
            "rwk-tui: whoever reaches 0.0.0.0 can look on: there is no password, and nothing is encrypted"
        ]


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        finished = rwk_tui("web", "--port", port, home=tmp_path)
    assert finished.returncode == 1
    assert one_line(finished) == f"rwk-tui: 127.0.0.1:{port} is taken already; --port takes another one"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--port", "x"), "--port"),
        (("--port", "70000"), "a port is a number from 1 to 65535"),
        (("--port", "-1"), "a port is a number"),
        (("--host", ""), "say an address"),
        (("--host", "192.0.2.1"), "this computer can't listen there"),
        (("--host", "no such host"), "this computer can't listen there"),
        (("--name", "lab:80"), "--name lab:80: say a name without a port"),
        (("--visitors", "0"), "from 1 to 32"),
        (("--visitors", "99"), "from 1 to 32"),
    ],
)
def test_a_place_that_is_none_is_one_line(given: tuple[str, str], why: str, tmp_path: Path) -> None:
    finished = rwk_tui("web", *given, home=tmp_path)
    assert finished.returncode == 2
    assert why in one_line(finished)


def test_a_view_needs_a_terminal(tmp_path: Path) -> None:
    finished = rwk_tui("view", home=tmp_path)
    assert finished.returncode == 2
    assert "a view needs a terminal" in one_line(finished)


def test_data_goes_to_a_view_in_variables_only(tmp_path: Path) -> None:
    assert not any(character in COMMAND for character in "{}%`;&|<>'")
    awkward = make_settings(tmp_path / "a b; $(touch x) '\"")
    given = {"PATH": "/bin", "TEXTUAL": "devtools", "TEXTUAL_LOG": "f", "TEXTUAL_SCREENSHOT": "1", "COLUMNS": "80"}
    found = view_environment(awkward, given)
    assert found["RWK_STATE"] == str(awkward.state)
    assert (found["PATH"], found["COLUMNS"]) == ("/bin", "80")
    assert {name for name in found if name.startswith("TEXTUAL")} == {"TEXTUAL_FPS", "TEXTUAL_COLOR_SYSTEM"}
    assert json.dumps(found)
