"""Every command that the documents name is run, as they name it, and does what they say.

Long ones are told to do less: instead of all chapters they play one, and 200 faults are two.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.docs_commands import PAGES, commands
from support.in_terminal import InTerminal, in_terminal
from support.programs import CHECKOUT
from support.remote_lab import BUSY

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("engines")]

ELSEWHERE = {
    "make run": "opens the cockpit, as `rwk-tui` does here",
    "make test": "is what runs this",
    "make ci": "is what runs this in CI",
    "make check": "tests/test_needs.py and tests/suite.py, of which it is the smaller part",
    "make setup": "made what runs this",
    "make test-vagrant": "needs a farm of machines",
    "make farm-tools": "installs what the tests on machines need",
    "make lock": "asks registries for the newest releases",
    "make docs": "tests/test_docs.py holds what it writes against what is there",
    "make browser-tools": "installs what tests/web needs",
    "rwk-tui --backend vagrant": "tests/vagrant",
    "rwk-tui --backend ssh --hosts hosts.toml": "tests/vagrant/test_hosts_file.py",
    "rwk-tui shell core-01": "tests/real/test_shell_real.py",
    "rwk-tui view": "tests/cockpit/test_viewer_daemon.py",
    "rwk-tui web": "tests/real/test_web_real.py",
}
"""Commands that are run by somebody else, and by whom."""
CHAPTER = CHECKOUT / "scenarios" / "02-etcd-single.yaml"


class Place:
    """A directory with a lab's state, in which commands are typed one after the other."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self.directory = directory
        self._variables = {**os.environ, **variables}

    def _argv(self, line: str, instead: Mapping[str, str] = {}) -> list[str]:
        program, *words = [part for word in line.split() for part in instead.get(word, word).split()]
        assert program == "rwk-tui"
        return [sys.executable, "-m", "rwk_tui", *words]

    def type(self, line: str, instead: Mapping[str, str] = {}, code: int = 0, **variables: str) -> str:
        """Run a line as it stands in a document, with a few words exchanged; what it printed."""
        run = subprocess.run(
            self._argv(line, instead),
            cwd=self.directory,
            env={**self._variables, **variables},
            capture_output=True,
            text=True,
            timeout=120 * BUSY,
        )
        assert run.returncode == code, f"{line}: {run.returncode}: {run.stdout[-2000:]}{run.stderr}"
        return run.stdout

    @asynccontextmanager
    async def opened(
        self, line: str, words: str, instead: Mapping[str, str] = {}, **variables: str
    ) -> AsyncIterator[InTerminal]:
        """Type a line that takes the screen, with a few words exchanged, and wait for words on it."""
        there = Path.cwd()
        os.chdir(self.directory)
        try:
            async with in_terminal(self._argv(line, instead), {**self._variables, **variables}) as terminal:
                await terminal.reads(words, 60)
                yield terminal
        finally:
            os.chdir(there)


@pytest.fixture
def place(state: Path, subnet: int) -> Iterator[Place]:
    """A lab that does not exist yet, with the stories of a speaker's own beside it."""
    directory = state.parent / f"{state.name}-desk"
    for stories in ("stories", "DIR"):
        (directory / stories).mkdir(parents=True)
        shutil.copy(CHAPTER, directory / stories / "01-my-first.yaml")
    variables = {"RWK_STATE": str(state), "RWK_SUBNET": str(subnet), "RWK_FAST": "true", "PYTHONPATH": str(CHECKOUT)}
    found = Place(directory, variables)
    yield found
    subprocess.run(
        found._argv("rwk-tui down"),
        cwd=directory,
        env=found._variables,
        capture_output=True,
        timeout=60 * BUSY,
        check=False,
    )
    shutil.rmtree(directory)


async def quits(terminal: InTerminal) -> None:
    """Leave a cockpit that has a lab, as one does: q, and q again."""
    terminal.type("q")
    await terminal.reads("Quit?")
    terminal.type("q")
    assert await terminal.code(60) == 0


async def closes(terminal: InTerminal) -> None:
    """Leave a screen that has no lab of its own."""
    terminal.type("q")
    assert await terminal.code(30) == 0


def test_every_command_of_the_documents_is_run_here_or_elsewhere() -> None:
    tree = ast.parse(Path(__file__).read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {" ".join(words) for page in PAGES for words in commands(page)}
    assert named <= texts, "these are run nowhere"
    assert {text for text in ELSEWHERE if text not in named} == set(), "these stand in no document any more"


def test_what_needs_no_lab(place: Place, tmp_path: Path) -> None:
    assert "16-upgrade" in place.type("rwk-tui chapters")
    assert ": ok, " in place.type("rwk-tui check stories/01-my-first.yaml")
    assert ": ok, " in place.type("rwk-tui check FILE", {"FILE": str(CHAPTER)})
    assert "complete" in place.type("rwk-tui completion bash|zsh|fish", {"bash|zsh|fish": "bash"})
    assert "etcd" in place.type("rwk-tui doctor")
    assert "etcd" in place.type("rwk-tui engines")
    assert "etcd-3" in place.type("rwk-tui engines install")
    assert "etcd-3" in place.type("rwk-tui engines install etcd")
    place.type("rwk-tui engines clean", RWK_ENGINE_CACHE=str(tmp_path))
    assert place.type("rwk-tui report") is not None


def test_what_plays_without_a_screen(place: Place) -> None:
    mine = {"--all": "01-my-first"}
    stories = str(place.directory / "stories")
    assert "passed" in place.type("rwk-tui play --all", mine, RWK_SCENARIOS=stories)
    assert "passed" in place.type("rwk-tui --scenarios stories play --all", mine)
    assert "passed" in place.type("rwk-tui play --all --install", mine, RWK_SCENARIOS=stories)  # all of it is there
    place.type("rwk-tui play --all --report FILE", {**mine, "FILE": "cards.md"}, RWK_SCENARIOS=stories)
    assert "slow" in place.type("rwk-tui play fault:slow-disk").lower()
    assert "power" in place.type("rwk-tui play fault:NAME", {"fault:NAME": "fault:power-cut@leader"}).lower()
    place.type("rwk-tui soak --faults 200 --seed 7", {"200": "2"})
    place.type("rwk-tui soak --only NAME", {"NAME": "kill-unit --faults 2"})


async def test_a_run_is_recorded_looked_at_and_exported(place: Place) -> None:
    async with place.opened("rwk-tui --tape run.tape", "live") as cockpit:
        await quits(cockpit)
    assert "frames" in place.type("rwk-tui tape info run.tape")
    place.type("rwk-tui tape info talk.tape", {"talk.tape": "run.tape"})
    place.type("rwk-tui tape export run.tape --report run.md --events run.jsonl")
    place.type("rwk-tui tape export run.tape --cast run.cast --stills pictures")
    made = {"run.md", "run.jsonl", "run.cast", "pictures"}
    assert made <= {path.name for path in place.directory.iterdir()}
    for line in ("rwk-tui replay run.tape", "rwk-tui replay"):
        async with place.opened(line, "REPLAY") as replay:
            await closes(replay)


@pytest.mark.parametrize(
    "line",
    [
        "rwk-tui",
        "rwk-tui --theme light",
        "rwk-tui --scenarios stories",
        "rwk-tui --scenarios DIR",
        "rwk-tui --tape bug.tape",
        "rwk-tui --tape talk.tape",
    ],
)
async def test_cockpits_open_and_halt_their_lab(line: str, place: Place) -> None:
    async with place.opened(line, "live") as cockpit:
        await quits(cockpit)


@pytest.mark.kubernetes
async def test_a_lab_is_held_worked_with_and_halted(place: Place) -> None:
    async with place.opened("rwk-tui up --at lab:kubernetes", "Ctrl-C") as up:
        ready = [line for line in up.text.splitlines() if "node ready" in line]
        assert "API server ready" in up.text and "Kubernetes 1." in up.text
        assert ready and "core-0" in ready[0], up.text
        assert "KUBECONFIG" in place.type("rwk-tui env")
        async with place.opened("rwk-tui notes", "live") as notes:
            await closes(notes)
        place.type("rwk-tui down")
        assert await up.code(60) == 1, "somebody else ended what it was to hold"


async def test_a_place_in_the_story_is_held(place: Place) -> None:
    # With Kubernetes there is one above.
    elsewhere = {"12-worker-failure": "04-machine-failure:1"}
    async with place.opened("rwk-tui up --at 12-worker-failure", "Ctrl-C", elsewhere) as up:
        up.type("\x03")
        assert await up.code(60) == 130
