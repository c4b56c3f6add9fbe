"""A test that starts a process or binds an address says so with a marker: `make check` runs only those without one.

Python tells an audit hook of each such call, wherever it is made. An unmarked test in which there was one fails, and so
does each that uses a fixture which made one for a whole module or session. The call itself is let through.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

MARKERS = ("process", "real")
UNMARKED = "not process and not real"
"""What `make check` selects."""
STARTS = frozenset(
    {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "pty.spawn", "socket.bind"}
)
"""Audit events of what needs a marker. A Unix socket counts like a port; the pair of sockets that wakes an asyncio loop
is not bound."""


class Needs:
    """The plugin of pytest that fails such tests, and names lines below `root`.

    An audit hook can't be taken back: at most one a process.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listening = False
        self._calls: list[str] = []
        self._by_fixture: dict[pytest.FixtureDef[Any], str] = {}
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS and self._listening:
            self._calls.append(_told(event, arguments, _place(sys._getframe(1), self._root)))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Mix the rooms for `make check`, file by file: some compute, some wait, and workers do well to do both."""
        if config.option.markexpr == UNMARKED:
            items.sort(key=lambda item: zlib.crc32(item.location[0].encode()))

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Remember which fixture of a module or session started something: later tests of it only see its value."""
        before = len(self._calls)
        self._by_fixture.pop(fixturedef, None)
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function" and len(self._calls) > before:
                self._by_fixture[fixturedef] = f"{self._calls[before]}, in the fixture {fixturedef.argname}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        used = set(getattr(item, "fixturenames", ()))
        self._calls += [
            call
            for fixture, call in self._by_fixture.items()
            if fixture.argname in used and item.nodeid.startswith(fixture.baseid)
        ]
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._phase(item))

    def _phase(self, item: pytest.Item) -> Generator[None, object, object]:
        self._listening = True
        try:
            result = yield
        finally:
            self._listening = False
            calls, self._calls = self._calls, []
        if calls and not any(item.get_closest_marker(name) for name in MARKERS):
            pytest.fail(
                f"{item.nodeid} {calls[0]}\nMark it with @pytest.mark.process (or real, if it drives engines): "
                "`make check` runs what starts no process and binds nothing.",
                pytrace=False,
            )
        return result


def _told(event: str, arguments: tuple[Any, ...], place: str) -> str:
    what = f"binds {arguments[1]!r}" if event == "socket.bind" else f"starts a process ({event} {arguments[0]!r})"
    return f"{what} at {place}"


def _place(frame: FrameType, root: Path) -> str:
    """The file and line of the innermost call below `root`, or of the call itself where there is none."""
    inner: FrameType | None = frame
    while inner is not None:
        path = Path(inner.f_code.co_filename)
        if path.is_relative_to(root) and not path.is_relative_to(sys.prefix):
            return f"{path.relative_to(root)}:{inner.f_lineno}"
        inner = inner.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
