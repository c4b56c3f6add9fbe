"""Records the tape that `rwk-tui replay` shows: every chapter on a real local lab, and two faults after them.

`record.py [--subnet N]` takes about ten minutes and writes demo.tape beside itself; `--from FILE` takes a run that was
recorded already. Directories and addresses of the machine that it ran on are replaced by those of a default lab.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow
from rwk_tui.settings import load_settings
from rwk_tui.story.load import load_chapters
from rwk_tui.tape.read import Tape
from rwk_tui.tape.write import TapeWriter

DEMO = Path(__file__).with_name("demo.tape")
FAULTS = ("fault:power-cut@leader", "fault:partition@leader")
STATE, CACHE = "/home/you/.local/state/rwk-tui", "/home/you/.cache/rwk-tui"


def record(directory: Path, subnet: int) -> Path:
    """Play everything; SystemExit if a check failed, since a demo must not show that."""
    tape = directory / "run.tape"
    chapters = [chapter.name for chapter in load_chapters(load_settings())]
    command = [sys.executable, "-m", "rwk_tui", "--state", str(directory / "state"), "--subnet", str(subnet)]
    code = subprocess.call([*command, "--tape", str(tape), "--fast", "play", *chapters, *FAULTS])
    if code:
        raise SystemExit(f"play ended with exit code {code}: no tape was made")
    return tape


def cleaned(run: Path) -> list[Frame]:
    """The frames of a run as a default lab would have sent them. SystemExit if the run is damaged."""
    tape = Tape(run)
    frames = list(tape)
    if tape.problem:
        raise SystemExit(tape.problem)
    labs = [row for frame in frames for row in frame.rows if isinstance(row, LabRow)]
    paths = {path: f"{CACHE}/{Path(path).name}" for lab in labs for path in lab.path}
    paths |= {lab.directory: STATE for lab in labs if lab.directory}
    found = [addresses for lab in labs for _, addresses in lab.reach]
    subnets = {address.rpartition("//")[2].split(".")[2] for address in found if "127." in address} or {"8"}
    return [_clean(frame, paths, subnets) for frame in frames]


def _clean(frame: Frame, paths: dict[str, str], subnets: set[str]) -> Frame:
    line = msgspec.json.encode(frame)
    for path, shown in sorted(paths.items(), reverse=True):
        line = line.replace(path.encode(), shown.encode())
    for subnet in subnets:
        for plane in ("0", "1", "2"):
            line = line.replace(f"127.{plane}.{subnet}.".encode(), f"127.{plane}.8.".encode())
    for word in (tempfile.gettempdir(), str(Path.home())):
        if f"{word}{os.sep}".encode() in line:
            raise SystemExit(f"a frame still tells of {word}: {line[max(0, line.index(word.encode()) - 80) :][:200]!r}")
    return msgspec.json.decode(line, type=Frame)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the demo tape.")
    parser.add_argument("--subnet", type=int, default=60)
    parser.add_argument("--from", dest="run", type=Path, help="a run that was recorded already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rwk-demo-", ignore_cleanup_errors=True) as directory:
        frames = cleaned(given.run or record(Path(directory), given.subnet))
    DEMO.unlink(missing_ok=True)
    writer = TapeWriter(DEMO, sys.exit)
    for frame in frames:
        writer.write(msgspec.json.encode(frame) + b"\n")
    writer.close()
    print(f"{DEMO}: {len(frames)} frames, {DEMO.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
