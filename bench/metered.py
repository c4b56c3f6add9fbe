"""Run one of our programs with a meter on its event loop: `metered.py FILE idle|daemon|cockpit [ARG...]`.

The meter asks to be called every 10 ms and writes, each second, by how many milliseconds it was late at most, and for
how many the loop itself worked at a stretch: on a busy machine that tells whose fault it was. Of a cockpit it writes to
FILE.frames, too, how long each frame took, by the clock and of the processor: working out what to show ("paint") and
showing what changed of it ("render").
"""

from __future__ import annotations

import asyncio
import runpy
import sys
import time
from pathlib import Path
from typing import TextIO

TICK = 0.01


class Metered(asyncio.DefaultEventLoopPolicy):
    """Gives out event loops with a meter inside."""

    def __init__(self, report: Path) -> None:
        super().__init__()
        self.report = report

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        file = self.report.open("a", buffering=1)
        worst, used, busiest, second = 0.0, 0.0, 0.0, time.time()

        def tick(due: float) -> None:
            nonlocal worst, used, busiest, second
            worst = max(worst, (loop.time() - due) * 1000)
            now = time.thread_time()
            used, busiest = now, max(busiest, (now - used) * 1000 if used else 0.0)
            if time.time() - second >= 1:
                file.write(f"{time.time():.2f} {worst:.1f} {busiest:.1f}\n")
                worst, busiest, second = 0.0, 0.0, time.time()
            due = loop.time() + TICK
            loop.call_at(due, tick, due)

        loop.call_soon(tick, loop.time())
        return loop


def measure(file: TextIO, owner: type, name: str, what: str) -> None:
    """Note how long each call of a method takes."""
    method = getattr(owner, name)

    def timed(*given: object) -> object:
        began, used = time.perf_counter(), time.thread_time()
        try:
            return method(*given)
        finally:
            took, own = time.perf_counter() - began, time.thread_time() - used
            file.write(f"{time.time():.2f} {what} {took * 1000:.2f} {own * 1000:.2f}\n")

    setattr(owner, name, timed)


def measure_frames(report: Path) -> None:
    from textual.screen import Screen

    from rwk_tui.cockpit.app import Cockpit

    file = Path(f"{report}.frames").open("a", buffering=1)  # noqa: SIM115 - open for as long as the process lives
    measure(file, Cockpit, "paint", "paint")
    measure(file, Screen, "_on_timer_update", "render")


async def idle() -> None:
    await asyncio.sleep(10**6)


def main() -> None:
    report, what, *rest = sys.argv[1:]
    asyncio.set_event_loop_policy(Metered(Path(report)))
    if what == "idle":
        asyncio.run(idle())
    if what == "cockpit":
        measure_frames(Path(report))
    module = {"daemon": "rwk_tui.daemon", "cockpit": "rwk_tui"}[what]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
