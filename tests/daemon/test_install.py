"""Getting engines while the lab runs: rows, events, one at a time, and nothing left of one that is broken off."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.engines_fake import ARCH, Mirror, fake_install, publish, serving
from support.programs import group_is_gone, script

from rwk_tui.board.hub import Hub
from rwk_tui.board.kube_rows import EngineRow
from rwk_tui.board.source import CommandRefused
from rwk_tui.daemon import install
from rwk_tui.daemon.engines import Engines
from rwk_tui.daemon.install import COMMAND, Installs
from rwk_tui.engines.pins import engine_pins
from rwk_tui.engines.sets import find_set
from rwk_tui.settings import Mirrors, Settings, as_environment

pytestmark = pytest.mark.process

KWOK = engine_pins("linux")["kwok-0.8"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(state=tmp_path / "state", engine_cache=tmp_path / "cache")
    fake_install(found, "etcd", "3.7.3")
    return found


class Stage:
    """Installs whose command is a shell script, or the real one."""

    def __init__(self, settings: Settings, body: str = "") -> None:
        self.hub = Hub()
        self.engines = Engines(settings, self.hub, find_set(settings))
        own = script(settings.engine_cache.parent / "install", body) if body else None
        self.installs = Installs(self.engines, self.hub, settings, (str(own),) if own else COMMAND)

    def row(self, name: str = "kwok-0.8") -> EngineRow:
        row = self.hub.board.get(EngineRow, f"engine/{name}")
        assert row is not None
        return row

    def told(self) -> list[str]:
        return [event.text for event in self.hub.board.events]

    async def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        assert await self.hub.wait(lambda _: holds(), seconds), (self.row(), self.told())

    async def done(self, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while self.installs.busy:  # noqa: ASYNC110 - its end is seen on the board, but not only there
                await asyncio.sleep(0.01)


def say(state: str, done: float, text: str, engine: str = "kwok-0.8") -> str:
    word = {"engine": engine, "version": "0.8.0", "state": state, "done": done, "left_s": 110, "text": text}
    return f"echo '{json.dumps(word)}'"


def mirrored(settings: Settings, mirror: Mirror) -> Settings:
    return Settings(
        state=settings.state,
        engine_cache=settings.engine_cache,
        mirrors=Mirrors(etcd=mirror.url, kubernetes=mirror.url, kwok=mirror.url),
    )


async def test_a_real_install_is_seen_while_it_goes_on_and_can_be_used_at_its_end(settings: Settings) -> None:
    with serving() as mirror:
        publish(mirror, KWOK)
        stage = Stage(mirrored(settings, mirror))
        heard: list[str] = []
        stage.engines.subscribe(lambda: heard.append(stage.engines.found.versions.get("kwok", "")))
        stage.installs.begin(("kwok-0.8",))
        assert (stage.row().state, stage.row().text) == ("installing", "waits for its turn")
        with pytest.raises(CommandRefused, match=r"an install is at work: kwok-0\.8"):
            stage.installs.begin(("etcd-3.6",))
        await stage.done()
    assert (stage.row().state, stage.row().version, stage.row().text) == ("ready", "0.8.0", "")
    assert [text.rpartition(" in ")[0] for text in stage.told()] == ["kwok 0.8.0 is here, downloaded"]
    assert heard == ["0.8.0"]
    assert stage.engines.found.programs["kwok"] == settings.engine_cache / "kwok-0.8.0" / "kwok"
    with pytest.raises(CommandRefused, match=r"kwok-0\.8: is here already"):
        stage.installs.begin(("kwok-0.8",))


async def test_its_words_become_rows_and_rubbish_between_them_none(settings: Settings) -> None:
    body = "\n".join(
        (
            "echo 'moo'",
            say("installing", 0.42, "building"),
            say("installing", 0.5, "not asked for", engine="etcd-3.7"),
            f"until [ -e {settings.engine_cache.parent / 'go'} ]; do sleep 0.02; done",
            say("failed", 0, "no space left"),
            "exit 1",
        )
    )
    stage = Stage(settings, body)
    stage.installs.begin(("kwok-0.8", "kubernetes-1.36"))
    await stage.until(lambda: stage.row().done == 0.42)
    assert (stage.row().state, stage.row().left_s, stage.row().text) == ("installing", 110, "building")
    assert stage.row("etcd-3.7").state == "ready"
    (settings.engine_cache.parent / "go").touch()
    await stage.done()
    assert (stage.row().state, stage.row().text) == ("failed", "no space left")
    assert stage.row("kubernetes-1.36").text == "the install ended with exit code 1"
    assert stage.told() == [
        "kwok 0.8 could not be got: no space left",
        "Kubernetes 1.36 could not be got: the install ended with exit code 1",
    ]
    stage.installs.begin(("kwok-0.8",))
    await stage.done()
    assert stage.row("kubernetes-1.36").state == "failed", "why it failed stays"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo 'x' >&2\necho 'rwk-tui: another install is at work there' >&2\nexit 1", "another install is at work"),
        ("exit 3", "the install ended with exit code 3"),
        ("exit 0", "the install ended with exit code 0"),
        (f"head -c {install.LINE + 10} /dev/zero; exec sleep 60", "the install could not be followed"),
        (say("ready", 1, "it says") + "\nexit 0", "kwok is not installed"),
    ],
)
async def test_however_it_ends_no_row_says_installing_for_ever(settings: Settings, body: str, why: str) -> None:
    stage = Stage(settings, body)
    stage.installs.begin(("kwok-0.8",))
    await stage.done()
    assert stage.row().state == "failed"
    assert why.replace("kwok is", "kwok 0.8 is") in stage.row().text
    assert len(stage.told()) == 1


async def test_a_command_that_can_t_be_started_is_a_failure_in_one_line(settings: Settings) -> None:
    stage = Stage(settings)
    stage.installs = Installs(stage.engines, stage.hub, settings, ("/nowhere/python",))
    stage.installs.begin(("kwok-0.8",))
    await stage.done()
    assert stage.row().text == "the install can't be started: No such file or directory"


async def test_it_can_be_broken_off_and_leaves_nothing_half(settings: Settings) -> None:
    with serving() as mirror:
        publish(mirror, KWOK, padding=1_000_000)
        mirror.stalls[f"/v{KWOK.version}/kwok-linux-{ARCH}"] = 600_000
        stage = Stage(mirrored(settings, mirror))
        stage.installs.begin(())
        stage.installs.stop()
        await stage.done()
        assert "was broken off" in stage.told()[0], "even before it has begun"
        stage.installs.begin(("kwok-0.8",))
        await stage.until(lambda: stage.row().done > 0)
        stage.installs.stop()
        stage.installs.stop()
        await stage.done(10)
    assert stage.row().state == "missing"
    assert stage.told()[1:] == ["the install of kwok-0.8 was broken off"]
    assert not list(settings.engine_cache.glob(".build-*"))
    assert not (settings.engine_cache / "kwok-0.8.0").exists()
    stage.installs.stop()
    await stage.installs.close()


async def test_one_that_does_not_listen_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PATIENCE", 0.2)
    stage = Stage(settings, "trap '' TERM\n" + say("installing", 0.1, "x") + "\nsleep 60 & sleep 60")
    stage.installs.begin(("kwok-0.8",))
    await stage.until(lambda: stage.row().done > 0)
    async with asyncio.timeout(5):
        await stage.installs.close()
    assert stage.row().state == "missing"


async def test_what_makes_no_sense_is_refused(settings: Settings) -> None:
    stage = Stage(settings)
    with pytest.raises(CommandRefused, match="there is no engine 'zookeeper' to get: there are etcd-3.7"):
        stage.installs.begin(("zookeeper",))
    given = Settings(state=settings.state, engine_cache=settings.engine_cache, engines=Path("/given"))
    stage.installs = Installs(stage.engines, stage.hub, given)
    with pytest.raises(CommandRefused, match="engines come from /given: what is installed would not be used"):
        stage.installs.begin(("kwok-0.8",))


PARENT = """
    import subprocess, sys
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
    print(child.pid, flush=True)
    child.wait()
"""


def test_it_ends_in_order_with_a_daemon_that_is_killed(settings: Settings) -> None:
    with serving() as mirror:
        publish(mirror, KWOK, padding=1_000_000)
        mirror.stalls[f"/v{KWOK.version}/kwok-linux-{ARCH}"] = 600_000
        words = [*COMMAND, "kwok-0.8", "--from", "download", "--json"]
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PARENT), *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **as_environment(mirrored(settings, mirror))},
        ) as parent:
            assert parent.stdout is not None
            group = int(parent.stdout.readline())
            while '"done": 0.0' in (line := parent.stdout.readline()):
                assert line
            assert list(settings.engine_cache.glob(".build-*"))
            os.kill(parent.pid, signal.SIGKILL)
            assert group_is_gone(group, within=10.0)
    assert not list(settings.engine_cache.glob(".build-*"))
    assert not (settings.engine_cache / "kwok-0.8.0").exists()
