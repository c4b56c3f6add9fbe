"""Every chapter does the same on every backend, and each backend shows it as commands of its own.

The commands are kept in golden/BACKEND/CHAPTER.txt, as planned on a lab that is not up yet. After a change
that is meant, `RWK_TEST_GOLDEN=write` has this test write them anew; look at the difference before you commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from rwk_tui.board.hub import Hub
from rwk_tui.cluster.ops import Op, Together, commands_of
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.faults.book import Book
from rwk_tui.faults.catalogue import Faults
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.open import open_lab
from rwk_tui.settings import Settings, Vagrant
from rwk_tui.story.context import Context
from rwk_tui.story.load import load_chapters
from rwk_tui.story.plan import plan
from rwk_tui.story.schema import Chapter, Check
from rwk_tui.story.shelf import Shelf
from rwk_tui.watch.watcher import Watcher

BACKENDS = ("local", "vagrant", "ssh")
GOLDEN = Path(__file__).with_name("golden")
WRITE = os.environ.get("RWK_TEST_GOLDEN") == "write"
HOSTS = "".join(f'[core-0{n}]\nhost = "10.1.1.{n}"\nuser = "debian"\nkey = "key"\n' for n in (1, 2, 3))
CHAPTERS = load_chapters(Settings(state=Path("/nonexistent"), engine_cache=Path("/nonexistent")))
VERSIONS = {"etcd": "3.7.3", "kubernetes": "1.37.2", "kubernetes-1.36": "1.36.3", "kwok": "0.8.0"}


@contextmanager
def stage(backend: str, chapter: Chapter, tmp_path: Path, slack: float = 0.0) -> Iterator[Context]:
    """What a chapter is planned on, before anything is up."""
    state = tmp_path / backend
    state.mkdir()
    hosts = tmp_path / "hosts.toml"
    hosts.write_text(HOSTS)
    key = tmp_path / "key"
    key.touch(mode=0o600)
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key)
    settings = Settings(state=state, engine_cache=state, backend=backend, vagrant=Vagrant(), hosts=hosts, slack=slack)
    hub = Hub()
    lab = open_lab(settings, {})
    site = Site(lab, Pki(state / "pki"), VERSIONS, secure_next=chapter.starts.secured)
    watcher = Watcher(lab, hub, settings, ledger=state / "ledger")
    ground = Ground(lab, hub, watcher, site, settings)
    faults = Faults(ground, record=lambda _rows: None, book=Book(state / "cards", print))
    yield Context(lab, hub, watcher, faults, settings, site)


async def _never(_check: Check) -> None:
    return None


def planned(context: Context, chapter: Chapter) -> list[tuple[str, list[Op]]]:
    """The operations of every step."""
    return [(step.title, [op for action in step.do for op in plan(action, context, _never)]) for step in chapter.steps]


def kinds(op: Op) -> object:
    """What an operation is and where it is done, without how."""
    if isinstance(op, Together):
        return ("together", tuple(kinds(each) for each in op.ops))
    return (type(op).__name__, op.machine)


def text(context: Context, chapter: Chapter, tmp_path: Path) -> str:
    """The commands of every step, with this test's own directory taken out."""
    lines = []
    for title, ops in planned(context, chapter):
        lines.append(f"== {title}")
        lines += [command for op in ops for command in commands_of(op)]
    return "\n".join(lines).replace(str(tmp_path / context.settings.backend), "STATE") + "\n"


@pytest.mark.parametrize("name", [chapter.name for chapter in CHAPTERS])
async def test_backends_do_the_same_and_show_what_is_typed_on_each(name: str, tmp_path: Path) -> None:
    chapter = next(chapter for chapter in CHAPTERS if chapter.name == name)
    done = {}
    for backend in BACKENDS:
        with stage(backend, chapter, tmp_path) as context:
            done[backend] = [[kinds(op) for op in ops] for _, ops in planned(context, chapter)]
            shown = text(context, chapter, tmp_path)
            await context.lab.leave()
        golden = GOLDEN / backend / f"{name}.txt"
        if WRITE:
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(shown)
        assert golden.read_text() == shown, f"{golden}: run with RWK_TEST_GOLDEN=write if this is meant"
    assert done["vagrant"] == done["local"]
    assert done["ssh"] == done["local"]


@pytest.mark.parametrize("name", [chapter.name for chapter in CHAPTERS])
async def test_every_etcdctl_waits_longer_on_a_slow_lab(name: str, tmp_path: Path) -> None:
    told = next(chapter for chapter in CHAPTERS if chapter.name == name)
    with stage("ssh", told, tmp_path, slack=4.0) as context:
        shown = text(context, Shelf([told], context.lab.slack).named(name), tmp_path).splitlines()
        await context.lab.leave()
    asked = asking(shown)
    assert [line for line in asked if "--command-timeout=" not in line] == []
    assert len(asked) == len(asking((GOLDEN / "ssh" / f"{name}.txt").read_text().splitlines()))


def asking(shown: list[str]) -> list[str]:
    """The commands of etcdctl that wait for an answer; a snapshot takes as long as it takes, however large it is."""
    return [line for line in shown if "etcdctl --" in line and "snapshot save" not in line]


def test_what_is_shown_differs_between_backends() -> None:
    def all_of(backend: str) -> list[str]:
        return [file.read_text() for file in sorted((GOLDEN / backend).glob("*.txt"))]

    local, vagrant, ssh = map(all_of, BACKENDS)
    assert len(local) == len(vagrant) == len(ssh) == len(CHAPTERS)
    assert not set(local) & set(vagrant)
    assert "sudo systemctl" not in "".join(local)
    assert "sudo systemctl" in "".join(vagrant)
    assert "poweroff --force --force --no-sync" in "".join(vagrant)
    assert "vagrant" not in "".join(ssh)
