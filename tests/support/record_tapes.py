"""Records the tapes in tests/tapes from real runs: `python tests/support/record_tapes.py [--subnet N] [NAME …]`.

One lab is played through a few situations; a viewer of its own writes down what each of them sends. Paths and addresses
of the machine it ran on are replaced by those of a default lab.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import CanaryRow, FaultRow, LabRow, QuorumRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.hold import Follower, held_lab
from rwk_tui.daemon.protocol import Heal, Inject, Next, Open
from rwk_tui.settings import Settings, load_settings
from rwk_tui.tape.write import TapeWriter

TAPES = Path(__file__).resolve().parent.parent / "tapes"
PATIENCE = 60.0


class Studio:
    """A lab and the tapes that are made of it."""

    def __init__(self, lab: Follower, settings: Settings) -> None:
        self.lab = lab
        self._settings = settings

    @asynccontextmanager
    async def tape(self, name: str) -> AsyncIterator[None]:
        """Write down what the daemon sends from now on."""
        viewer = await DaemonClient.connect(self._settings, role="viewer")
        path = TAPES / f"{name}.jsonl"
        path.unlink(missing_ok=True)
        writer = TapeWriter(path, lambda line: print(line, file=sys.stderr))

        async def write() -> None:
            async for message in viewer:
                if isinstance(message, Frame):
                    writer.write(self._clean(msgspec.json.encode(message) + b"\n"))

        writing = asyncio.create_task(write())
        try:
            yield
        finally:
            await viewer.close()
            await writing
            writer.close()
            path.write_bytes(gzip.decompress(path.read_bytes()))  # As text, so that a change to it can be read.
            print(f"{path.name}: {path.stat().st_size // 1024} KB")

    async def until(self, holds: Callable[[Board], bool]) -> None:
        """Wait for something to be seen."""
        async with asyncio.timeout(PATIENCE):
            await self.lab.until(holds)

    async def open(self, chapter: str) -> None:
        """Open a chapter."""
        await self.lab.do(Open(chapter=chapter))
        await self.until(lambda board: not board.story.busy)
        assert not self.lab.board.story.error, self.lab.board.story.error

    async def step(self) -> None:
        """Run the next step."""
        await self.lab.do(Next())
        await self.until(lambda board: not board.story.busy)

    async def three(self) -> None:
        """Three healthy members under canary load."""
        await self.open("04-machine-failure")
        await self.until(well)
        await asyncio.sleep(3)

    async def heal(self) -> None:
        """Heal everything and wait until all is well."""
        await self.lab.do(Heal(fault="all"))
        await self.until(lambda board: well(board) and not board.rows(FaultRow))
        await asyncio.sleep(2)

    def _clean(self, line: bytes) -> bytes:
        lab = self.lab.board.get(LabRow, "lab")
        for directory in lab.path if lab else ():
            line = line.replace(directory.encode(), b"/usr/local/bin")
        line = line.replace(str(self._settings.state).encode(), b"/home/you/.local/state/rwk-tui")
        for plane in b"0", b"1", b"2":
            line = line.replace(b"127.%s.%d." % (plane, self._settings.subnet), b"127.%s.8." % plane)
        return line


def well(board: Board) -> bool:
    """Whether three members serve and writes flow."""
    quorum, canary = board.get(QuorumRow, "quorum"), board.rows(CanaryRow)
    healthy = quorum is not None and quorum.state == "healthy" and quorum.voters == 3
    return healthy and bool(canary) and canary[0].state == "flowing"


def _other(board: Board, count: int) -> list[str]:
    quorum = board.get(QuorumRow, "quorum")
    return [name for name in ("core-01", "core-02", "core-03") if quorum and name != quorum.leader][:count]


async def healthy(studio: Studio) -> None:
    """Ten quiet seconds of three members."""
    await studio.three()
    async with studio.tape("healthy"):
        await asyncio.sleep(10)


async def leader(studio: Studio) -> None:
    """The leader's machine loses its power, another one takes over, and it comes back."""
    await studio.three()
    async with studio.tape("leader-power-cut"):
        await asyncio.sleep(2)
        await studio.lab.do(Inject(fault="power-cut", target="leader"))
        await asyncio.sleep(8)
        await studio.heal()


async def no_quorum(studio: Studio) -> None:
    """Two of three machines lose their power: nothing can be written until they are back."""
    await studio.three()
    async with studio.tape("no-quorum"):
        await asyncio.sleep(2)
        for machine in _other(studio.lab.board, 2):
            await studio.lab.do(Inject(fault="power-cut", target=machine))
        await studio.until(lambda board: (row := board.get(QuorumRow, "quorum")) is not None and row.state == "lost")
        await asyncio.sleep(10)
        await studio.heal()


async def partition(studio: Studio) -> None:
    """The leader is cut off from the others, which elect another one."""
    await studio.three()
    async with studio.tape("partition"):
        await asyncio.sleep(2)
        await studio.lab.do(Inject(fault="partition", target="leader"))
        await asyncio.sleep(10)
        await studio.heal()


async def stale(studio: Studio) -> None:
    """A follower is frozen: its last values stay, and grow old."""
    await studio.three()
    async with studio.tape("stale"):
        await asyncio.sleep(2)
        await studio.lab.do(Inject(fault="pause-unit", target=f"{_other(studio.lab.board, 1)[0]}/etcd"))
        await asyncio.sleep(12)
        await studio.heal()


async def story(studio: Studio) -> None:
    """A chapter from its beginning to its end."""
    async with studio.tape("story"):
        await studio.open("02-etcd-single")
        for _ in studio.lab.board.story.steps:
            await asyncio.sleep(0.5)
            await studio.step()
        await asyncio.sleep(1)


SCENES: dict[str, Callable[[Studio], Awaitable[None]]] = {
    "healthy": healthy,
    "leader-power-cut": leader,
    "no-quorum": no_quorum,
    "partition": partition,
    "stale": stale,
    "story": story,
}


async def record(names: list[str], settings: Settings) -> None:
    """Record the named tapes on one lab."""
    TAPES.mkdir(exist_ok=True)
    async with held_lab(settings) as lab:
        studio = Studio(lab, settings)
        for name in names or SCENES:
            await SCENES[name](studio)


def main() -> None:
    """Record what the command line names, or everything."""
    parser = argparse.ArgumentParser(description="Record the tapes that tests are fed from.")
    parser.add_argument("names", nargs="*", choices=[*SCENES, []], help="which ones (default: all)")
    parser.add_argument("--subnet", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rwk-tape-") as directory:
        settings = replace(load_settings(), state=Path(directory) / "state", subnet=given.subnet)
        asyncio.run(record(given.names, settings))


if __name__ == "__main__":
    main()
