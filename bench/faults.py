"""Kill, pause, power cut and partition of the leader, many times each, under the canary's load: `faults.py [TIMES]`.

Each time a new leader must be shown, everything must be well after healing, no acknowledged write may be lost and all
members must store the same. Election and outage are what the lab itself measured and told; exits 1 if anything failed.
"""

from __future__ import annotations

import asyncio
import re
import sys

from harness import SUBNET, Figures, lab_state
from lab import Driver, bench_settings, three_members

from rwk_tui.board.frames import Event
from rwk_tui.daemon.protocol import Heal, Inject

FAULTS = ("kill-unit", "pause-unit", "power-cut", "partition")


def newest(driver: Driver, kind: str, after: int) -> Event | None:
    """The newest event of that kind with a higher id."""
    found = [event for event in driver.events if event.kind == kind and event.id > after]
    return found[-1] if found else None


async def once(driver: Driver, fault: str) -> tuple[float, float, list[str]]:
    """One fault of the leader and its healing: election and outage in seconds, and what did not hold."""
    await asyncio.sleep(1.5)
    leader, last = driver.leader, driver.events[-1].id if driver.events else 0
    await driver.call(Inject(fault=fault, target="leader"))
    await driver.until(lambda: driver.leader not in ("", leader), 30, f"a new leader after {fault} of {leader}")
    await driver.until(lambda: newest(driver, "effect", last) is not None, 60, "the measured effect")
    await driver.call(Heal(fault="all"))
    await driver.until(lambda: newest(driver, "healed", last) is not None, 90, "the healing's verdict")
    await driver.until(driver.whole, 60, "three members")
    elected, effect, healed = (newest(driver, kind, last) for kind in ("election", "effect", "healed"))
    assert effect is not None and healed is not None
    wrong = []
    if elected is None or elected.duration_ms is None:
        wrong.append(f"no election with a duration: {elected}")
    if not re.search(r"\b0 of [\d ]+ acknowledged writes lost", healed.text) or healed.level != "good":
        wrong.append(healed.text)
    outage = (effect.duration_ms or 0) / 1000
    return (elected.duration_ms or 0) / 1000 if elected else 0.0, outage, wrong


async def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    wrong: list[str] = []
    with lab_state() as state:
        async with three_members(bench_settings(state, SUBNET)) as driver:
            for fault in FAULTS:
                elections, outages = [], []
                for _ in range(times):
                    election, outage, failures = await once(driver, fault)
                    elections.append(election)
                    outages.append(outage)
                    wrong += failures
                print(f"{fault:11} election {Figures(tuple(elections))} s", flush=True)
                print(f"{fault:11} outage   {Figures(tuple(outages))} s", flush=True)
            verdicts = [event.text for event in driver.events if event.kind == "healed"]
            print(f"last verdict: {verdicts[-1]}")
    print("\n".join(wrong) or f"all held: {len(FAULTS) * times} faults of the leader")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
