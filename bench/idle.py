"""CPU of cockpit and daemon while three members idle under the canary: `idle.py [SECONDS]`, in percent of a core.

With RWK_BACKEND=vagrant (and RWK_SLACK) it is measured on virtual machines, which are left halted.
"""

from __future__ import annotations

import asyncio
import sys
import time

from crash import end, watch
from harness import COMMAND, SLACK, Terminal, daemon_of, environment, lab_state, wait_for

from rwk_tui.board.rows import LabRow
from rwk_tui.daemon.protocol import Open, Quit


async def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with lab_state() as state:
        cockpit = Terminal(COMMAND, environment(state))
        cockpit.until("Machines", 30)
        wait_for(lambda: (state / "daemon.sock").exists(), 20, "the socket")
        driver = await watch(str(state))
        await driver.until(
            lambda: (row := driver.board.get(LabRow, "lab")) is not None and row.state == "ready", 60 * SLACK, "the lab"
        )
        await driver.call(Open(chapter="04-machine-failure"))
        await driver.until(lambda: driver.whole() and not driver.board.story.busy, 90 * SLACK, "three members")
        daemon = daemon_of(state)
        import psutil

        screen = psutil.Process(cockpit.process.pid)
        await asyncio.sleep(15)
        cockpit.read(1)

        def used(process: psutil.Process) -> float:
            times = process.cpu_times()
            return float(times.user + times.system)

        before = used(screen), used(daemon), time.monotonic()
        while time.monotonic() - before[2] < seconds:
            cockpit.read(0.2)
            await asyncio.sleep(0.05)
        passed = time.monotonic() - before[2]
        print(f"cockpit {100 * (used(screen) - before[0]) / passed:.1f} %  wanted <= 5")
        print(f"daemon  {100 * (used(daemon) - before[1]) / passed:.1f} %  wanted <= 5")
        print(f"memory  cockpit {screen.memory_info().rss >> 20} MB, daemon {daemon.memory_info().rss >> 20} MB")
        await driver.call(Quit(halt=True))
        await end(driver)
        cockpit.close()


if __name__ == "__main__":
    asyncio.run(main())
