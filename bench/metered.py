"""Run one of our programs with a meter on its event loop: `metered.py FILE idle|daemon|cockpit [ARG...]`.

The meter asks to be called every 10 ms and writes, each second, by how many milliseconds it was late at most.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
import time
from pathlib import Path

TICK = 0.01


class Metered(asyncio.DefaultEventLoopPolicy):
    """Gives out event loops with a meter inside."""

    def __init__(self, report: Path) -> None:
        super().__init__()
        self.report = report

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        file = self.report.open("a", buffering=1)
        worst, second = 0.0, time.time()

        def tick(due: float) -> None:
            nonlocal worst, second
            worst = max(worst, (loop.time() - due) * 1000)
            if time.time() - second >= 1:
                file.write(f"{time.time():.2f} {worst:.1f}\n")
                worst, second = 0.0, time.time()
            due = loop.time() + TICK
            loop.call_at(due, tick, due)

        loop.call_soon(tick, loop.time())
        return loop


async def idle() -> None:
    await asyncio.sleep(10**6)


def main() -> None:
    report, what, *rest = sys.argv[1:]
    asyncio.set_event_loop_policy(Metered(Path(report)))
    if what == "idle":
        asyncio.run(idle())
    module = {"daemon": "rwk_tui.daemon", "cockpit": "rwk_tui"}[what]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
