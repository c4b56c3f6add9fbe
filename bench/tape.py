"""What a tape costs: size a minute, an hour of it in memory, seeking in it, and a cockpit that replays it at ten times.

`tape.py [FILE]`; without one it takes a run from tests/tapes. The hour is that run, again and again.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from harness import Figures

from rwk_tui.cockpit.app import Cockpit
from rwk_tui.cockpit.source import to_fixed
from rwk_tui.settings import load_settings
from rwk_tui.tape.player import Player
from rwk_tui.tape.read import Tape
from rwk_tui.tape.reel import Reel
from rwk_tui.tape.source import ReplaySource
from rwk_tui.tape.write import TapeWriter

RUN = Path(__file__).resolve().parent.parent / "tests" / "tapes" / "no-quorum.jsonl"
HOUR = 3600.0
SEEKS = 300
WATCHED = 20.0
"""Seconds of real time for which a replay at ten times is watched."""
TICK = 0.01


def record_hour(run: Path, to: Path) -> tuple[float, float]:
    """Write the run again and again until an hour is full; returns seconds of it and plain bytes a minute."""
    frames = list(Tape(run))
    length = frames[-1].at - frames[0].at
    writer, shift, plain = TapeWriter(to, sys.exit), 0.0, 0
    while shift < HOUR:
        for frame in frames:
            line = msgspec.json.encode(msgspec.structs.replace(frame, at=frame.at + shift)) + b"\n"
            plain += len(line)
            writer.write(line)
        shift += length + 0.5
    writer.close()
    print(f"recorded       {shift / 60:.0f} min, a run of {length:.0f} s again and again")
    return shift, plain / shift * 60


def read_hour(path: Path) -> Reel:
    """Read it whole, as a replay does."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, reel = time.monotonic(), Reel()
    for frame in Tape(path):
        reel.add(frame)
    reel.complete = True
    took, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"read           {took:.2f} s, {len(reel)} frames, {(after - before) / 1024:.0f} MB more in memory")
    return reel


def seek(reel: Reel) -> None:
    """Jump about, forwards and backwards."""
    random.seed(7)
    player, taken = Player(reel), []
    for _ in range(SEEKS):
        moment = random.uniform(0, reel.length)
        started = time.monotonic()
        player.seek(moment)
        list(player.due())
        taken.append(time.monotonic() - started)
    print(f"seek           {Figures(tuple(taken)).tail}  wanted p95 <= 100 ms")


async def replay(path: Path) -> None:
    """Watch a cockpit that replays at ten times: how far it came, and by how much its loop was late."""
    source, late = ReplaySource(path), []
    app = Cockpit(load_settings(), to_fixed(source), replay=source)
    async with app.run_test(size=(120, 40)) as pilot:
        while source.position.reading:
            await pilot.pause(0.05)
        source.wind(Player.start)
        for _ in range(9):
            source.wind(Player.faster)
        await pilot.pause()
        started, at = time.monotonic(), source.position.at
        while (now := time.monotonic()) - started < WATCHED:
            await asyncio.sleep(TICK)
            late.append(time.monotonic() - now - TICK)
        passed, told = time.monotonic() - started, source.position.at - at
        behind = source.now() - app.board.at
    print(f"replay at 10x  {told / passed:.2f} s of the run a second; the board is {max(0.0, behind):.2f} s behind")
    print(f"loop late by   {Figures(tuple(late)).tail}  wanted max <= 250 ms")


def main() -> None:
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else RUN
    with tempfile.TemporaryDirectory(prefix="rwk-bench-tape-") as directory:
        hour = Path(directory) / "hour.tape"
        length, plain = record_hour(run, hour)
        packed = hour.stat().st_size / length * 60
        print(f"size           {packed / 1e3:.0f} kB a minute, {plain / 1e3:.0f} kB before it is packed")
        seek(read_hour(hour))
        asyncio.run(replay(hour))


if __name__ == "__main__":
    main()
