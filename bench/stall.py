"""Stall of both event loops while one member is frozen and another one cut off, against an idle loop in the same run.

`stall.py [SECONDS]` prints by how many milliseconds each loop was late at most, and how long a key took to be answered.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

from crash import end, watch
from harness import Terminal, environment, lab_state, wait_for

from rwk_tui.board.rows import FaultRow, LabRow, MemberRow
from rwk_tui.daemon.protocol import Heal, Inject, Open, Quit

Process = subprocess.Popen[bytes]
METER = (sys.executable, str(Path(__file__).with_name("metered.py")))


def late(report: Path, since: float) -> list[float]:
    """The worst lateness of each second since then, in ms."""
    return [worst for worst, _ in seconds_of(report, since)]


def seconds_of(report: Path, since: float) -> list[tuple[float, float]]:
    """The worst lateness of each second since then, and the most that the loop itself worked at a stretch, in ms."""
    lines = (line.split() for line in report.read_text().splitlines())
    return [(float(worst), float(busiest)) for at, worst, busiest in lines if float(at) >= since]


def start(reports: dict[str, Path], env: dict[str, str], state: Path) -> tuple[Process, Process]:
    """An idle loop and the daemon, each with a meter."""
    idle = subprocess.Popen([*METER, str(reports["idle"]), "idle"], env=env)
    argv = [*METER, str(reports["daemon"]), "daemon", "--state", str(state)]
    return idle, subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL)


async def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with lab_state() as state:
        env, reports = environment(state), {what: state / f"{what}.late" for what in ("idle", "daemon", "cockpit")}
        state.chmod(0o700)
        idle, daemon = start(reports, env, state)
        wait_for(lambda: (state / "daemon.sock").exists(), 20, "the socket")
        cockpit = Terminal([*METER, str(reports["cockpit"]), "cockpit"], env)
        cockpit.until("Machines", 30)
        driver = await watch(str(state))
        await driver.until(
            lambda: (row := driver.board.get(LabRow, "lab")) is not None and row.state == "ready", 60, "the lab"
        )
        await driver.call(Open(chapter="04-machine-failure"))
        await driver.until(lambda: driver.whole() and not driver.board.story.busy, 90, "three members")
        followers = [m.machine for m in driver.board.rows(MemberRow) if m.role == "follower"]
        await asyncio.sleep(5)
        since, answers = time.time(), []
        await driver.call(Inject(fault="pause-unit", target=f"{followers[0]}/etcd"))
        await driver.call(Inject(fault="partition", target=followers[1]))
        await driver.until(lambda: len(driver.board.rows(FaultRow)) == 2, 20, "two faults")
        while time.time() - since < seconds:
            cockpit.read(0.5)
            cockpit.text, asked = b"", time.monotonic()
            cockpit.send("?")
            while not cockpit.text and time.monotonic() - asked < 5:
                cockpit.read(0.001)
            answers.append((time.monotonic() - asked) * 1000)
            cockpit.read(0.5)
            cockpit.send("\x1b")
            await asyncio.sleep(0.2)
        for what, report in reports.items():
            worst = late(report, since)
            median = statistics.median(worst)
            print(f"{what:8} late by at most {max(worst):6.1f} ms, median second {median:5.1f} ms")
        median, slowest = statistics.median(answers), max(answers)
        print(f"key to first paint: median {median:.1f} ms, max {slowest:.1f} ms (n={len(answers)})")
        await driver.call(Heal(fault="all"))
        await driver.until(driver.whole, 60, "a whole lab")
        await driver.call(Quit())
        await end(driver)
        cockpit.close()
        idle.kill()
        idle.wait()
        daemon.wait(30)


if __name__ == "__main__":
    asyncio.run(main())
