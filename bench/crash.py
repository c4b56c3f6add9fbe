"""SIGKILL the cockpit, then the daemon, at random moments of a chapter: what is left, and what comes back.

`crash.py [RUNS] [SEED]`: for the cockpit, every other run re-attaches and the step must complete; in the rest nobody
comes back and every process must end after the linger time. For the daemon, every process must end within two seconds,
and the next start must resume (even runs) or reset (odd runs).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time

from harness import COMMAND, SUBNET, Figures, Terminal, daemon_of, environment, lab_state, processes_of, wait_for
from lab import Driver, bench_settings

from rwk_tui.board.rows import LabRow, MachineRow
from rwk_tui.daemon.client import DaemonClient
from rwk_tui.daemon.protocol import Next, Open, Quit, Reset, Resume

CHAPTER, STEP = "03-etcd-clustering", 1
LINGER = 5.0


async def watch(state: str) -> Driver:
    """A client that attends to nothing: it sees and commands, and its going ends nothing."""
    settings = bench_settings(state, SUBNET)  # type: ignore[arg-type]
    return Driver(await DaemonClient.connect(settings, role="driver", attend="none", start=False))


async def end(driver: Driver) -> None:
    driver.reader.cancel()
    await driver.client.close()


async def tell_a_step(driver: Driver) -> None:
    """Open the chapter and let its step begin."""
    await driver.until(
        lambda: (row := driver.board.get(LabRow, "lab")) is not None and row.state in ("ready", "choose"), 60, "the lab"
    )
    row = driver.board.get(LabRow, "lab")
    if row is not None and row.state == "choose":
        await driver.call(Reset())
    await driver.call(Open(chapter=CHAPTER, step=STEP))
    await driver.until(
        lambda: (
            driver.board.story.chapter == CHAPTER and not driver.board.story.busy and driver.board.story.step == STEP
        ),
        120,
        "the chapter",
    )
    await driver.call(Next())


async def kill_the_cockpit(chance: random.Random, come_back: bool) -> float:
    """Seconds from the kill until the step was complete, or until the last process had ended."""
    with lab_state() as state:
        env = {**environment(state), "RWK_LINGER": str(LINGER)}
        cockpit = Terminal(COMMAND, env)
        cockpit.until("Machines", 30)
        wait_for(lambda: (state / "daemon.sock").exists(), 20, "the socket")
        driver = await watch(str(state))
        await tell_a_step(driver)
        await asyncio.sleep(chance.uniform(0, 3))
        cockpit.close()
        killed = time.monotonic()
        if not come_back:
            await end(driver)
            wait_for(lambda: not processes_of(state), LINGER + 20, "the end of every process")
            return time.monotonic() - killed
        await asyncio.sleep(chance.uniform(0, LINGER / 2))
        second = Terminal(COMMAND, env)
        second.until("Machines", 30)
        await driver.until(lambda: driver.board.story.steps[STEP].status in ("passed", "failed"), 60, "the step's end")
        assert driver.board.story.steps[STEP].status == "passed", driver.board.story.steps[STEP]
        took = time.monotonic() - killed
        await driver.call(Quit())
        await end(driver)
        second.close()
        return took


async def kill_the_daemon(chance: random.Random, resume: bool) -> float:
    """Seconds from the kill until the last of its processes had ended; afterwards the next start must serve."""
    with lab_state() as state:
        settings = bench_settings(state, SUBNET)
        driver = Driver(await DaemonClient.connect(settings, role="driver", attend="none", start=True))
        await tell_a_step(driver)
        await asyncio.sleep(chance.uniform(0, 3))
        os.kill(daemon_of(state).pid, signal.SIGKILL)
        killed = time.monotonic()
        wait_for(lambda: not processes_of(state), 10, "the end of every process")
        took = time.monotonic() - killed
        await end(driver)
        again = Driver(await DaemonClient.connect(settings, role="driver", attend="none", start=True))
        await again.until(
            lambda: (row := again.board.get(LabRow, "lab")) is not None and row.state == "choose", 30, "the choice"
        )
        await again.call(Resume() if resume else Reset())
        await again.until(
            lambda: (
                (row := again.board.get(LabRow, "lab")) is not None
                and row.state == "ready"
                and [m.power for m in again.board.rows(MachineRow)] == ["up"] * 3
            ),
            60,
            "a lab that serves again",
        )
        await again.call(Quit())
        await end(again)
        return took


async def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    chance = random.Random(seed)
    back: list[float] = []
    gone: list[float] = []
    for run in range(runs):
        (back if run % 2 else gone).append(await kill_the_cockpit(chance, bool(run % 2)))
    print(f"cockpit killed, came back: step complete after  {Figures(tuple(back))} s")
    print(f"cockpit killed, nobody came: all ended after    {Figures(tuple(gone))} s, linger {LINGER:g} s")
    dead = [await kill_the_daemon(chance, run % 2 == 0) for run in range(runs)]
    print(f"daemon killed: all ended after                  {Figures(tuple(dead))} s, wanted <= 2; seed {seed}")


if __name__ == "__main__":
    asyncio.run(main())
